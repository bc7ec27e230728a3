"""Telephone numbers of a cell as E.164: several in a cell, spreadsheet damage, and what is no phone."""

from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.cells import BREAK, join_cells, split_cells
from scoring.values.text import Values, as_column, clean_text, first_rule, in_order, is_placeholder, is_same_as_above

_NONE: Final = pa.scalar(None, pa.string())
_SEPARATORS = r"[;；、，,|\n\r]+|\s*/\s*|\s{2,}"
# A space parts two numbers only before a mobile; 或 and 和 do between digits. Each match ends within a number.
_WEAK_SEPARATORS = ((r"(\d{5})\s+(1[3-9]\d{9})", 2), (r"(\d)\s*[或和]\s*(\d)", 1))
_EXTENSION = r"(?i)\s*(转|轉|分机|分機|内线|ext\.?|extension|x|#)\s*[:：]?\s*\d{1,6}\s*$"
_LABEL = r"(?i)^(电话|手机|座机|固话|联系电话|手机号|tel|mobile|phone|cell|call|m|t)\s*[.:：]\s*"
_MOBILE = r"^1[3-9]\d{9}$"
# Numbers of virtual operators; they ring, but change hands fast.
_VIRTUAL = r"^(16[257]|17[01])\d{8}$"
_IOT = r"^(14[0148]|106[4-7])\d{7,10}$"
_LANDLINE = r"^0(10|2\d|[3-9]\d{2})[2-9]\d{6,7}$"
_LOST_ZERO = r"^(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7}$"
# One digit to the end, or a run up or down of eight (catalogue V07).
_FAKE = "|".join([*(rf"{d}{{7,}}$" for d in range(10)), "(12345678|23456789|01234567|87654321|98765432)$"])
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९", "0123456789" * 3)


def parse_phones(values: Values, country: str = "CN") -> pa.Table:
    """Phones of cells: value, country, e164s (in order, distinct), mobile and phone (the first of each),
    mobile_country, kind (of the first), national, rule.

    `country` (ISO 3166, two letters) says how numbers without a country code are read. `kind` is mobile, virtual,
    landline, service (400/800), short (95xxx, 110), iot, foreign, local, masked or invalid. `national` holds the digits
    of a Chinese landline that lacks its area code or the area code's zero: only a row's city can settle those.
    `mobile_country` (ISO 3166) is the country the mobile number is one of.

    Source: spec 02-directory (phones), catalogue V01-V07.
    """
    column = as_column(values)
    plain = _plain_numbers(column) if country == "CN" else pa.nulls(len(column), pa.string())
    settled = pc.is_valid(plain)
    fine = _of_plain(column.filter(settled), plain.filter(settled), country)
    return in_order(settled, fine, _parse_cells(column.filter(pc.invert(settled)), country))


def _plain_numbers(column: pa.Array) -> pa.Array:
    """E.164 of cells that hold just one mainland mobile or landline as people write it; null for all others."""
    number = pc.replace_substring_regex(column, r"^(\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})$", r"+86\2\3\4")
    number = pc.replace_substring_regex(number, r"^0(10|2\d|[3-9]\d{2})-?([2-9]\d{6,7})$", r"+86\1\2")
    good = pc.match_substring_regex(number, r"^\+86(?:1[3-9]\d{9}|(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7})$")
    real = pc.invert(pc.match_substring_regex(number, rf"{_FAKE}|^\+8614[0148]"))
    return pc.if_else(pc.fill_null(pc.and_(good, real), False), number, _NONE)


def _of_plain(column: pa.Array, number: pa.Array, country: str) -> pa.Table:
    """The rows of cells that `_plain_numbers` settled."""
    is_mobile = pc.match_substring_regex(number, r"^\+861[3-9]\d{9}$")
    is_virtual = pc.match_substring_regex(number, r"^\+86(16[257]|17[01])\d{8}$")
    kind = pc.if_else(is_virtual, "virtual", pc.if_else(is_mobile, "mobile", "landline"))
    nothing = pa.nulls(len(column), pa.string())
    return pa.table(
        {
            "value": column,
            "country": pa.repeat(pa.scalar(country), len(column)),
            "e164s": pa.ListArray.from_arrays(pa.array(range(len(column) + 1), pa.int32()), number),
            "mobile": pc.if_else(is_mobile, number, _NONE),
            "mobile_country": pc.if_else(is_mobile, pa.scalar("CN"), _NONE),
            "phone": number,
            "kind": kind,
            "national": nothing,
            "rule": nothing,
        }
    )


