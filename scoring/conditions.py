"""Tests of accounts, whole columns at a time: which hold, and what shows it."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.conditions import FLAG_FIELDS, NUMBER_FIELDS, Condition

Mask = npt.NDArray[np.bool_]
# What conditions may look at, besides the fields they name.
PLACE_COLUMNS = ("province_code", "city_code", "district_code")


def columns_asked(conditions: list[Condition]) -> list[str]:
    """The columns of resolved.accounts that these conditions read."""
    asked: set[str] = {condition.field for condition in conditions if condition.field}
    asked |= {"name_key"} if "name" in asked else set()
    asked |= set(PLACE_COLUMNS) if any(condition.region for condition in conditions) else set()
    return sorted(asked)


def holds(condition: Condition, accounts: pa.Table, tags: Mapping[str, Mask]) -> Mask:
    """Where the condition holds; what is not known never does, but for `missing`.

    `accounts` has the columns of `columns_asked`; `tags`: tag → where it is given, for the accounts in that order.
    """
    if condition.tag is not None:
        nowhere = np.zeros(accounts.num_rows, dtype=bool)
        return np.asarray(np.logical_or.reduce([tags.get(tag, nowhere) for tag in condition.tag]), dtype=bool)
    if condition.region is not None:
        return _within(_place(accounts), condition.region)
    column = accounts[str(condition.field)]
    if condition.missing:
        return _mask(pc.is_null(column))
    if condition.contains is not None:
        return _has_words(accounts, str(condition.field), condition.contains)
    if condition.band is not None:
        low, high = condition.band.at_least, condition.band.below
        number = pc.cast(column, pa.float64()).to_numpy()
        return np.asarray(
            (number >= (-np.inf if low is None else low)) & (number < (np.inf if high is None else high)), dtype=bool
        )
    return _mask(pc.is_in(column, value_set=_values(condition, column.type)))


def is_known(condition: Condition, accounts: pa.Table) -> Mask | None:
    """Where the condition's field is known; None for tags, which have no field of their own."""
    if condition.asks is None:
        return None
    return _mask(pc.is_valid(accounts[condition.asks]))


def evidence(condition: Condition, accounts: pa.Table) -> pa.Array:
    """Field and value of each of these accounts, as text."""
    if condition.tag is not None:
        return pa.repeat(pa.scalar(f"tag {', '.join(condition.tag)}"), accounts.num_rows)
    if condition.region is not None:
        return _labelled("region", _place(accounts))
    field = str(condition.field)
    if condition.contains is not None:
        return _labelled(field, matched_word(accounts, field, condition.contains))
    return _labelled(field, pc.cast(accounts[field], pa.string()))


def word_patterns(field: str, words: Iterable[str]) -> dict[tuple[str, bool], str]:
    """Column and whether its Latin words are meant → pattern of the words; together they find any of them in the field.

    Latin words count as whole words, in any case; Chinese words are looked for in the name's key: simplified, without
    spaces. Apart, because a text of the one script is soon passed over when the other is looked for.
    """
    latin = [rf"\b{re.escape(word)}\b" for word in words if word.isascii()]
    chinese = [re.escape(word) for word in words if not word.isascii()]
    asked = {(field, True): latin, ("name_key" if field == "name" else field, False): chinese}
    return {key: f"(?i:{'|'.join(some)})" for key, some in asked.items() if some}


def find_pattern(texts: pa.ChunkedArray, pattern: str) -> Mask:
    """Where the pattern stands in the text; nowhere in nulls."""
    if texts.null_count == len(texts):
        return np.zeros(len(texts), dtype=bool)
    return _mask(pc.match_substring_regex(texts, pattern))


def _has_words(accounts: pa.Table, field: str, words: tuple[str, ...]) -> Mask:
    found = [find_pattern(accounts[column], asked) for (column, _), asked in word_patterns(field, words).items()]
    return np.asarray(np.logical_or.reduce(found), dtype=bool)


def matched_word(accounts: pa.Table, field: str, words: tuple[str, ...]) -> pa.Array:
    """The first of the words in each text; null where there is none."""
    found = [
        pc.struct_field(pc.extract_regex(accounts[column], f"(?P<word>{pattern})"), 0)
        for (column, _), pattern in word_patterns(field, words).items()
    ]
    return pc.coalesce(*found)


def _mask(values: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(), dtype=bool)


def _place(accounts: pa.Table) -> pa.ChunkedArray:
    """The finest code of the account's place."""
    return pc.coalesce(accounts["district_code"], accounts["city_code"], accounts["province_code"])


def _within(place: pa.ChunkedArray, regions: tuple[str, ...]) -> Mask:
    """Where the code lies in one of the regions; there are 1.5 million accounts, but only 3,500 places."""
    coded = place.combine_chunks().dictionary_encode()
    inside = pc.match_substring_regex(coded.dictionary, f"^(?:{'|'.join(map(_trimmed, regions))})")
    return _mask(pa.chunked_array([inside.take(coded.indices)]))


def _trimmed(code: str) -> str:
    """44 for 440000, 4403 for 440300: what all codes within the place begin with."""
    return re.sub(r"^(\d\d)0000$|^(\d{4})00$", r"\1\2", code)


def _values(condition: Condition, kind: pa.DataType) -> pa.Array:
    given = condition.any_of if condition.any_of is not None else (condition.equals,)
    if condition.field in FLAG_FIELDS:
        return pa.array([bool(value) for value in given], pa.bool_())
    if condition.field in NUMBER_FIELDS:
        return pa.array([float(value or 0) for value in given], pa.float64()).cast(kind, safe=False)
    return pa.array([str(value) for value in given], kind)


def _labelled(label: str, values: pa.ChunkedArray | pa.Array) -> pa.Array:
    text = pc.binary_join_element_wise(label, pc.fill_null(values, "unknown"), " ")
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
