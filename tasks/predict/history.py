"""The workspace's own MQLs as a table to learn from and to score: what was known of each then, what became of it."""

from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from scoring.policies.predict import TargetName
from tasks.predict.telling import POINTS_OF

TIME, GROUP = "mql_at", "party_id"
_ABOUT = ("lead_id", "cycle", "person_id", "sql_at", "won_at", "ended_at", "stage")
# Leads of which it is still open: the stages of the current cycle.
OPEN_STAGES: dict[TargetName, tuple[str, ...]] = {
    "sql": ("mql", "sal"),
    "won": ("mql", "sal", "sql", "opportunity"),
}

_MQLS = "select * from scored.mqls order by mql_at, lead_id, cycle"
_GROUPS = "select distinct rule_group from rules.engagement order by all"
_POINTS_OF = """
select mqls.lead_id, mqls.cycle, mql_points.points
from scored.mqls as mqls
left join scored.mql_points as mql_points
    on mql_points.lead_id = mqls.lead_id and mql_points.cycle = mqls.cycle and mql_points.rule_group = $rule_group
order by mqls.mql_at, mqls.lead_id, mqls.cycle
"""


def read_mqls(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every MQL there was, oldest first: facts of the time, and the points of each group of rules until then.

    No points in a group are 0, for every touch is in the log; a fact that is not known is null.
    """
    mqls = con.sql(_MQLS).to_arrow_table()
    for (group,) in con.execute(_GROUPS).fetchall():
        points = con.sql(_POINTS_OF, params={"rule_group": group}).to_arrow_table()["points"]
        mqls = mqls.append_column(f"{POINTS_OF}{group}", pc.fill_null(points, 0.0))
    return mqls


def table_for(mqls: pa.Table, target: TargetName, days: int, as_of: date) -> pa.Table:
    """What is learnt from, all text: facts, time, group, and a column named as the target (1, 0, null while open).

    1 where the target came within so many days, 0 where it did not; open for whoever became an MQL less than so many
    days before `as_of`, also where it came already: else the newest would only be those that came. Left out: who was
    there already on becoming an MQL, for then there is nothing to predict.
    """
    reached = pc.cast(mqls[f"{target}_at"], pa.timestamp("us"))
    mql_at = pc.cast(mqls[TIME], pa.timestamp("us"))
    foresaw = pc.fill_null(pc.greater(reached, mql_at), True)
    last = pc.add(mql_at, pa.scalar(timedelta(days=days)))
    came = pc.fill_null(pc.less_equal(reached, last), False)
    is_ripe = pc.less_equal(pc.cast(last, pa.date32()), pa.scalar(as_of))
    became = pc.if_else(is_ripe, pc.if_else(came, "1", "0"), pa.scalar(None, pa.string()))
    facts = as_text(mqls)
    return facts.append_column(target, became).filter(foresaw)


def as_text(mqls: pa.Table) -> pa.Table:
    """The columns that a model may look at, with time and group, as text."""
    kept = [name for name in mqls.column_names if name not in _ABOUT]
    return pa.table({name: _text(mqls[name]) for name in kept})


def _text(column: Any) -> Any:
    if pa.types.is_floating(column.type):
        column = pc.round(column, 6)
    return pc.cast(column, pa.string())


def open_rows(mqls: pa.Table, target: TargetName) -> pa.Table:
    """The MQLs whose newest cycle is still open for this target."""
    newest = mqls.group_by("lead_id").aggregate([("cycle", "max")])
    newest = newest.rename_columns(["lead_id", "newest"])
    mqls = mqls.join(newest, "lead_id").sort_by([(TIME, "ascending"), ("lead_id", "ascending")])
    is_open = pc.is_in(mqls["stage"], pa.array(OPEN_STAGES[target]))
    return mqls.filter(pc.and_(is_open, pc.equal(mqls["cycle"], mqls["newest"]))).drop_columns(["newest"])
