"""Money, numbers, shares and bands of a cell: with their unit and currency, never guessed."""

from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.tables import load_yaml
from scoring.values.text import (
    Values,
    as_column,
    clean_text,
    first_rule,
    in_order,
    is_placeholder,
    is_same_as_above,
    squeezed,
)

_NONE: Final = pa.scalar(None, pa.string())
_TABLES: Final = load_yaml("amounts")
CURRENCY_WORDS: Final[dict[str, str]] = _TABLES["currencies"]
_UNITS: Final[dict[str, str]] = _TABLES["units"]
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_CURRENCY = "|".join(
    sorted((word for words in CURRENCY_WORDS.values() for word in words.split("|")), key=len, reverse=True)
)
_AMOUNT = (
    rf"^(?P<open>\()?(?P<sign1>[+-])?(?P<before>{_CURRENCY})?(?P<sign2>[+-])?(?P<number>\d+(?:\.\d+)?)(?P<unit>{_UNIT})?"
    rf"(?P<after>(?:{_CURRENCY}|元|圆|块|整)*)(?P<close>\))?(?P<tax>含税|不含税|未税|税前|税后)?(?P<per>[/每](?:年|月|季度?|天|日|次|人|个|套|台|y|yr|year|month|mo|user))?$"
)


def currency_of(words: pa.Array) -> pa.Array:
    """The ISO code of currency words or signs (lower case); null for none and for unknown ones."""
    code = pa.nulls(len(words), pa.string())
    for currency, spelled in reversed(CURRENCY_WORDS.items()):
        code = pc.if_else(pc.fill_null(pc.match_substring_regex(words, spelled), False), currency, code)
    return code


def parse_currencies(values: Values) -> pa.Table:
    """Currency columns: value, currency (three letters), rule."""
    column = as_column(values)
    word = squeezed(clean_text(column))
    code = pc.if_else(pc.is_null(word), _NONE, currency_of(word))
    letters = pc.match_substring_regex(word, "^[a-z]{3}$")
    code = pc.if_else(pc.and_(pc.is_null(code), letters), pc.utf8_upper(word), code)
    code = pc.if_else(pc.fill_null(pc.match_substring_regex(word, "^(元|圆)$"), False), "CNY", code)
    unknown = pc.and_(pc.is_null(code), pc.is_valid(word))
    return pa.table({"value": column, "currency": code, "rule": first_rule(("currency-unknown", unknown))})


