"""Places as GB/T 2260 codes of province, city and district, from the fields or from the head of an address."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import opencc
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.sensitive import is_sensitive
from scoring.values.tables import load_csv, load_yaml
from scoring.values.text import PLACEHOLDERS, Values, as_column, clean_text, first_rule, is_placeholder, squeezed

_NONE = pa.scalar(None, pa.string())
_LEVELS = ("province", "city", "district")
_MUNICIPALITIES = ("110000", "120000", "310000", "500000")
_FIELDS = ["province_code", "city_code", "district_code", "province", "city", "district"]


@dataclass(frozen=True)
class Place:
    """A division in force; `names` are the ways to write it, the full one first, the short one second."""

    code: str
    level: str
    parent_code: str
    names: tuple[str, ...]
    shown: str


@cache
def places() -> dict[str, Place]:
    """The divisions in force by code."""
    return {
        row["code"]: Place(
            row["code"],
            row["level"],
            row["parent_code"],
            tuple(_spellings(row)),
            row["city"] if row["level"] == "city" else row["name"],
        )
        for row in load_csv("regions")
    }


def _spellings(row: dict[str, str]) -> Iterator[str]:
    yield row["name"]
    yield row["short_name"]
    if row["name"].endswith("自治州"):
        yield row["short_name"] + "州"
    if row["level"] == "city" and not row["name"].endswith("市"):
        yield row["short_name"] + "市"
    yield from (name for name, code in load_yaml("places")["provinces"].items() if code == row["code"])


def _parents(code: str) -> list[Place]:
    """Province and, for a district, city."""
    above = []
    while code := places()[code].parent_code:
        above.append(places()[code])
    return above[::-1]


def _heads(parents: list[Place]) -> Iterator[str]:
    """What may stand before a division's name: each parent written in any way, or left out."""
    heads = [""]
    for parent in parents:
        heads = [head + name for head in heads for name in ("", *parent.names)]
    return iter(dict.fromkeys(heads))


def _writings() -> Iterator[tuple[str, str, str, bool, tuple[int, int]]]:
    """(head, name, code, is a full name, rank) of every way to write every division, former ones last."""
    for place in places().values():
        rank = (_LEVELS.index(place.level), 0)
        for head in _heads(_parents(place.code)):
            for name in place.names:
                yield head, name, place.code, name == place.names[0], rank
    for old in load_csv("former_regions"):
        now = places().get(old["now_code"])
        if now is not None:
            rank = (3 + _LEVELS.index(old["level"]), -int(old["until_year"]))
            above = _parents(now.code) if now.level != "city" or old["level"] == "city" else [*_parents(now.code), now]
            for head in _heads(above):
                yield head, old["name"], now.code, True, rank
                yield head, old["short_name"], now.code, False, rank


def _unambiguous(writings: Iterable[tuple[str, str, tuple[int, int]]]) -> dict[str, str]:
    """text → code of the highest level that fits, in force before former, late before early; "" where several do."""
    found: dict[str, tuple[tuple[int, int], str]] = {}
    for text, code, rank in writings:
        best = found.get(text)
        if best is None or rank < best[0]:
            found[text] = (rank, code)
        elif rank == best[0] and code != best[1]:
            found[text] = (rank, "")
    return {text: code for text, (_, code) in found.items()}


@cache
def _whole() -> dict[str, str]:
    """Texts that are nothing but a place (深圳, 广东深圳, 310115) → code."""
    codes = {code: code for code in places()}
    old = {row["code"]: row["now_code"] for row in load_csv("former_regions") if row["now_code"]}
    return old | codes | _unambiguous((head + name, code, rank) for head, name, code, _, rank in _writings())


@cache
def _beginnings() -> dict[int, dict[str, str]]:
    """Length → beginnings of addresses of that length → code.

    A short name counts only after its province and never for a district: 海南路 is no province, 朝阳路 no district.
    """
    firm = (
        (head + name, code, rank)
        for head, name, code, full, rank in _writings()
        if full or (head and rank[0] in (1, 4))
    )
    by_length: dict[int, dict[str, str]] = defaultdict(dict)
    for text, code in _unambiguous(firm).items():
        by_length[len(text)][text] = code
    return dict(sorted(by_length.items(), reverse=True))


def _table(values: pa.Array, codes: pa.Array, rule: pa.Array) -> pa.Table:
    """The codes and names of all levels for the narrowest code of each row ("" and null: none)."""
    distinct = codes.dictionary_encode()
    rows = [_fields(code) for code in distinct.dictionary.to_pylist()]
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()).take(distinct.indices) for name in _FIELDS}
    return pa.table({"value": values, **columns, "rule": rule})


@cache
def _fields(code: str | None) -> dict[str, str]:
    if not code:
        return {}
    if code in _MUNICIPALITIES:  # province and city in one
        code = code[:2] + "0100"
    chain = [*_parents(code), places()[code]]
    return {f"{p.level}_code": p.code for p in chain} | {p.level: p.shown for p in chain}


def parse_places(values: Values) -> pa.Table:
    """Province, city and district fields, joined by `|`: value, the six codes and names, rule.

    Full and short names, former names, codes, one level's name in another's column, several levels in one column and
    traditional characters are understood. Fields that contradict one another give no code. What is not in China keeps
    its text and has no code.

    Source: spec 02-directory (region), catalogue V26.
    """
    column = as_column(values)
    simplified = opencc.OpenCC("t2s").convert("\n".join((clean or "") for clean in clean_text(column).to_pylist()))
    judged = [_judge(text) for text in (simplified.split("\n") if len(column) else [])]
    codes = pa.array([code for code, _ in judged], pa.string())
    return _table(column, codes, pa.array([rule for _, rule in judged], pa.string()))