def _parse_cells(column: pa.Array, country: str) -> pa.Table:
    """The same for cells that need taking apart."""
    cleaned = _translated(clean_text(column))
    text = pc.replace_substring_regex(cleaned, r"""^=?\s*["'`’]+\s*(.*?)\s*["'`’]*$""", r"\1")
    wrapped = pc.or_(pc.not_equal(text, cleaned), pc.match_substring_regex(column, r"\d\t$"))
    pieces, rows = split_cells(_parted(text))
    parsed = _parse_pieces(pieces, country)
    cells, e164s = join_cells(parsed, rows, "e164", "phone-part-refused", len(column))
    mobiles, _ = join_cells(parsed, rows, "mobile", "phone-part-refused", len(column))
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    unwrapped = pc.and_(pc.is_null(cells["rule"].combine_chunks()), pc.fill_null(wrapped, False))
    rule = pc.if_else(unwrapped, "phone-spreadsheet", cells["rule"].combine_chunks())
    found = {name: pc.if_else(nothing, _NONE, cells[name].combine_chunks()) for name in ("kind", "national")}
    return pa.table(
        {
            "value": column,
            "country": pa.repeat(pa.scalar(country), len(column)),
            "e164s": e164s,
            "mobile": mobiles["mobile"],
            "mobile_country": mobiles["mobile_country"],
            "phone": cells["e164"],
            **found,
            "rule": pc.if_else(nothing, "phone-placeholder", rule),
        }
    )


def _parted(text: pa.Array) -> pa.Array:
    """Cells with a BREAK in the place of every separator."""
    text = pc.replace_substring_regex(text, _SEPARATORS, BREAK)
    for separator, times in _WEAK_SEPARATORS:
        for _ in range(times):
            text = pc.replace_substring_regex(text, separator, rf"\1{BREAK}\2")
    return text


def _translated(text: pa.Array) -> pa.Array:
    """Arabic-Indic and Devanagari digits as ASCII ones (NFKC leaves them)."""
    foreign = pc.match_substring_regex(text, "[٠-٩۰-۹०-९]")
    if not pc.any(foreign).as_py():
        return text
    return pa.array([t.translate(_DIGITS) if t else t for t in text.to_pylist()], pa.string())


def _parse_pieces(pieces: pa.Array, country: str) -> pa.Table:
    """One number each: e164, mobile, mobile_country, kind, national, rule."""
    text = pc.replace_substring_regex(pieces, _LABEL, "")
    text = pc.replace_substring_regex(text, _EXTENSION, "")
    text = pc.replace_substring_regex(text, r"^([\d(][\d() -]{6,}\d)-\d{1,4}$", r"\1")
    lost = pc.match_substring_regex(text, r"^\d(\.\d+)?[eE]\+?\d+$")
    masked = pc.match_substring_regex(text, r"\d[*xX＊•]{2,}\d|\d[*＊]{2,}")
    spreadsheet = pc.match_substring_regex(text, r"^\d{7,}\.0+$")
    text = pc.replace_substring_regex(text, r"^(\d{7,})\.0+$", r"\1")
    letters = pc.match_substring_regex(text, r"^[\dOolI +()-]{7,}$")
    read = pc.replace_substring_regex(pc.replace_substring_regex(text, "[Oo]", "0"), "[lI]", "1")
    wrong_letters = pc.and_(letters, pc.not_equal(read, text))
    text = pc.if_else(wrong_letters, read, text)
    digits = _digits(text, country)
    number = _of_china(digits) if country == "CN" else pa.nulls(len(digits), pa.string())
    kind = _kind_in_china(digits) if country == "CN" else pa.nulls(len(digits), pa.string())
    fake = pc.match_substring_regex(pc.replace_substring_regex(digits, r"^\+?86", ""), _FAKE)
    fake = pc.or_(fake, pc.match_substring_regex(digits, r"^1?(12345|11111|00000)\d*$"))
    refused = pc.or_(pc.or_(lost, masked), fake)
    open_ones = pc.and_(pc.is_null(number), pc.and_(pc.is_null(kind), pc.invert(refused)))
    number, kind = _of_the_world(text, open_ones, number, kind, country)
    number = pc.if_else(refused, _NONE, number)
    local = pc.equal(kind, "local")
    rule = first_rule(
        ("phone-scientific", lost),
        ("phone-masked", masked),
        ("phone-fake", fake),
        ("phone-lost-zero", pc.and_(local, pc.greater(pc.utf8_length(digits), 8))),
        ("phone-no-area", local),
        ("phone-unreachable", pc.is_in(kind, pa.array(["short", "iot"]))),
        ("phone-invalid", pc.is_null(number)),
        ("phone-letters", wrong_letters),
        ("phone-spreadsheet", spreadsheet),
    )
    kind = pc.if_else(masked, "masked", pc.if_else(pc.or_(lost, fake), "invalid", pc.fill_null(kind, "invalid")))
    national = pc.if_else(pc.and_(local, pc.invert(refused)), digits, _NONE)
    is_mobile = pc.is_in(kind, pa.array(["mobile", "virtual", "foreign"]))
    mobile = pc.if_else(is_mobile, number, _NONE)
    found = {"e164": number, "mobile": mobile, "mobile_country": _countries(mobile)}
    return pa.table({**found, "kind": kind, "national": national, "rule": rule})


