"""The stages that count: what follows from today's facts, and what was once decided and still stands."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pyarrow as pa

from scoring.lifecycle import RANK

STANDING = ("mql", "sql")  # judgements of ours; all other stages are facts and follow the facts

LEAD_STAGES = pa.schema(
    [
        ("transition_id", pa.string()),
        ("lead_id", pa.string()),
        ("cycle", pa.int64()),
        ("stage", pa.string()),
        ("entered_at", pa.timestamp("us")),
        ("decided_at", pa.timestamp("us")),
        ("left_at", pa.timestamp("us")),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("actor", pa.string()),
        ("is_current", pa.bool_()),
        ("is_before_inquiry", pa.bool_()),
    ]
)
_KEY = ["lead_id", "cycle", "stage"]


def project_stages(derived: pa.Table, recorded: pa.Table, at: datetime) -> tuple[pa.Table, pa.Table]:
    """The stages that count (LEAD_STAGES, one row per lead, cycle and stage), and the ledger's rows with their `state`.

    `derived`: the replay's rows with their transition_id. `recorded`: the ledger's rows; their `lead_id` is the
    person's lead of today (null where there is none any more), `recorded_lead_id` the one of then.

    - A derived row counts; its `decided_at` is when it was first recorded (`at`, when it is not recorded by then).
    - A recorded MQL or SQL that no longer follows (the rules or a late refusal changed it) stands: sales was told. Not
      so where today's replay dates the same stage of the cycle otherwise, no longer has that cycle, or has a later
      stage at or before it. Of several the one decided last stands.
    - Every other recorded row that does not follow is `superseded`: still readable, counted nowhere.
    """
    told, ledger = derived.to_pandas(), recorded.to_pandas()
    first_decided = ledger.groupby("transition_id", as_index=False)["decided_at"].min()
    told = told.merge(first_decided, on="transition_id", how="left")
    told["decided_at"] = told["decided_at"].fillna(pd.Timestamp(at))
    ledger["state"] = "superseded"
    ledger.loc[ledger["transition_id"].isin(told["transition_id"]), "state"] = "counted"
    standing = _standing(told, ledger)
    ledger.loc[ledger["transition_id"].isin(standing["transition_id"]), "state"] = "standing"
    counted = pd.concat([told, standing[told.columns]], ignore_index=True) if len(standing) else told
    return _with_ends(counted), pa.Table.from_pandas(ledger, preserve_index=False)


def _standing(told: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """The recorded judgements that no longer follow and yet hold."""
    rows = ledger[(ledger["state"] == "superseded") & ledger["stage"].isin(STANDING) & ledger["lead_id"].notna()]
    if rows.empty:
        return rows
    rows = rows.sort_values(["decided_at", "transition_id"]).drop_duplicates(_KEY, keep="last")
    again = rows.merge(told[_KEY].assign(again=True), on=_KEY, how="left")["again"].notna().to_numpy()
    cycles = told.groupby("lead_id")["cycle"].max()
    in_cycles = (rows["cycle"] <= rows["lead_id"].map(cycles).fillna(0)).to_numpy()
    pairs = rows[[*_KEY, "entered_at", "transition_id"]].merge(told, on=["lead_id", "cycle"], suffixes=("", "_told"))
    is_further = pairs["stage_told"].map(RANK) > pairs["stage"].map(RANK)
    late = is_further & (pairs["entered_at_told"] <= pairs["entered_at"])
    is_late = rows["transition_id"].isin(pairs.loc[late, "transition_id"]).to_numpy()
    return rows[~again & in_cycles & ~is_late]


def _with_ends(rows: pd.DataFrame) -> pa.Table:
    """The rows with the time each stage was left, the current one marked, and those before the inquiry flagged."""
    rows = rows.assign(rank=rows["stage"].map(RANK)).sort_values(["lead_id", "cycle", "rank"], ignore_index=True)
    following = rows.groupby("lead_id")["entered_at"].shift(-1)
    inquiries = rows.loc[rows["stage"] == "inquiry", ["lead_id", "entered_at"]].drop_duplicates("lead_id")
    inquiry_at = rows[["lead_id"]].merge(inquiries, on="lead_id", how="left")["entered_at"]
    rows["left_at"] = following.where(following >= rows["entered_at"])
    rows["is_current"] = ~rows.duplicated("lead_id", keep="last")
    rows["is_before_inquiry"] = rows["entered_at"] < inquiry_at
    return pa.Table.from_pandas(rows[LEAD_STAGES.names], schema=LEAD_STAGES, preserve_index=False)