@cache
def _towns_only() -> frozenset[str]:
    """The cities that have no districts: below 东莞市 come towns, which GB/T 2260 does not number."""
    divided = {place.parent_code for place in places().values()}
    return frozenset(place.code for place in places().values() if place.level == "city" and place.code not in divided)


def _judge(text: str) -> tuple[str | None, str | None]:
    """Code and rule of one `province|city|district`."""
    parts = [part.replace(" ", "") for part in text.split("|")]
    parts = ["" if part.lower() in PLACEHOLDERS or part in ("市辖区", "县", "全国", "中国") else part for part in parts]
    given = [part for part in parts if part]
    if not given or (
        not any("\u4e00" <= char <= "\u9fff" for part in given for char in part) and not any(map(str.isdigit, given))
    ):
        return None, None
    known = [_whole().get(part, "") for part in given]
    if all(part.isdigit() for part in given):
        return (known[-1], None) if known[-1] else (None, "place-unknown")
    code = _whole().get("".join(given)) or _whole().get("".join(dict.fromkeys(given)))
    if code:
        return code, None
    provinces = {code[:2] for code in known if code}
    if len(provinces) > 1:
        return None, "place-conflict"
    for size in range(len(given), 0, -1):
        for part in ("".join(given[:size]), *given[:size][::-1]):
            if code := _whole().get(part):
                return code, None if code in _towns_only() else "place-partly-known"
    ambiguous = any(part in _whole() for part in given)
    return None, "place-ambiguous" if ambiguous else "place-unknown"


def parse_addresses(values: Values) -> pa.Table:
    """Addresses: value, address (clean text), the six codes and names of the place it begins with, rule.

    Bulk: one hash lookup per length of beginning. An address that begins with no place has no codes and no rule.
    """
    column = as_column(values)
    text = clean_text(column)
    nothing = is_placeholder(text)
    head = pc.utf8_slice_codeunits(
        pc.replace_substring_regex(text, r"[\s,，、·。.-]|^\d{6}|^(中华人民共和国|中国)|\(|\)", ""), 0, 40
    )
    head = pc.replace_substring_regex(head, r"^(中华人民共和国|中国)", "")
    codes = _codes_of_heads(head)
    codes = pc.if_else(pc.or_(nothing, pc.equal(codes, "")), _NONE, codes)
    sensitive = is_sensitive(text)
    address = pc.if_else(pc.or_(nothing, sensitive), _NONE, text)
    table = _table(column, codes, first_rule(("text-placeholder", nothing), ("text-sensitive", sensitive)))
    return table.add_column(1, "address", address)


def _codes_of_heads(heads: pa.Array) -> pa.Array:
    """The code of the longest beginning that is a place; each length looks only at what longer ones left open."""
    places_found = np.full(len(heads), -1, dtype=np.int64)
    rows, start = np.arange(len(heads)), 0
    for length, beginnings in _beginnings().items():
        found = pc.index_in(pc.utf8_slice_codeunits(heads, 0, length), pa.array(list(beginnings)))
        is_hit = found.is_valid().to_numpy(zero_copy_only=False)
        places_found[rows[is_hit]] = found.drop_null().to_numpy() + start
        rows, heads = rows[~is_hit], heads.filter(pa.array(~is_hit))
        start += len(beginnings)
    codes = pa.array([code for beginnings in _beginnings().values() for code in beginnings.values()])
    return codes.take(pa.array(places_found, mask=places_found < 0))


@cache
def _countries() -> dict[str, str]:
    """Names in Chinese, English and other languages, ISO codes, aliases (lower case, without spaces) → ISO code."""
    found = {name: row["code"] for row in load_csv("country_names") for name in row["names"].split("|")}
    forms = load_yaml("places")["country_forms"]
    for row in load_csv("countries"):
        names = row["names"].split("|")
        long = (before + name for name in names if name.isascii() for before in forms)
        found |= dict.fromkeys((row["code"].lower(), *long, *names), row["code"])
    found |= load_yaml("places")["countries"]
    return found


def parse_countries(values: Values) -> pa.Table:
    """Countries: value, country (ISO 3166 alpha-2; the text as given where unknown), rule."""
    column = as_column(values)
    text = clean_text(column)
    nothing = is_placeholder(text)
    names = _countries()
    code = pa.array(list(names.values())).take(pc.index_in(squeezed(text), pa.array(list(names))))
    unknown = pc.and_(pc.is_null(code), pc.and_(pc.is_valid(text), pc.invert(nothing)))
    country = pc.if_else(nothing, _NONE, pc.coalesce(code, text))
    rule = first_rule(("text-placeholder", nothing), ("country-unknown", unknown))
    return pa.table({"value": column, "country": country, "rule": rule})


def area_codes() -> pa.Table:
    """city_code, area_code (without its zero) of the mainland cities that have just one."""
    frame = pd.DataFrame(load_csv("area_codes"))
    return pa.Table.from_pandas(frame[~frame["city_code"].duplicated(keep=False)], preserve_index=False)


def region_table() -> pa.Table:
    """code and, for every division in force, the codes and names of all its levels."""
    codes = pa.array(list(places()), pa.string())
    return (
        _table(codes, codes, pa.nulls(len(codes), pa.string())).rename_columns(["code", *_FIELDS, "rule"]).drop("rule")
    )
