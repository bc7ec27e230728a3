"""The metrics frames that the suites judge: one row per file, or per table and sum."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from warehouse.models import all_models
from warehouse.tables import declared_tables

FOLDER = Path(__file__).parent
Query = Callable[[str], pa.Table]

_REFUSED = """
select file_name || ' (' || entity || ')' as subject, after as refused_share
from quality.differences
where kind = 'refused_share' and state in ('noted', 'held')
order by subject
"""


def landed_metrics(query: Query) -> pd.DataFrame:
    """One row per landed file and entity; see landed.sql."""
    return query((FOLDER / "landed.sql").read_text(encoding="utf-8")).to_pandas()


def published_metrics(query: Query) -> pd.DataFrame:
    """One row per table with a grain (duplicate keys) and per sum that must add up (balances.sql)."""
    grains = {name: spec.grain for name, spec in declared_tables().items() if spec.grain}
    grains |= {name: model.grain for name, model in all_models().items() if model.grain and model.kind == "table"}
    present = set(
        query("select table_schema || '.' || table_name as name from information_schema.tables")["name"].to_pylist()
    )
    parts = [_duplicates(name, grain) for name, grain in sorted(grains.items()) if name in present]
    tables = query(" union all ".join(parts)).to_pandas()
    balances = query((FOLDER / "balances.sql").read_text(encoding="utf-8")).to_pandas()
    refused = query(_REFUSED).to_pandas()
    frame = pd.concat([tables, balances, refused], ignore_index=True)
    zeros = {"duplicate_keys": 0, "broken_rows": 0, "difference": 0.0, "refused_share": 0.0}
    return frame.fillna(zeros).astype({name: type(zero).__name__ + "64" for name, zero in zeros.items()})


def _duplicates(name: str, grain: tuple[str, ...]) -> str:
    keys = ", ".join(grain)
    return (
        f"select '{name}' as subject, count(*) as duplicate_keys, 0 as broken_rows, 0.0::double as difference "
        f"from (select {keys} from {name} group by {keys} having count(*) > 1)"
    )