def _digits(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The text with a point for decimals and nothing for thousands; and where two readings remain."""
    point = pc.match_substring_regex(text, r"\d{1,3}(,\d{3})+(\.\d+)?(\D|$)")
    comma = pc.match_substring_regex(text, r"\d{1,3}(\.\d{3})+,\d+(\D|$)|\d{1,3}(\.\d{3}){2,}(\D|$)")
    decimal_comma = pc.match_substring_regex(text, r"(^|\D)\d+,\d{1,2}(\D|$)")
    both = pc.and_(pc.match_substring(text, ","), pc.invert(pc.or_(point, pc.or_(comma, decimal_comma))))
    plain = pc.replace_substring(text, ",", "")
    german = pc.replace_substring(pc.replace_substring(text, ".", ""), ",", ".")
    return pc.if_else(pc.or_(comma, pc.and_(decimal_comma, pc.invert(point))), german, plain), both


def parse_amounts(values: Values) -> pa.Table:
    """Money: value, amount (decimal, in units of the currency), currency (null where none is written), tax, rule.

    万, 亿, k, million and brackets for negatives are understood; `1.234,56` has one reading; `tax` is included or
    excluded. A price per year or per head is no amount; an unknown unit is refused. Zero, blank and 无 differ.

    Source: spec 02-directory (registered capital), catalogue V23.
    """
    column = as_column(values)
    plain = pc.fill_null(pc.match_substring_regex(column, r"^-?(0|[1-9]\d{0,12})(\.\d{1,2})?$"), False)
    good = column.filter(plain)
    nothing = pa.nulls(len(good), pa.string())
    amount = pc.cast(good, pa.decimal128(18, 2))
    fine = pa.table({"value": good, "amount": amount, "currency": nothing, "tax": nothing, "rule": nothing})
    return in_order(plain, fine, _parse_amount_texts(column.filter(pc.invert(plain))))


def _parse_amount_texts(column: pa.Array) -> pa.Table:
    """The same for all that is not just a number."""
    text = clean_text(column)
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    numeric = pc.fill_null(pc.match_substring_regex(text, r"^[\d., ]*\d[\d., ]*$"), False)
    nothing = pc.and_(nothing, pc.invert(numeric))
    word = pc.replace_substring_regex(squeezed(text), r"""^=?["']+|["']+$|约|大约|^共|合计""", "")
    word = pc.replace_substring_regex(word, r"\(([^\d()]+)\)", r"\1")
    word, two_readings = _digits(pc.replace_substring(word, "−", "-"))
    part = _parts(word)
    scale = pa.array(["1e0", *_UNITS.values()]).take(
        pc.fill_null(pc.add(pc.index_in(part["unit"], pa.array(list(_UNITS))), 1), 0)
    )
    amount = _scaled(part["number"], scale)
    minus = pc.or_(pc.equal(part["sign1"], "-"), pc.or_(pc.equal(part["sign2"], "-"), pc.equal(part["open"], "(")))
    negative = pc.fill_null(minus, False)
    amount = pc.if_else(negative, pc.negate(amount), amount)
    per = pc.fill_null(pc.not_equal(part["per"], ""), False)
    refused = pc.or_(pc.or_(nothing, per), pc.fill_null(two_readings, False))
    amount = pc.if_else(refused, pa.scalar(None, amount.type), amount)
    rule = first_rule(
        ("amount-placeholder", nothing),
        ("amount-two-readings", two_readings),
        ("amount-per-unit", per),
        ("amount-unreadable", pc.and_(pc.is_null(amount), pc.is_valid(text))),
    )
    words = pc.binary_join_element_wise(part["before"], part["after"], "")
    chinese = pc.fill_null(pc.match_substring_regex(part["after"], "^元"), False)
    currency = currency_of(words)
    currency = pc.if_else(pc.and_(chinese, pc.is_null(currency)), "CNY", currency)
    tax = pc.if_else(pc.is_in(part["tax"], pa.array(["含税", "税后"])), "included", _NONE)
    tax = pc.if_else(pc.is_in(part["tax"], pa.array(["不含税", "未税", "税前"])), "excluded", tax)
    return pa.table({"value": column, "amount": amount, "currency": currency, "tax": tax, "rule": rule})


def _parts(word: pa.Array) -> dict[str, pa.Array]:
    found = pc.extract_regex(word, _AMOUNT)
    return {
        name: pc.struct_field(found, name)
        for name in ("open", "sign1", "before", "sign2", "number", "unit", "after", "tax", "per")
    }


def _scaled(number: pa.Array, scale: pa.Array) -> pa.Array:
    """number × scale as decimal(18, 2), half away from zero; null where it does not fit."""
    fits = pc.fill_null(pc.match_substring_regex(number, r"^\d{1,15}(\.\d{1,12})?$"), False)
    exact = pc.cast(pc.if_else(fits, number, _NONE), pa.decimal128(28, 12))
    powers = pc.cast(pc.cast(scale, pa.float64()), pa.decimal128(14, 0))
    product = pc.multiply(pc.cast(exact, pa.decimal256(28, 12)), pc.cast(powers, pa.decimal256(14, 0)))
    rounded = pc.round(product, ndigits=2, round_mode="half_towards_infinity")
    small = pc.less(rounded, pa.scalar(10**16, pa.int64()).cast(pa.decimal256(20, 0)))
    kept = pc.if_else(pc.fill_null(small, False), rounded, pa.scalar(None, rounded.type))
    return pc.cast(kept, pa.decimal128(18, 2), safe=False)


def parse_numbers(values: Values) -> pa.Table:
    """Plain numbers: value, number, rule. Thousands separators and a unit word behind (分钟, 人, 个) are understood."""
    column = as_column(values)
    text = clean_text(column)
    word = pc.replace_substring_regex(
        squeezed(text), r"""^=?["']+|["']+$|(分钟|分|mins?|minutes?|人|个|家|条|次|天|日|days?)$""", ""
    )
    clock = pc.extract_regex(word, r"^(?P<hours>\d{1,3}):(?P<minutes>\d{2})(?::(?P<seconds>\d{2}))?$")
    word, two_readings = _digits(word)
    plain = pc.fill_null(pc.match_substring_regex(word, r"^[+-]?\d{1,15}(\.\d+)?$"), False)
    number = pc.cast(pc.replace_substring_regex(pc.if_else(plain, word, _NONE), r"^\+", ""), pa.float64())
    number = pc.coalesce(number, _minutes(clock))
    number = pc.if_else(pc.fill_null(two_readings, False), pa.scalar(None, pa.float64()), number)
    nothing = pc.and_(pc.or_(is_placeholder(text), is_same_as_above(text)), pc.is_null(number))
    rule = first_rule(
        ("number-placeholder", nothing), ("number-unreadable", pc.and_(pc.is_null(number), pc.is_valid(text)))
    )  # fmt: skip
    return pa.table({"value": column, "number": number, "rule": rule})


def _minutes(clock: pa.Array) -> pa.Array:
    """`1:20` and `1:20:30` as minutes: hours first."""
    hours, minutes, seconds = (pc.struct_field(clock, name) for name in ("hours", "minutes", "seconds"))
    seconds = pc.if_else(pc.equal(seconds, ""), "0", seconds)
    whole = pc.add(pc.multiply(pc.cast(hours, pa.float64()), 60.0), pc.cast(minutes, pa.float64()))
    return pc.add(whole, pc.divide(pc.cast(seconds, pa.float64()), 60.0))


def parse_shares(values: Values) -> pa.Table:
    """Shares 0..1: value, share, rule. `15%`, `15` and `0.15` are the same; above 100 and below 0 are refused."""
    column = as_column(values)
    percent = pc.fill_null(pc.match_substring_regex(column, "[%％]"), False)
    parsed = parse_numbers(pc.replace_substring_regex(column, "[%％]", ""))
    number = parsed["number"].combine_chunks()
    share = pc.if_else(pc.or_(percent, pc.fill_null(pc.greater(number, 1.0), False)), pc.divide(number, 100.0), number)
    inside = pc.and_(pc.greater_equal(share, 0.0), pc.less_equal(share, 1.0))
    rule = pc.coalesce(
        parsed["rule"].combine_chunks(),
        first_rule(("share-out-of-range", pc.and_(pc.is_valid(share), pc.invert(inside)))),
    )
    share = pc.if_else(pc.fill_null(inside, False), share, pa.scalar(None, pa.float64()))
    return pa.table({"value": column, "share": share, "rule": rule})


def parse_booleans(values: Values) -> pa.Table:
    """Yes and no: value, flag, rule."""
    column = as_column(values)
    word = squeezed(clean_text(column))
    yes, no = pc.is_in(word, pa.array(_TABLES["yes_words"])), pc.is_in(word, pa.array(_TABLES["no_words"]))
    flag = pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_())))
    rule = first_rule(("boolean-unknown", pc.and_(pc.is_null(flag), pc.is_valid(word))))
    return pa.table({"value": column, "flag": flag, "rule": rule})