def _countries(numbers: pa.Array) -> pa.Array:
    """The country (ISO 3166) of E.164 numbers: of the mainland by rule, of others by libphonenumber, one by one."""
    mainland = pc.if_else(pc.starts_with(numbers, "+86"), pa.scalar("CN"), _NONE)
    others = pc.and_(pc.is_valid(numbers), pc.is_null(mainland))
    found = [country_of_number(one) for one in numbers.filter(others).to_pylist()]
    return pc.replace_with_mask(mainland, others, pa.array(found, pa.string()))


@lru_cache(maxsize=1 << 16)
def country_of_number(number: str) -> str | None:
    """The country (ISO 3166) that an E.164 number is one of; None for numbers of no country and of nobody."""
    if number.startswith("+86"):
        return "CN"
    import phonenumbers

    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None
    return country if country and country.isalpha() else None


def _digits(text: pa.Array, country: str) -> pa.Array:
    """A number without spaces and signs; in China without the country's code, and mobiles without a leading zero."""
    digits = pc.replace_substring_regex(text, r"[\s().·_–—-]", "")
    if country != "CN":
        return digits
    digits = pc.replace_substring_regex(digits, r"^(\+86|0086|86)(1[3-9]\d{9}|[48]00\d{7}|0\d{9,11})$", r"\2")
    digits = pc.replace_substring_regex(digits, rf"^(\+86|0086|86)({_LOST_ZERO[1:-1]})$", r"0\2")
    return pc.replace_substring_regex(digits, r"^0(1[3-9]\d{9})$", r"\1")


def _of_china(digits: pa.Array) -> pa.Array:
    """E.164 of mainland numbers that are complete; null for others."""
    mobile = pc.and_(pc.match_substring_regex(digits, _MOBILE), pc.invert(pc.match_substring_regex(digits, _IOT)))
    service = pc.match_substring_regex(digits, r"^[48]00\d{7}$")
    landline = pc.match_substring_regex(digits, _LANDLINE)
    whole = pc.binary_join_element_wise("+86", digits, "")
    number = pc.if_else(pc.or_(mobile, service), whole, _NONE)
    return pc.if_else(landline, pc.replace_substring_regex(whole, r"^\+860", "+86"), number)


def _kind_in_china(digits: pa.Array) -> pa.Array:
    return first_rule(
        ("iot", pc.match_substring_regex(digits, _IOT)),
        ("virtual", pc.match_substring_regex(digits, _VIRTUAL)),
        ("mobile", pc.match_substring_regex(digits, _MOBILE)),
        ("service", pc.match_substring_regex(digits, r"^[48]00\d{7}$")),
        ("landline", pc.match_substring_regex(digits, _LANDLINE)),
        ("short", pc.match_substring_regex(digits, r"^(95\d{3,6}|1[012]\d{1,3}|12[13]\d{2}|100\d{2})$")),
        ("local", pc.match_substring_regex(digits, rf"^[2-9]\d{{6,7}}$|{_LOST_ZERO}")),
    )


def _of_the_world(
    text: pa.Array, rows: pa.Array, number: pa.Array, kind: pa.Array, country: str
) -> tuple[pa.Array, pa.Array]:
    """Numbers that no rule of China settles, by libphonenumber, one by one: there are few."""
    where = pc.indices_nonzero(pc.fill_null(rows, False))
    if not len(where):
        return number, kind
    found = [_parse_one(item or "", country) for item in text.take(where).to_pylist()]
    mask = pc.fill_null(rows, False)
    numbers = pa.array([item[0] for item in found], pa.string())
    kinds = pa.array([item[1] for item in found], pa.string())
    return pc.replace_with_mask(number, mask, numbers), pc.replace_with_mask(kind, mask, kinds)


@lru_cache(maxsize=1 << 16)
def _parse_one(text: str, country: str) -> tuple[str | None, str | None]:
    # Imported here: most numbers are read by rule, and a run without new ones does without.
    import phonenumbers

    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None, None
    if not phonenumbers.is_valid_number(parsed):
        return None, None
    types = phonenumbers.PhoneNumberType
    kind = {types.MOBILE: "mobile", types.FIXED_LINE: "landline", types.FIXED_LINE_OR_MOBILE: "landline"}.get(
        phonenumbers.number_type(parsed), "service"
    )
    at_home = phonenumbers.region_code_for_number(parsed) == country
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), kind if at_home else "foreign"
