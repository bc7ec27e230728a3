"""Two replays held against each other, where sales has said nothing yet."""

from datetime import datetime

import pyarrow as pa

from scoring.stage_changes import Period, stage_changes

TOLD = pa.schema(
    [("lead_id", pa.string()), ("cycle", pa.int64()), ("stage", pa.string()), ("entered_at", pa.timestamp("us"))]
)
SIGNALS = pa.schema([("lead_id", pa.string()), ("stage", pa.string()), ("occurred_at", pa.timestamp("us"))])
YEAR = Period(datetime(2026, 1, 1), datetime(2026, 12, 31), 90, "Asia/Shanghai")


def _told(*stages: str) -> pa.Table:
    rows = [
        {"lead_id": "L1", "cycle": 1, "stage": stage, "entered_at": datetime(2026, 3, 1 + place)}
        for place, stage in enumerate(stages)
    ]
    return pa.Table.from_pylist(rows, schema=TOLD)


def test_without_any_outcome_a_gained_lead_is_open() -> None:
    found = stage_changes(_told("inquiry"), _told("inquiry", "mql"), SIGNALS.empty_table(), YEAR).to_pylist()
    assert [(row["change"], row["stage_after"], row["outcome"]) for row in found] == [("gained", "mql", "open")]


def test_without_any_change_there_is_nothing() -> None:
    assert stage_changes(_told("inquiry"), _told("inquiry"), SIGNALS.empty_table(), YEAR).num_rows == 0
