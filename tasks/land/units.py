"""Units that a header or a title row gives for a whole column: 注册资本(万元), Revenue (USD million), 时长(秒)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.day_order import year_first
from tasks.land.entities import Entity

_IN_BRACKETS = re.compile(r"[(\[【]([^()\[\]【】]{1,30})[)\]】]")
_BEHIND = re.compile(r"(?:[-_/:]|\bin\b|单位[:])\s{0,3}([^\s()].{0,29})$", re.IGNORECASE)
_OF_TABLE = re.compile(
    r"单位\s{0,3}[::]\s{0,3}([^\s,，;；。()]{1,20})|\b(?:unit|amounts in)\s{0,3}[::]?\s{0,3}([\w ]{1,20})",
    re.IGNORECASE,
)
# Words as the parser of amounts takes them behind a number (scoring/values): a scale, a currency, or both.
_SCALE = "万亿|千亿|百亿|十亿|千万|百万|十万|亿|億|万|萬|千|thousand|million|billion|mio|mn|mm|bn|10k|k|m|b"
_CURRENCY = (
    "人民币|人民幣|rmb|cny|¥|美元|美金|usd|us\\$|\\$|港元|港币|hkd|hk\\$|欧元|eur|€|日元|jpy|英镑|gbp|£"
    "|新台币|台币|twd|韩元|krw|新加坡元|sgd|澳元|aud"
)
_MONEY = re.compile(rf"(?P<before>{_CURRENCY})?(?P<scale>{_SCALE})?(?P<yuan>元|圆)?(?P<after>{_CURRENCY})?s?\Z")
_SAME_SCALE = {"10k": "万"}
# Minutes per unit, for columns that count minutes.
_MINUTES = {
    **dict.fromkeys(("秒", "秒钟", "s", "sec", "secs", "second", "seconds"), 1 / 60),
    **dict.fromkeys(("小时", "时", "h", "hr", "hrs", "hour", "hours"), 60.0),
}
# 1 January 1904 is day 1462 of the system that counts from 1900. Source: ECMA-376 part 1, 18.17.4.1.
DAYS_1900_TO_1904 = 1_462
_SERIAL = r"^\d{4,5}(\.\d{1,12})?$"
_BARE_NUMBER = r"^\s*\(?[+-]?[\d][\d,.]*\)?\s*$"
_PLAIN_NUMBER = r"^\s*\d{1,9}(\.\d{1,6})?\s*$"

# What is done to each bare number of a column: a text put behind it, or a factor.
Unit = str | float
DateOrder = Literal["day_first", "month_first"]
_DAY_FIRST: DateOrder = "day_first"
_MONTH_FIRST: DateOrder = "month_first"


def unit_of_header(header: str, kind: str, column: str) -> Unit | None:
    """The unit in a header, for columns that have one: of money (a suffix), of minutes (a factor)."""
    text = unicodedata.normalize("NFKC", header)
    found = [*_IN_BRACKETS.findall(text), *_BEHIND.findall(text)]
    units = [unit for unit in (_unit(word, kind, column) for word in found) if unit is not None]
    return units[0] if units else None


def _unit(word: str, kind: str, column: str) -> Unit | None:
    if kind == "amount":
        return money_suffix(word)
    return _MINUTES.get(word.strip().lower()) if column == "minutes" else None


def money_suffix(word: str) -> str | None:
    """A unit of money as a number bears it behind itself: `万元`, `million USD`; None where it is none."""
    plain = re.sub(r"[\s,/_-]|单位[::]", "", unicodedata.normalize("NFKC", word)).lower()
    found = _MONEY.match(plain)
    if not plain or found is None or not any(found.groups()):
        return None
    scale = _SAME_SCALE.get(found["scale"] or "", found["scale"] or "")
    currency = found["before"] or found["after"] or ""
    return scale + (currency or found["yuan"] or "")


def unit_of_table(cells: Sequence[str | None]) -> str | None:
    """The unit of money that a title row gives for the whole table: `单位：万元`."""
    for cell in cells:
        found = _OF_TABLE.search(unicodedata.normalize("NFKC", cell[:200])) if cell else None
        suffix = money_suffix(found.group(1) or found.group(2)) if found else None
        if suffix:
            return suffix
    return None


def units_of(entity: Entity, headers: Mapping[str, str], of_table: str | None) -> dict[str, Unit]:
    """Canonical column → unit, from each column's header, else for money from the table's title."""
    found: dict[str, Unit] = {}
    for column in entity.columns:
        if column.name not in headers or column.type not in ("amount", "number"):
            continue
        unit = unit_of_header(headers[column.name], column.type, column.name)
        if unit is None and column.type == "amount":
            unit = of_table
        if unit is not None:
            found[column.name] = unit
    return found


def date_orders(entity: Entity, headers: Mapping[str, str], order: DateOrder | None) -> dict[str, Unit]:
    """Canonical column of days or times → the order in which its source writes them; nothing where none is set."""
    days = [column.name for column in entity.columns if column.type in ("date", "time") and column.name in headers]
    return dict.fromkeys(days, order) if order else {}


def with_units(columns: list[pa.Array], units: Mapping[int, Unit]) -> list[pa.Array]:
    """The columns with each bare number bearing its unit; cells that say a unit themselves stay as they are."""
    return [_with_unit(column, units[place]) if place in units else column for place, column in enumerate(columns)]


def with_serials_of_1904(columns: list[pa.Array], places: Sequence[int]) -> list[pa.Array]:
    """The columns with each bare serial number of a day, as a workbook counting from 1904 has it, counted from 1900."""
    return [_from_1900(column) if place in places else column for place, column in enumerate(columns)]


def _from_1900(column: pa.Array) -> pa.Array:
    is_serial = pc.fill_null(pc.match_substring_regex(column, _SERIAL), False)
    whole = pc.cast(pc.if_else(is_serial, pc.replace_substring_regex(column, r"\D.*$", ""), None), pa.int64())
    rest = pc.replace_substring_regex(column, r"^\d+", "")
    moved = pc.binary_join_element_wise(pc.cast(pc.add(whole, DAYS_1900_TO_1904), pa.string()), rest, "")
    return pc.if_else(is_serial, moved, column)


def with_offsets(columns: list[pa.Array], places: Sequence[int], timezone: str) -> list[pa.Array]:
    """The columns with each time of day that was written in `timezone` without an offset as one of UTC."""
    return [_in_utc(column, timezone) if place in places else column for place, column in enumerate(columns)]


def _in_utc(column: pa.Array, timezone: str) -> pa.Array:
    from scoring.values.times import parse_times  # pandas is loaded only where a source has a zone of its own

    distinct = pc.drop_null(pc.unique(column))
    read = parse_times(distinct, timezone)
    is_moment = pc.and_(pc.fill_null(read["has_time"], False), pc.is_valid(read["occurred_at"]))
    seconds = pc.cast(read["occurred_at"], pa.timestamp("s"), safe=False)
    text = pc.binary_join_element_wise(pc.strftime(seconds, "%Y-%m-%d %H:%M:%S"), " +00:00", "")
    written = pc.if_else(is_moment, text, distinct)
    return pc.take(written, pc.index_in(column, distinct)).combine_chunks() if len(distinct) else column


def _with_unit(column: pa.Array, unit: Unit) -> pa.Array:
    if unit in (_DAY_FIRST, _MONTH_FIRST):
        return year_first(column, is_day_first=unit == _DAY_FIRST)
    if isinstance(unit, str):
        is_bare = pc.fill_null(pc.match_substring_regex(column, _BARE_NUMBER), False)
        return pc.if_else(is_bare, pc.binary_join_element_wise(pc.utf8_trim_whitespace(column), unit, ""), column)
    is_plain = pc.fill_null(pc.match_substring_regex(column, _PLAIN_NUMBER), False)
    numbers = pc.cast(pc.if_else(is_plain, pc.utf8_trim_whitespace(column), None), pa.float64())
    return pc.if_else(is_plain, pc.cast(pc.round(pc.multiply(numbers, unit), 4), pa.string()), column)
