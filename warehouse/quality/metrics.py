"""The metrics frames that the suites judge: one row per file, or per table and sum."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from warehouse.models import all_models
from warehouse.publish import leaves_house
from warehouse.tables import declared_tables

FOLDER = Path(__file__).parent
Query = Callable[[str], pa.Table]

_TABLES = "select table_schema || '.' || table_name as name from information_schema.tables"
_REFUSED = """
select file_name || ' (' || entity || ')' as subject, after as refused_share
from quality.differences
where kind = 'refused_share' and state in ('noted', 'held')
order by subject
"""
_LOST = """
select coalesce(file_name, source) || ' (' || entity || ')' as subject, 1 as amounts_lost
from quality.differences
where kind = 'amounts_lost' and state = 'held'
order by subject
"""


def landed_metrics(query: Query) -> pd.DataFrame:
    """One row per landed file and entity; see landed.sql."""
    return query((FOLDER / "landed.sql").read_text(encoding="utf-8")).to_pandas()


def published_metrics(query: Query) -> pd.DataFrame:
    """One row per published table with a grain (duplicate keys), sum that must add up, and file with refused rows."""
    present = set(query(_TABLES)["name"].to_pylist())
    tables = [_duplicate_keys(query, present), _broken_rows(query, present)]
    balances = query((FOLDER / "balances.sql").read_text(encoding="utf-8")).to_pandas()
    refused = query(_REFUSED).to_pandas()
    frame = pd.concat([*tables, balances, refused, query(_LOST).to_pandas()], ignore_index=True)
    zeros = {"duplicate_keys": 0, "broken_rows": 0, "difference": 0.0, "refused_share": 0.0, "amounts_lost": 0}
    return frame.fillna(zeros).astype({name: type(zero).__name__ + "64" for name, zero in zeros.items()})


def standing_metrics(query: Callable[..., pa.Table], as_of: Any) -> pa.Table:
    """One row per figure of what is about to be published; see standing.sql."""
    return query((FOLDER / "standing.sql").read_text(encoding="utf-8"), as_of=as_of)


def _broken_rows(query: Query, present: set[str]) -> pd.DataFrame:
    """Rows that break a check of their mart's header: what people read is looked through once more at the door."""
    parts = [
        f"select '{name}' as subject, count(*) filter (not coalesce({check}, true)) as broken_rows from {name}"
        for name, model in all_models().items()
        if model.zone == "marts" and name in present and leaves_house(name)
        for check in [f"({') and ('.join(model.checks)})"]
        if model.checks
    ]
    return query(" union all ".join(parts)).to_pandas() if parts else pd.DataFrame({"subject": [], "broken_rows": []})


def _duplicate_keys(query: Query, present: set[str]) -> pd.DataFrame:
    """Keys that stand more than once, per table that leaves the house.

    Tables with the same keys (count, sum and exclusive or of their hashes agree: one row per account, most of them)
    are looked through once: a duplicate in any of them would make it differ from the others.
    """
    grains = {name: spec.grain for name, spec in declared_tables().items() if spec.grain}
    grains |= {name: model.grain for name, model in all_models().items() if model.grain and model.kind == "table"}
    leaving = {name: grain for name, grain in sorted(grains.items()) if name in present and leaves_house(name)}
    prints = query(" union all ".join(_fingerprint(name, grain) for name, grain in leaving.items())).to_pylist()
    first: dict[tuple[Any, ...], str] = {}
    alike = {row["subject"]: first.setdefault((row["n"], row["x"], row["s"]), row["subject"]) for row in prints}
    asked = sorted(set(alike.values()))
    # Numbers are grouped three times as fast as texts; where two keys have one hash, the keys themselves are asked.
    by_hash = _counted(query, {name: (f"hash({', '.join(leaving[name])})",) for name in asked})
    exact = _counted(query, {name: leaving[name] for name in asked if by_hash[name]})
    found = by_hash | exact
    return pd.DataFrame({"subject": list(alike), "duplicate_keys": [found[same] for same in alike.values()]})


def _fingerprint(name: str, grain: tuple[str, ...]) -> str:
    key = f"hash({', '.join(grain)})"
    return f"select '{name}' as subject, count(*) as n, bit_xor({key}) as x, sum({key})::varchar as s from {name}"


def _counted(query: Query, keys: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Values of its key that stand more than once, per table."""
    parts = [
        f"select '{name}' as subject, count(*) as twice"
        f" from (select 1 from {name} group by {', '.join(key)} having count(*) > 1)"
        for name, key in keys.items()
    ]
    return {row["subject"]: row["twice"] for row in query(" union all ".join(parts)).to_pylist()} if parts else {}
