"""Places of China in company names: the longest one first, then child after parent."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pyarrow as pa

from scoring.names.buffers import Codes, Flags, Positions, Texts
from scoring.names.text import fold_names
from scoring.names.tries import Numbers, Trie
from scoring.names.words import load_words

_LEVELS = ("province", "city", "district")
_MIN_LENGTH = 2
_LONGEST_LAST = 4  # characters: of a place at the end of a core
_COUNTRY = "中国"  # a place in brackets, without a code
_OPEN = 0  # number of the code that is left open


@dataclass(frozen=True)
class Places:
    """Places as they stand at the start of a name, after their parent, inside brackets and at the end of a core.

    The numbers of the words are places in `codes`; number 0 stands for a name that several places have. `after` begins
    with the digits of the parent's code; `in_province` and `in_city` say by code where its walks begin.
    """

    codes: pa.Array
    first: Trie
    after: Trie
    whole: Trie
    last: Trie
    in_province: Numbers
    in_city: Numbers


@dataclass(frozen=True)
class Placed:
    """Where the places of each text end, and the number of the narrowest's code (0 unknown)."""

    ends: Positions
    code: Numbers


@lru_cache(maxsize=1)
def load_places() -> Places:
    """The tables, from the project's list of GB/T 2260 regions."""
    path = files("scoring") / "values" / "data" / "regions.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    codes = ["", *sorted({row["code"] for row in rows})]
    numbers = {code: number for number, code in enumerate(codes)}
    first, whole, after = (_numbered(names, numbers) for names in _spellings(rows))
    whole[_COUNTRY] = _OPEN
    last = {name: number for name, number in first.items() if len(name) <= _LONGEST_LAST and _is_wide(codes[number])}
    under = Trie.forward(after)
    return Places(
        codes=pa.array(codes),
        first=Trie.forward(first),
        after=under,
        whole=Trie.forward(whole),
        last=Trie.backward(last),
        in_province=_starts_under(under, codes, 2),
        in_city=_starts_under(under, codes, 4),
    )


class _Names:
    """Spellings with all their places; the widest level wins, and two of that level leave the code open."""

    def __init__(self) -> None:
        self._places: dict[str, set[tuple[int, str]]] = defaultdict(set)

    def add(self, spelling: str, level: int, code: str) -> None:
        self._places[spelling].add((level, code))

    def codes(self) -> dict[str, str]:
        found = {}
        for spelling, places in sorted(self._places.items()):
            widest = min(level for level, _ in places)
            codes = {code for level, code in places if level == widest}
            found[spelling] = codes.pop() if len(codes) == 1 else ""
        return found


def _spellings(rows: list[dict[str, str]]) -> tuple[_Names, _Names, _Names]:
    """(names at the start, names that stand alone, names after the digits of their parent)."""
    names, shorts = (fold_names([row[column] for row in rows]) for column in ("name", "short_name"))
    ambiguous = set(fold_names(list(load_words().ambiguous_places)))
    first, whole, after = _Names(), _Names(), _Names()
    for row, name, short in zip(rows, names, shorts, strict=True):
        level, code = _LEVELS.index(row["level"]), row["code"]
        is_urban = level == 2 and name.endswith("区")
        for spelling in {name, short}:
            if len(spelling) < _MIN_LENGTH or (level == 2 and spelling.endswith(("开发区", "园区", "市辖区"))):
                continue
            whole.add(spelling, level, code)
            if spelling == name or (spelling not in ambiguous and not is_urban):
                first.add(spelling, level, code)
            if level and not (is_urban and spelling == short):
                after.add(code[:2] + spelling, level, code)
                after.add(code[:4] + spelling, level, code)
    return first, whole, after


def _numbered(names: _Names, numbers: dict[str, int]) -> dict[str, int]:
    return {name: numbers[code] for name, code in names.codes().items()}


def _is_wide(code: str) -> bool:
    """A province or a city."""
    return code.endswith("00")


def _starts_under(trie: Trie, codes: list[str], digits: int) -> Numbers:
    """For each code where a walk for the places inside its province or city begins."""
    heads = {code[:digits] for code in codes if code}
    states = {head: trie.state(head) for head in sorted(heads)}
    return np.array([states.get(code[:digits], -1) for code in codes])


def place_heads(codes: Codes, starts: Positions, ends: Positions) -> Placed:
    """Places at the start of each text, up to province, city and district, each inside the one before.

    Something of the text must be left after them.
    """
    places = load_places()
    found = places.first.longest(codes, starts, ends - 1)
    at, code = starts + found.length, np.maximum(found.number, _OPEN)
    for starts_under in (places.in_province, places.in_city):
        found = places.after.longest(codes, at, ends - 1, starts_under[code])
        at = at + found.length
        code = np.where(found.number < 0, code, found.number)
    return Placed(at, code)


def place_tails(codes: Codes, starts: Positions, ends: Positions) -> Placed:
    """A province or city at the end of each text (西门子北京): where it begins, and its code."""
    found = load_places().last.longest(codes, starts, ends)
    return Placed(ends - found.length, np.maximum(found.number, _OPEN))


def places_within(codes: Codes, starts: Positions, ends: Positions) -> Numbers:
    """Code number of slices that are a place as a whole (0 where several are called so); -1 otherwise."""
    found = load_places().whole.longest(codes, starts, ends)
    return np.where((found.length == ends - starts) & (ends > starts), found.number, -1)


def are_places(texts: Texts) -> Flags:
    """True for texts that are a place and nothing else."""
    return places_within(texts.codes, texts.starts, texts.ends) >= 0


def place_codes(numbers: Numbers) -> pa.Array:
    """Codes of numbers; "" for 0."""
    return load_places().codes.take(pa.array(numbers))