def _band(number: pa.Array, bands: dict[int, str]) -> pa.Array:
    edges = list(bands)
    labels = pd.cut(
        number.to_pandas().astype("float64"), [*edges, float("inf")], right=False, labels=list(bands.values())
    )
    return pa.array(labels.astype(object).where(labels.notna(), None), pa.string())


def _lower_end(word: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Of `a-b` and `a以上` the text of a, of `少于b` 0, null of what is no range; and which are of the last kind."""
    between = pc.extract_regex(word, r"^(?P<low>[\d.,]+[^\d~-]*)[~到至–—-]+(?P<high>[\d.,]+\D*)$")
    above = pc.extract_regex(
        word,
        rf"^(?:{_MORE})(?P<low>[\d.,]+\D*)$|^(?P<low2>[\d.,]+[^\d以及+]*?)(?:及?以上|\+|plus)(?P<unit>\D*)$",
    )
    after = pc.binary_join_element_wise(pc.struct_field(above, "low2"), pc.struct_field(above, "unit"), "")
    low = pc.coalesce(pc.struct_field(between, "low"), _filled(pc.struct_field(above, "low")), _filled(after))
    below = rf"^(?:{_LESS})[\d.,]+\D*$|^[\d.,]+\D*(?:以下|以内)\D*$"
    is_below = pc.fill_null(pc.match_substring_regex(word, below), False)
    low = pc.if_else(is_below, "0", low)
    unit = pc.replace_substring_regex(pc.struct_field(between, "high"), r"^[\d.,]+", "")
    bare = pc.fill_null(pc.match_substring_regex(low, r"^[\d.,]+$"), False)
    return pc.if_else(pc.and_(bare, pc.is_valid(unit)), pc.binary_join_element_wise(low, unit, ""), low), is_below


_MORE: Final = ">=?|≥|大于等于|大于|超过|多于|over|morethan"
_LESS: Final = "<=?|≤|小于等于|少于|小于|不足|低于|under|lessthan"


def _filled(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), _NONE, text)


def parse_employees(values: Values) -> pa.Table:
    """Headcounts: value, employees (of a range its lower end), band, rule. `100-499人`, `500人以上`, `少于50`."""
    column = as_column(values)
    plain = pc.fill_null(pc.match_substring_regex(column, r"^[1-9]\d{0,8}$"), False)
    good = column.filter(plain)
    number = pc.cast(good, pa.int64())
    band = _band(number, _TABLES["employee_bands"])
    fine = pa.table({"value": good, "employees": number, "band": band, "rule": pa.nulls(len(good), pa.string())})
    return in_order(plain, fine, _parse_employee_texts(column.filter(pc.invert(plain))))


def _parse_employee_texts(column: pa.Array) -> pa.Table:
    """The same for all that is not just a number."""
    text = clean_text(column)
    word = pc.replace_substring_regex(squeezed(text), r"(employees|people|员工|职员|人数|左右|约|名|人)", "")
    low, is_below = _lower_end(word)
    parsed = parse_amounts(pc.coalesce(low, word))
    number = pc.cast(pc.floor(pc.cast(parsed["amount"].combine_chunks(), pa.float64())), pa.int64())
    number = pc.if_else(pc.fill_null(pc.greater_equal(number, 0), False), number, pa.scalar(None, pa.int64()))
    band = _band(number, _TABLES["employee_bands"])
    nothing = pc.and_(pc.or_(is_placeholder(text), is_same_as_above(text)), pc.is_null(number))
    rule = first_rule(
        ("employees-placeholder", nothing), ("employees-unreadable", pc.and_(pc.is_null(number), pc.is_valid(text)))
    )  # fmt: skip
    number = pc.if_else(is_below, pa.scalar(None, pa.int64()), number)
    return pa.table({"value": column, "employees": number, "band": band, "rule": rule})


def parse_revenues(values: Values) -> pa.Table:
    """Yearly revenue: value, revenue (of a range its lower end), currency, band, rule."""
    column = as_column(values)
    text = clean_text(column)
    word = pc.replace_substring_regex(squeezed(text), r"(/年|每年|年营业额|营业额)", "")
    low, is_below = _lower_end(word)
    parsed = parse_amounts(pc.coalesce(low, word))
    amount = parsed["amount"].combine_chunks()
    rule = pc.replace_substring_regex(parsed["rule"].combine_chunks(), "^amount-", "revenue-")
    band = _band(pc.cast(amount, pa.float64()), _TABLES["revenue_bands"])
    amount = pc.if_else(is_below, pa.scalar(None, amount.type), amount)
    return pa.table({"value": column, "revenue": amount, "currency": parsed["currency"], "band": band, "rule": rule})
