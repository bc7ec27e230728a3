"""Places of China in company names: found by hash lookups on slices, longest first, child after parent."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.slices import heads, tails
from scoring.names.text import fold_names
from scoring.names.words import load_words

_LEVELS = ("province", "city", "district")
_MIN_LENGTH = 2


@dataclass(frozen=True)
class PlaceTable:
    """Keys of one length each, with the code of the place ("" where the name alone does not say which)."""

    by_length: dict[int, tuple[pa.Array, pa.Array]]

    @classmethod
    def of(cls, codes: dict[str, str]) -> "PlaceTable":
        groups: dict[int, list[str]] = defaultdict(list)
        for name in codes:
            groups[len(name)].append(name)
        return cls(
            {n: (pa.array(groups[n]), pa.array([codes[k] for k in groups[n]])) for n in sorted(groups, reverse=True)}
        )

    def find(self, keys: pa.Array, length: int) -> pa.Array:
        """Code of each key of this length; null where it is no place."""
        names, codes = self.by_length[length]
        return codes.take(pc.index_in(keys, names))


@dataclass(frozen=True)
class Places:
    """Places as they stand at the start of a name, inside brackets, and after their parent."""

    first: PlaceTable
    bracketed: PlaceTable
    in_province: PlaceTable
    in_city: PlaceTable


@dataclass(frozen=True)
class Placed:
    """A stem without its places: the rest, the text of the places, the code of the narrowest ("" unknown)."""

    rest: pa.Array
    text: pa.Array
    code: pa.Array


@lru_cache(maxsize=1)
def load_places() -> Places:
    """The tables, from the project's list of GB/T 2260 regions."""
    path = files("scoring") / "values" / "data" / "regions.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    names, shorts = (fold_names([row[column] for row in rows]) for column in ("name", "short_name"))
    ambiguous = set(fold_names(list(load_words().ambiguous_places)))
    first, bracketed, in_province, in_city = _Names(), _Names(), _Names(), _Names()
    for row, name, short in zip(rows, names, shorts, strict=True):
        level, code = _LEVELS.index(row["level"]), row["code"]
        is_urban = level == 2 and name.endswith("区")
        for spelling in {name, short}:
            if len(spelling) < _MIN_LENGTH or (level == 2 and spelling.endswith(("开发区", "园区", "市辖区"))):
                continue
            bracketed.add(spelling, level, code)
            if spelling == name or (spelling not in ambiguous and not is_urban):
                first.add(spelling, level, code)
            if level and not (is_urban and spelling == short):
                in_province.add(code[:2] + spelling, level, code)
                in_city.add(code[:4] + spelling, level, code)
    return Places(*(PlaceTable.of(names.codes()) for names in (first, bracketed, in_province, in_city)))


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


def strip_places(stems: pa.Array) -> Placed:
    """Places at the start of each stem, up to province, city and district, each inside the one before."""
    places = load_places()
    code = pa.nulls(len(stems), pa.string())
    rest, code = _strip_once(stems, places.first, code)
    rest, code = _strip_once(rest, places.in_province, code, parent_digits=2)
    rest, code = _strip_once(rest, places.in_city, code, parent_digits=4)
    cut = pc.subtract(pc.utf8_length(stems), pc.utf8_length(rest))
    return Placed(rest, heads(stems, cut), pc.fill_null(code, ""))


def place_codes(texts: pa.Array) -> pa.Array:
    """Code of texts that are a place as a whole ("" where several are called so); null otherwise."""
    table = load_places().bracketed
    found = pa.nulls(len(texts), pa.string())
    for length in table.by_length:
        found = pc.coalesce(found, table.find(texts, length))
    return found


def strip_trailing_place(cores: pa.Array, min_left: int) -> Placed:
    """A province or city at the end of each core (西门子北京), where at least `min_left` characters stay before it."""
    table = load_places().first
    lengths = pc.utf8_length(cores)
    rest, code = cores, pa.nulls(len(cores), pa.string())
    for length in (n for n in table.by_length if n <= 4):
        hit = table.find(pc.utf8_slice_codeunits(cores, -length), length)
        is_wide = pc.and_(pc.equal(pc.utf8_slice_codeunits(hit, 4), "00"), pc.greater_equal(lengths, length + min_left))
        take = pc.fill_null(pc.and_(is_wide, pc.is_null(code)), False)
        code = pc.if_else(take, hit, code)
        rest = pc.if_else(take, pc.utf8_slice_codeunits(cores, 0, stop=-length), rest)
    return Placed(rest, tails(cores, pc.utf8_length(rest)), code)


def _strip_once(
    stems: pa.Array, table: PlaceTable, code: pa.Array, parent_digits: int = 0
) -> tuple[pa.Array, pa.Array]:
    """One place less at the start of each stem, inside its parent if digits of the code so far are asked for.

    Something of a name must be left after it.
    """
    keyed = stems
    if parent_digits:
        parent = pc.if_else(pc.not_equal(code, ""), pc.utf8_slice_codeunits(code, 0, parent_digits), None)
        keyed = pc.binary_join_element_wise(parent, stems, "")
    lengths = pc.utf8_length(keyed)
    found, cut = pa.nulls(len(stems), pa.string()), pa.array(np.zeros(len(stems), np.int32))
    for length in table.by_length:
        hit = table.find(pc.utf8_slice_codeunits(keyed, 0, length), length)
        take = pc.fill_null(pc.and_(pc.and_(pc.is_valid(hit), pc.is_null(found)), pc.greater(lengths, length)), False)
        found = pc.if_else(take, hit, found)
        cut = pc.if_else(take, pa.scalar(length - parent_digits, pa.int32()), cut)
    return tails(stems, cut), pc.coalesce(found, code)
