"""Pages of a search that sorts by one field alone and promises no order of equal values."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from scoring.policies.crm import PullMapping
from tasks.outbound.crm.hubspot_pull import HubSpotChanges
from tasks.outbound.crm.session import Session
from tasks.outbound.crm.walk import PAGE_ROWS, Row

DEALS = PullMapping(to="deals", modified="changed", id="deal_id", columns={})
MONDAY, LATER = "2026-06-01T00:00:00.000Z", "2026-06-01T09:00:00.000Z"


class _Search:
    """Records (id → time) behind a search; `between` happens after the first call."""

    def __init__(self, times: dict[int, str], between: Callable[[dict[int, str]], None] = lambda _: None) -> None:
        self.times = times
        self.calls = 0
        self._between = between

    def read(self, method: str, path: str, body: dict[str, Any], parse: object) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 2:
            self._between(self.times)
        groups = [group["filters"] for group in body["filterGroups"]]
        found = [one for one in self.times if not groups or any(self._holds(one, group) for group in groups)]
        random.Random(self.calls).shuffle(found)
        by_time = body["sorts"][0]["propertyName"] == "changed"
        found.sort(key=lambda one: self.times[one] if by_time else one)
        rows = [{"id": str(one), "properties": {"changed": self.times[one]}} for one in found]
        return {"results": rows[: body["limit"]]}

    def _holds(self, one: int, filters: list[dict[str, str]]) -> bool:
        for asked in filters:
            ours, theirs = (
                (one, int(asked["value"]))
                if asked["propertyName"] == "hs_object_id"
                else (datetime.fromisoformat(self.times[one]), datetime.fromisoformat(asked["value"]))
            )
            if not (ours > theirs if asked["operator"] == "GT" else ours == theirs):  # type: ignore[operator]
                return False
        return True


def _read_all(search: _Search) -> list[Row]:
    fetch = HubSpotChanges(cast("Session", search), dict).reading("deals", DEALS).fetch  # type: ignore[arg-type]
    rows: list[Row] = []
    after = ("", "")
    while True:
        page = fetch(after, PAGE_ROWS)
        rows += page
        if len(page) < PAGE_ROWS:
            return rows
        after = (page[-1].modified, page[-1].id)


def test_b01_r6_equal_times_in_any_order_are_all_read_once() -> None:
    times = {one: MONDAY if one < 1250 else LATER for one in range(990, 1500)}
    rows = _read_all(_Search(times))
    assert sorted(int(row.id) for row in rows) == sorted(times)


def test_b01_r6_records_that_change_between_the_two_calls_of_a_page_do_not_end_the_reading() -> None:
    def save_again(times: dict[int, str]) -> None:
        times.update({one: datetime(2026, 6, 2, tzinfo=UTC).isoformat() for one in list(times)[:120]})

    search = _Search(dict.fromkeys(range(1000, 1250), MONDAY), save_again)
    seen = {int(row.id): row.modified for row in _read_all(search)}
    assert seen == search.times
