"""Dates and times of a cell: many ways of writing, one meaning; what has two meanings is refused."""

from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.text import Values, as_column, clean_text, first_rule, in_order, is_placeholder, is_same_as_above

_NONE: Final = pa.scalar(None, pa.string())
Numbers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
_UNREAD: Final = np.iinfo(np.int64).min
_WITH_TIME: Final = len("2026-03-25 10:05:00")
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_OPEN_ENDED = r"^(长期|永久|无固定期限|长期有效|至今|不限|永续|long ?term|permanent|indefinite)$"
_EMPTY = r"^(0000-0?0-0?0|1900-0?1-0?0|0001-0?1-0?1|9999-12-31|0)( 0?0:00(:00)?)?$"
_ISO = (
    r"^(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?: (?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r" ?(?P<half>am|pm)? ?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?$"
)
# Days since 1899-12-30, the 1900 date system of spreadsheets; 1954 to 2119.
_SERIAL = r"^(?:[2-7]\d{4})(?:\.\d+)?$"


def parse_times(values: Values, timezone: str = "Asia/Shanghai") -> pa.Table:
    """Dates and times: value, occurred_at (UTC), day (in `timezone`), has_time, rule.

    A time without an offset is read in `timezone`; a date alone begins at its midnight there. `1/2/20` and `3/4/2020`
    have two readings and are refused; `13/4/2020` has one. A month or a year alone gives its first day and no time.

    Source: spec 01-inputs (times), catalogue V21, V22.
    """
    column = as_column(values)
    day_number, seconds, has_time = _read_iso(column)
    settled = pa.array(day_number != _UNREAD)
    kept = day_number != _UNREAD
    fine = _of_iso(column.filter(settled), day_number[kept], seconds[kept], has_time[kept], timezone)
    return in_order(settled, fine, _parse_texts(column.filter(pc.invert(settled)), timezone))


def _of_iso(column: pa.Array, days: Numbers, seconds: Numbers, has_time: Flags, timezone: str) -> pa.Table:
    """The rows of values that `_read_iso` settled."""
    local = pd.Series((days * 86_400 + seconds) * 1_000_000).astype("datetime64[us]")
    return pa.table(
        {
            "value": column,
            "occurred_at": pa.array(_in_utc(local, timezone).dt.tz_localize(None), pa.timestamp("us")),
            "day": pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32()),
            "has_time": pa.array(has_time),
            "rule": pa.nulls(len(column), pa.string()),
        }
    )


def _read_iso(column: pa.Array) -> tuple[Numbers, Numbers, Flags]:
    """Days since 1970, seconds of the day and whether there are any, of `2026-03-25` and `2026-03-25 10:05:00`.

    Days are _UNREAD where a value is anything else, or lies outside the years that need no second look.
    """
    days, seconds = np.full(len(column), _UNREAD), np.zeros(len(column), dtype=np.int64)
    has_time = np.zeros(len(column), dtype=bool)
    shaped = pc.match_substring_regex(column, r"^(?:19[1-9]\d|20\d\d)-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d)?$")
    for length in (_WITH_TIME - len(" 10:05:00"), _WITH_TIME):
        rows = np.flatnonzero(_flags(pc.fill_null(pc.and_(shaped, pc.equal(pc.binary_length(column), length)), False)))
        text = "".join(column.take(pa.array(rows)).to_pylist()).encode()
        digits = np.frombuffer(text, dtype=np.uint8).reshape(len(rows), length).astype(np.int64) - ord("0")
        year, month, day = digits[:, :4] @ [1000, 100, 10, 1], digits[:, 5:7] @ [10, 1], digits[:, 8:10] @ [10, 1]
        is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        good = (month >= 1) & (month <= 12) & (day >= 1)
        good &= day <= _MONTH_DAYS[month.clip(0, 12)] + ((month == 2) & is_leap)
        if length == _WITH_TIME:
            hour, minute, second = (digits[:, place : place + 2] @ [10, 1] for place in (11, 14, 17))
            good &= (hour < 24) & (minute < 60) & (second < 60)
            seconds[rows] = hour * 3600 + minute * 60 + second
        months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        days[rows] = np.where(good, months + day - 1, _UNREAD)
        has_time[rows] = length == _WITH_TIME
    return days, seconds, has_time


