"""Whom a list holds: what its rule asks of people and their companies, whole columns at a time."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.audiences import Who

# Words of a rule → the column they are looked for in.
_WORDS = {
    "stages": "stage",
    "grades": "fit_grade",
    "bands": "engagement_band",
    "industries": "industry_section",
    "countries": "country",
    "seniorities": "seniority",
}


def choose(rows: pa.Table, who: Who, as_of: date) -> pa.Array:
    """Where a row of `marts.outbound_people` or `outbound_companies` is meant; what is not known is not.

    A condition on a column that the table does not have (a stage, of companies) holds nowhere. Tier `any` is every one.
    """
    mask = pa.repeat(pa.scalar(True), rows.num_rows)
    for name, column in _WORDS.items():
        if (wanted := getattr(who, name)) is not None:
            mask = pc.and_(mask, _is_in(rows, column, wanted))
    if who.tiers is not None:
        known = _is_known(rows, "tier")
        mask = pc.and_(mask, known if "any" in who.tiers else _is_in(rows, "tier", who.tiers))
    if who.provinces is not None:
        mask = pc.and_(mask, _begins(rows, "place_code", who.provinces))
    if who.tags is not None:
        mask = pc.and_(mask, _shares(rows, "tags", who.tags))
    if who.campaigns is not None:
        mask = pc.and_(mask, _shares(rows, "campaigns", who.campaigns))
    if who.customers != "any":
        is_customer = pc.fill_null(_column(rows, "is_customer", pa.bool_()), False)
        mask = pc.and_(mask, is_customer if who.customers == "only" else pc.invert(is_customer))
    return pc.and_(mask, _touched(rows, who, as_of))


def _column(rows: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    return rows[name].combine_chunks() if name in rows.column_names else pa.nulls(rows.num_rows, kind)


def _is_known(rows: pa.Table, name: str) -> pa.Array:
    return pc.is_valid(_column(rows, name, pa.string()))


def _is_in(rows: pa.Table, name: str, wanted: Sequence[str] | Sequence[int]) -> pa.Array:
    column = _column(rows, name, pa.array(wanted).type)
    return pc.fill_null(pc.is_in(column, pa.array(wanted).cast(column.type)), False)


def _begins(rows: pa.Table, name: str, codes: Sequence[str]) -> pa.Array:
    """Where a place lies in one of these: 44 and 440000 hold 440300."""
    short = [re.sub(r"^(\d\d)0000$|^(\d{4})00$", r"\1\2", code) for code in codes]
    found = pc.match_substring_regex(_column(rows, name, pa.string()), f"^(?:{'|'.join(short)})")
    return pc.fill_null(found, False)


def _shares(rows: pa.Table, name: str, wanted: Sequence[str]) -> pa.Array:
    """Where a list has one of these."""
    column = _column(rows, name, pa.list_(pa.string()))
    holders = pc.list_parent_indices(column).filter(pc.is_in(pc.list_flatten(column), pa.array(wanted)))
    return pc.is_in(pa.array(range(rows.num_rows), holders.type), holders)


def _touched(rows: pa.Table, who: Who, as_of: date) -> pa.Array:
    last = _column(rows, "last_touch_on", pa.date32())
    mask = pa.repeat(pa.scalar(True), rows.num_rows)
    if who.touched_within_days is not None:
        since = pa.scalar(as_of - timedelta(days=who.touched_within_days))
        mask = pc.and_(mask, pc.fill_null(pc.greater_equal(last, since), False))
    if who.untouched_for_days is not None:
        until = pa.scalar(as_of - timedelta(days=who.untouched_for_days))
        mask = pc.and_(mask, pc.fill_null(pc.less(last, until), True))
    return mask
