"""Places of China in company names: the longest one first, then child after parent."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pyarrow as pa

from scoring.names.buffers import Codes, Flags, Positions, Texts, is_one_of
from scoring.names.text import fold_names
from scoring.names.tries import Numbers, Trie
from scoring.names.words import load_words

_LEVELS = ("province", "city", "district")
_MIN_LENGTH = 2
_SHORTEST_FORMER = 3  # characters: 郊区 and 城区 were districts of many cities
_MUNICIPALITIES = ("11", "12", "31", "50")  # provinces that are cities
_LAST_YEAR = 9999  # the later a name was in force, the nearer to those in force it ranks
_LONGEST_LAST = 4  # characters: of a place at the end of a core
_COUNTRY = "中国"  # a place in brackets, without a code
_SIDES = "东西南北中"
_STREET, _NO_STREET = 0, 1
_FULL_ENDINGS = "省市县区州盟旗"
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
    urban: Trie
    urban_in: Numbers
    provinces: Numbers
    is_wide: Flags


@dataclass(frozen=True)
class Placed:
    """Where the places of each text end, and the number of the narrowest's code (0 unknown)."""

    ends: Positions
    code: Numbers


@lru_cache(maxsize=1)
def load_places() -> Places:
    """The tables, from the project's list of GB/T 2260 regions."""
    rows = _read("regions.csv")
    codes = ["", *sorted({row["code"] for row in rows})]
    numbers = {code: number for number, code in enumerate(codes)}
    first, whole, after, urban = (_numbered(names, numbers) for names in _spellings(rows))
    whole[_COUNTRY] = _OPEN
    last = {name: number for name, number in first.items() if len(name) <= _LONGEST_LAST and _is_wide(codes[number])}
    under, districts = Trie.forward(after), Trie.forward(urban)
    return Places(
        codes=pa.array(codes),
        first=Trie.forward(first),
        after=under,
        whole=Trie.forward(whole),
        last=Trie.backward(last),
        in_province=_starts_under(under, codes, 2),
        in_city=_starts_under(under, codes, 4),
        urban=districts,
        urban_in=np.maximum(_starts_under(districts, codes, 2), _starts_under(districts, codes, 4)),
        provinces=np.array([int(code[:2] or 0) for code in codes]),
        is_wide=np.array([_is_wide(code) for code in codes]),
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


def _spellings(rows: list[dict[str, str]]) -> tuple[_Names, ...]:
    """(names at the start, names that stand alone, names after the digits of their parent, short names of urban
    districts after those of their city).
    """
    names, shorts = (fold_names([row[column] for row in rows]) for column in ("name", "short_name"))
    ambiguous = set(fold_names(list(load_words().ambiguous_places)))
    known = set(fold_names(list(load_words().known_districts)))
    first, whole, after, urban = _Names(), _Names(), _Names(), _Names()
    for row, name, short in zip(rows, names, shorts, strict=True):
        level, code = _LEVELS.index(row["level"]), row["code"]
        is_urban = level == 2 and name.endswith("区")
        for spelling in _writings(name, short):
            if len(spelling) < _MIN_LENGTH or (level == 2 and spelling.endswith(("开发区", "园区", "市辖区"))):
                continue
            whole.add(spelling, level, code)
            if (
                spelling != short
                or spelling == name
                or (spelling not in ambiguous and (not is_urban or spelling in known))
            ):
                first.add(spelling, level, code)
            if level and not (is_urban and spelling == short):
                after.add(code[:2] + spelling, level, code)
                after.add(code[:4] + spelling, level, code)
            elif level:
                urban.add(code[: 2 if code.startswith(_MUNICIPALITIES) else 4] + spelling, level, code)
    _add_others(first, whole, after)
    return first, whole, after, urban


def _writings(name: str, short: str) -> set[str]:
    """Full and short name, and the short one of an autonomous county or prefecture with 县 or 州."""
    shorter = {short + ending[-1] for ending in ("自治县", "自治州") if name.endswith(ending) and len(short) > 1}
    return {name, short} | shorter


def _add_others(first: _Names, whole: _Names, after: _Names) -> None:
    """Nicknames, and full names that are no longer in force, the latest of one name; they yield to those in force."""
    others = [(name, code, len(_LEVELS)) for name, code in load_words().place_nicknames.items()]
    others += [
        (row["name"], row["now_code"], _LAST_YEAR - int(row["until_year"]))
        for row in _read("former_regions.csv")
        if row["now_code"] and len(row["name"]) >= _SHORTEST_FORMER
    ]
    for name, (_, code, rank) in zip(fold_names([name for name, _, _ in others]), others, strict=True):
        for names, spelling in ((first, name), (whole, name), (after, code[:2] + name), (after, code[:4] + name)):
            names.add(spelling, rank, code)


def _read(file_name: str) -> list[dict[str, str]]:
    path = files("scoring") / "values" / "data" / file_name
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


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

    Something of the text must be left after them. A short name that begins another name (南京西路) is no place.
    """
    places = load_places()
    found = places.first.longest(codes, starts, ends - 1)
    at, code = starts + found.length, np.maximum(found.number, _OPEN)
    is_landmark = _begins_more(codes, starts, at, ends, _landmarks())
    at, code = np.where(is_landmark, starts, at), np.where(is_landmark, _OPEN, code)
    for starts_under in (places.in_province, places.in_city):
        found = places.after.longest(codes, at, ends - 1, starts_under[code])
        is_place = (found.length > 0) & ~_begins_more(codes, at, at + found.length, ends, _towns())
        at, code = np.where(is_place, at + found.length, at), np.where(is_place, found.number, code)
    return Placed(at, code)


def _begins_more(codes: Codes, starts: Positions, at: Positions, ends: Positions, behind: Trie) -> Flags:
    """Short names of places, from `starts` to `at`, that only begin another name, by what stands behind them."""
    is_short = ~is_one_of(np.append(codes, 0)[at - 1], _FULL_ENDINGS)
    begins: Flags = is_short & (at > starts) & (behind.longest(codes, at, ends).number == _STREET)
    return begins


def branch_places(codes: Codes, starts: Positions, ends: Positions, head: Numbers, is_sure: Flags) -> Placed:
    """Places at the start of branches of companies whose own place has the code of number `head`.

    Places near the company come first. One in another province counts for sure branches (分公司), in its full name, or
    if it is a city and the company not that of a county: 三河 is a town of many counties. A street is no place.
    """
    places = load_places()
    far = with_urban(place_heads(codes, starts, ends), codes, ends)
    near = places.after.longest(codes, starts, ends - 1, places.in_province[head])
    urban = places.urban.longest(codes, starts, ends - 1, places.urban_in[head])
    length = np.maximum(near.length, urban.length)
    near_code = np.maximum(np.where(near.length >= urban.length, near.number, urban.number), _OPEN)
    is_far = (head > _OPEN) & (places.provinces[far.code] != places.provinces[head])
    is_near = is_far & (length > 0)
    is_full = is_one_of(np.append(codes, 0)[far.ends - 1], _FULL_ENDINGS)
    counts = is_sure | is_full | (places.is_wide[far.code] & places.is_wide[head])
    found_ends = np.select([is_near, is_far & ~counts], [starts + length, starts], far.ends)
    code = np.select([is_near, is_far & ~counts], [near_code, _OPEN], far.code)
    is_street = (found_ends > starts) & (_streets().longest(codes, found_ends, ends).number == _STREET)
    return Placed(np.where(is_street, starts, found_ends), np.where(is_street, _OPEN, code))


@lru_cache(maxsize=1)
def _streets() -> Trie:
    streets = {side + kind: _STREET for side in ("", *_SIDES) for kind in ("路", "街", "巷", "弄", "大道", "大街")}
    return Trie.forward(streets | {"路桥": _NO_STREET})


@lru_cache(maxsize=1)
def _landmarks() -> Trie:
    """What makes a place the beginning of another name: 南京西路, 上海滩, 北京大学."""
    streets = {side + kind: _STREET for side in _SIDES for kind in ("路", "街", "大街")}
    return Trie.forward(streets | {"滩": _STREET, "大学": _STREET, "大学生": _NO_STREET})


@lru_cache(maxsize=1)
def _towns() -> Trie:
    """What makes the name of a county that of a town or village in it: 尼木县尼木乡."""
    return Trie.forward({"乡": _STREET, "镇": _STREET, "村": _STREET, "乡宁": _NO_STREET, "乡村": _NO_STREET})


def with_urban(placed: Placed, codes: Codes, ends: Positions) -> Placed:
    """The same with the short name of an urban district behind its city (宁波鄞州…), where something is left."""
    places = load_places()
    found = places.urban.longest(codes, placed.ends, ends - 1, places.urban_in[placed.code])
    return Placed(placed.ends + found.length, np.where(found.length > 0, found.number, placed.code))


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
