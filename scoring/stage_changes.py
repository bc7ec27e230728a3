"""Two replays of the same leads under different rules held against each other, and against what became of the leads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from abmloop.calendar import local_day
from scoring.lifecycle import RANK

TAKEN = ("sql", "opportunity", "won")  # what shows that sales had a case
REFUSED = ("lost", "recycled", "disqualified")

CHANGES = pa.schema(
    [
        ("lead_id", pa.string()),
        ("change", pa.string()),
        ("mql_at_before", pa.timestamp("us")),
        ("mql_at_after", pa.timestamp("us")),
        ("stage_before", pa.string()),
        ("stage_after", pa.string()),
        ("outcome", pa.string()),
    ]
)


@dataclass(frozen=True)
class Period:
    """From `since` to `until`, UTC; an MQL of whom nothing was heard for `settle_days` came to nothing."""

    since: datetime
    until: datetime
    settle_days: int
    timezone: str


@dataclass(frozen=True)
class Measures:
    """One set of rules over a period. Shares are 0..1, None where there is nothing to divide by.

    `mqls`: leads that became MQL; `known`: those of them of whom it is known what became of them; `precision_*`: share
    of the known that sales took up (sql) or won, after they became MQL; `recall_*`: share of all leads with that
    outcome in the period that were MQL before it. `handed_over` and `*_per_week`: leads that entered the stage of the
    handover.
    """

    mqls: int
    known: int
    precision_sql: float | None
    precision_won: float | None
    recall_sql: float | None
    recall_won: float | None
    handed_over: int
    mean_per_week: float
    most_per_week: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def stage_changes(before: pa.Table, after: pa.Table, signals: pa.Table, period: Period) -> pa.Table:
    """The leads whose MQL in the period or whose stage at its end differs, as CHANGES, in the order of lead_id.

    `before`, `after`: as scored.replayed_stages; `signals`: as scored.stage_signals. `change`: gained, lost,
    earlier or later (the MQL), else stage. `outcome`: won, sql (sales took it up), refused, or open.
    """
    sides = []
    for table in (before, after):
        told = table.to_pandas()
        told["rank"] = told["stage"].map(RANK)
        told = told.sort_values(["lead_id", "cycle", "rank"])
        stage = told[told["entered_at"] <= period.until].groupby("lead_id")["stage"].last()
        sides.append(pd.DataFrame({"stage": stage}).join(_first_mql(told, period)))
    both = sides[0].join(sides[1], how="outer", lsuffix="_before", rsuffix="_after")
    old, new = both["mql_at_before"], both["mql_at_after"]
    ways = [old.isna() & new.notna(), old.notna() & new.isna(), new < old, new > old]
    change = np.select(ways, ["gained", "lost", "earlier", "later"], "")
    moved = (both["stage_before"] != both["stage_after"]).to_numpy()
    both["change"] = np.where((change == "") & moved, "stage", change)
    both = both[both["change"] != ""].sort_index().reset_index(names="lead_id")
    said = _outcomes(signals, period)
    ends = [both["lead_id"].isin(said.index[said[name].notna()]) for name in ("won_at", "taken_at", "refused_at")]
    both["outcome"] = np.select(ends, ["won", "sql", "refused"], "open") if len(both) else []
    return pa.Table.from_pandas(both[CHANGES.names], schema=CHANGES, preserve_index=False)


def measure(told: pa.Table, signals: pa.Table, handover: str, period: Period) -> Measures:
    """How these transitions did over the period, against what is known of the leads."""
    frame = told.to_pandas()
    said = _outcomes(signals, period)
    mql_at = _first_mql(frame, period)["mql_at"]
    taken_at, won_at, refused_at = (said[name].reindex(mql_at.index) for name in ("taken_at", "won_at", "refused_at"))
    is_taken, is_won = taken_at >= mql_at, won_at >= mql_at
    settled = mql_at <= pd.Timestamp(period.until) - pd.Timedelta(days=period.settle_days)
    known = is_taken | is_won | (refused_at >= mql_at) | settled
    weeks = weekly_load(told, handover, period)["leads"].to_numpy()
    return Measures(
        mqls=len(mql_at),
        known=int(known.sum()),
        precision_sql=_share(is_taken.sum(), known.sum()),
        precision_won=_share(is_won.sum(), known.sum()),
        recall_sql=_recall(frame, said["taken_at"]),
        recall_won=_recall(frame, said["won_at"]),
        handed_over=int(weeks.sum()),
        mean_per_week=round(float(weeks.mean()), 2) if len(weeks) else 0.0,
        most_per_week=int(weeks.max()) if len(weeks) else 0,
    )


def weekly_load(told: pa.Table, handover: str, period: Period) -> pa.Table:
    """Leads that entered the stage of the handover, per week of the period: week (its local Monday), leads."""
    frame = told.to_pandas()
    entered = frame.loc[(frame["stage"] == handover) & _within(frame["entered_at"], period), "entered_at"]
    mondays = pd.date_range(_monday(period.since, period), _monday(period.until, period), freq="7D")
    local = entered.dt.tz_localize("UTC").dt.tz_convert(period.timezone).dt.tz_localize(None).dt.normalize()
    week = local - pd.to_timedelta(local.dt.dayofweek, unit="D")
    counts = week.value_counts().reindex(mondays, fill_value=0)
    return pa.table({"week": pa.array(mondays.date, pa.date32()), "leads": pa.array(counts.to_numpy(), pa.int64())})


def _monday(instant: datetime, period: Period) -> date:
    day = local_day(instant.replace(tzinfo=UTC), period.timezone)
    return day - timedelta(days=day.weekday())


def _within(at: pd.Series[Any], period: Period) -> pd.Series[Any]:
    return (at >= period.since) & (at <= period.until)


def _first_mql(frame: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Per lead the first time it became MQL within the period; leads that did not are left out."""
    mql = frame[(frame["stage"] == "mql") & _within(frame["entered_at"], period)]
    return pd.DataFrame({"mql_at": mql.groupby("lead_id")["entered_at"].min()})


def _outcomes(signals: pa.Table, period: Period) -> pd.DataFrame:
    """Per lead when sales first took it up, won it, refused it, within the period; NaT where that did not happen."""
    frame = signals.select(["lead_id", "stage", "occurred_at"]).to_pandas()
    frame = frame[_within(frame["occurred_at"], period)]
    kinds = {"taken_at": TAKEN, "won_at": ("won",), "refused_at": REFUSED}
    firsts = {
        name: frame[frame["stage"].isin(stages)].groupby("lead_id")["occurred_at"].min()
        for name, stages in kinds.items()
    }
    return pd.DataFrame(firsts).astype("datetime64[us]")


def _recall(frame: pd.DataFrame, outcome_at: pd.Series[Any]) -> float | None:
    """Share of the leads with the outcome that were MQL at or before it."""
    found = outcome_at.dropna()
    first = frame[frame["stage"] == "mql"].groupby("lead_id")["entered_at"].min().reindex(found.index)
    return _share(int((first <= found).sum()), len(found))


def _share(part: int, whole: int) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None