def _parse_texts(column: pa.Array, timezone: str) -> pa.Table:
    """The same for all other ways of writing."""
    text = pc.utf8_lower(clean_text(column))
    plain = _plain(text)
    serial, epoch = _matches(plain, _SERIAL), _matches(plain, r"^1\d{9}(\d{3})?$")
    iso, month_only, year_only = _completed(plain)
    moments = _moments(iso, timezone)
    moments = moments.where(~_flags(serial), _from_serial(plain, serial, timezone))
    moments = moments.where(~_flags(epoch), _from_epoch(plain, epoch))
    local = moments.dt.tz_convert(ZoneInfo(timezone))
    too_old = (local.dt.year < 1900).to_numpy()
    moments, local = moments.mask(too_old), local.mask(too_old)
    known = pa.array(moments.notna().to_numpy())
    rule = first_rule(
        *_refusals(text, plain, iso, known, pa.array(too_old)),
        ("date-without-month", year_only),
        ("date-without-day", month_only),
        ("date-serial", serial),
        ("date-epoch", epoch),
    )
    coarse = _flags(pc.or_(month_only, year_only))
    has_time = pc.or_(pc.or_(_matches(iso, r" \d{1,2}:"), epoch), _matches(plain, r"^\d{5}\.\d+$"))
    return pa.table(
        {
            "value": column,
            "occurred_at": pa.array(moments.dt.tz_localize(None).mask(coarse), pa.timestamp("us")),
            "day": pa.array(local.dt.date.where(local.notna(), None), pa.date32()),
            "has_time": pc.if_else(known, has_time, pa.scalar(None, pa.bool_())),
            "rule": rule,
        }
    )


def _refusals(
    text: pa.Array, plain: pa.Array, iso: pa.Array, known: pa.Array, too_old: pa.Array
) -> tuple[tuple[str, pa.Array], ...]:
    """Why a text is no date, in the order in which reasons count."""
    unknown = pc.invert(known)
    return (
        ("date-placeholder", pc.or_(is_placeholder(text), is_same_as_above(text))),
        ("date-open-ended", _matches(plain, _OPEN_ENDED)),
        ("date-empty", _matches(plain, _EMPTY)),
        ("date-ambiguous", _matches(iso, r"^\d{1,2}-\d{1,2}-\d{4}")),
        ("date-two-digit-year", _matches(iso, r"^\d{1,2}-\d{1,2}-\d{1,2}( |$)")),
        ("date-before-1900", too_old),
        ("date-impossible", pc.and_(unknown, _matches(iso, _ISO))),
        ("date-unreadable", pc.and_(unknown, pc.is_valid(text))),
    )


def _matches(text: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def _flags(mask: pa.Array) -> Flags:
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool)


def _plain(text: pa.Array) -> pa.Array:
    """One way of writing: `y-m-d h:m:s am +08:00`, Chinese and English words gone."""
    plain = pc.replace_substring_regex(
        text, r"""^=?["']+|["']+$|(星期|周|礼拜)[一二三四五六日天]|^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? """, ""
    )
    for chinese, sign in (("年", "-"), ("月", "-"), ("日", " "), ("号", " "), ("秒", "")):
        plain = pc.replace_substring(plain, chinese, sign)
    plain = pc.replace_substring_regex(plain, r"[时点分](\d)", r":\1")
    plain = pc.replace_substring(pc.replace_substring_regex(plain, r"[时点]整?", ":00"), "分", "")
    plain = pc.replace_substring_regex(plain, r"(上午|凌晨|早上|a\.m\.)\s*(.*)$", r"\2 am")
    plain = pc.replace_substring_regex(plain, r"(下午|晚上|中午|p\.m\.)\s*(.*)$", r"\2 pm")
    plain = pc.replace_substring_regex(plain, r"^(\d{1,4})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{1,4})", r"\1-\2-\3")
    plain = pc.replace_substring_regex(plain, r"^(\d{4})[/.](\d{1,2})$", r"\1-\2")
    plain = pc.replace_substring_regex(plain, r"^(\d{1,4}-\d{1,2}-\d{1,4})(?:\s*[t,]\s*|\s+)(\d)", r"\1 \2")
    named = _matches(plain, r"[a-z]{3}")
    for number, month in enumerate(_MONTHS if pc.any(named).as_py() else [], 1):
        plain = pc.replace_substring_regex(
            plain, rf"^{month}[a-z]*\.?[ -]+(\d{{1,2}})(?:st|nd|rd|th)?,?[ -]+(\d{{4}})", rf"\2-{number}-\1"
        )
        plain = pc.replace_substring_regex(
            plain, rf"^(\d{{1,2}})(?:st|nd|rd|th)?[ -]+{month}[a-z]*\.?,?[ -]+(\d{{4}})", rf"\2-{number}-\1"
        )
    plain = pc.replace_substring_regex(plain, r"\s*:\s*", ":")
    plain = pc.replace_substring_regex(plain, r"[:\s-]+$", "")
    return pc.utf8_trim(pc.replace_substring_regex(plain, r"\s+", " "), " ")


def _completed(plain: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Dates with year first, and which of them lacked a day or a month."""
    month_only, year_only = _matches(plain, r"^(19|20)\d{2}-\d{1,2}$"), _matches(plain, r"^(18|19|20)\d{2}$")
    iso = pc.if_else(month_only, pc.binary_join_element_wise(plain, "1", "-"), plain)
    iso = pc.if_else(year_only, pc.binary_join_element_wise(plain, "1-1", "-"), iso)
    iso = pc.replace_substring_regex(iso, r"^((?:19|20)\d{2})(\d{2})(\d{2})$", r"\1-\2-\3")
    iso = pc.replace_substring_regex(iso, r"^(20\d{2})(\d{2})(\d{2}) ?(\d{2})(\d{2})(\d{2})$", r"\1-\2-\3 \4:\5:\6")
    iso = pc.replace_substring_regex(iso, r"^(1[3-9]|2\d|3[01])-(\d{1,2})-(\d{4})", r"\3-\2-\1")
    iso = pc.replace_substring_regex(iso, r"^(\d{1,2})-(1[3-9]|2\d|3[01])-(\d{4})", r"\3-\1-\2")
    day_first = pc.any(_matches(iso, r"^\d{1,2}-\d{1,2}-\d{4}")).as_py()
    for same in range(1, 13 if day_first else 1):
        iso = pc.replace_substring_regex(iso, rf"^0?{same}-0?{same}-(\d{{4}})", rf"\1-{same}-{same}")
    return iso, month_only, year_only


def _moments(iso: pa.Array, timezone: str) -> pd.Series:
    """The instant of each well-formed text, in UTC; NaT for others and for impossible days."""
    parts = pc.extract_regex(iso, _ISO)
    names = ("year", "month", "day", "hour", "minute", "second", "half", "zone", "fraction")
    part = {
        name: pc.if_else(pc.equal(pc.struct_field(parts, name), ""), _NONE, pc.struct_field(parts, name))
        for name in names
    }
    number = {name: pd.to_numeric(pd.Series(part[name].to_pylist(), dtype=object)) for name in names[:6]}
    hour = number["hour"].fillna(0)
    half = pd.Series(part["half"].to_pylist(), dtype=object)
    hour = hour.where(half.isna() | (hour > 12), hour % 12 + 12 * (half == "pm"))
    whole = pd.DataFrame({name: number[name] for name in ("year", "month", "day")})
    whole = whole.assign(hour=hour, minute=number["minute"].fillna(0), second=number["second"].fillna(0))
    whole = whole.where((whole["hour"] < 24) & (whole["minute"] < 60) & (whole["second"] < 60))
    fraction = pd.to_numeric("0." + pd.Series(part["fraction"].to_pylist(), dtype=object)).fillna(0)
    local = pd.to_datetime(whole, errors="coerce", unit=None) if len(whole) else pd.Series([], dtype="datetime64[us]")
    local = local.astype("datetime64[us]") + pd.to_timedelta((fraction * 1_000_000).round(), unit="us")
    zone = pd.Series(part["zone"].to_pylist(), dtype=object)
    minutes = zone.map(_offset_minutes, na_action="ignore").astype("float64")
    here = _in_utc(local, timezone)
    there = (local - pd.to_timedelta(minutes, unit="min")).dt.tz_localize("UTC")
    return here.where(minutes.isna(), there).astype("datetime64[us, UTC]")


def _in_utc(local: pd.Series, timezone: str) -> pd.Series:
    """Local times as instants; of an hour that comes twice the first, of one that is left out its end."""
    first = np.ones(len(local), dtype=bool)
    aware = local.dt.tz_localize(ZoneInfo(timezone), ambiguous=first, nonexistent="shift_forward")
    return aware.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def _offset_minutes(zone: str) -> int:
    if zone in ("z", "utc", "gmt"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _from_serial(plain: pa.Array, rows: pa.Array, timezone: str) -> pd.Series:
    """Days of the 1900 system as instants; rows that are none are NaT."""
    days = pd.to_numeric(pd.Series(plain.to_pylist(), dtype=object).where(_flags(rows), None))
    local = pd.Timestamp("1899-12-30").as_unit("us") + pd.to_timedelta((days * 86_400).round(), unit="s")
    return _in_utc(local, timezone)


def _from_epoch(plain: pa.Array, rows: pa.Array) -> pd.Series:
    """Seconds or milliseconds since 1970 as instants."""
    numbers = pd.to_numeric(pd.Series(plain.to_pylist(), dtype=object).where(_flags(rows), None))
    seconds = numbers.where(numbers < 1e11, numbers / 1000)
    return pd.to_datetime((seconds * 1_000_000).round(), unit="us", utc=True).astype("datetime64[us, UTC]")
