"""B04, B03: a report of an older day comes back as it was, from files landed until then; the lines lead to today's."""

from datetime import date
from pathlib import Path

import pytest

from tasks.loop import run_steps
from tasks.runs import open_run
from tests.e2e.worlds import differing, hashes
from warehouse.database import connect, remove_warehouse

STEPS = ("land", "parse", "resolve", "segment", "match", "build_core", "score", "route", "attribute", "build_marts")
FIRST, SECOND = date(2026, 4, 1), date(2026, 4, 2)
DEALS = "deal_id,account_name,stage,amount,created_at,closed_at\nd1,北京甲科技有限公司,{}\n"


def _land(root: Path, entity: str, day: date, text: str) -> None:
    folder = root / "inbox" / entity
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"crm-{day}.csv").write_text(text, encoding="utf-8")


def _day(root: Path, day: date) -> dict[str, str]:
    with open_run(root, day, push="off") as run:
        run_steps(run, only=STEPS)
    return hashes(root, ("core", "scored", "marts"))


@pytest.mark.slow
def test_b04_an_amended_order_and_a_reopened_deal_leave_the_old_report_as_it_was(workspace: Path) -> None:
    (workspace / "config").mkdir()
    (workspace / "config" / "sources.yaml").write_text("settle_seconds: 0\n", encoding="utf-8")
    _land(workspace, "deals", FIRST, DEALS.format("won,100,2026-03-01,2026-03-20"))
    _land(workspace, "orders", FIRST, "order_id,deal_id,signed_on,amount\no1,d1,2026-03-20,100\n")
    told = _day(workspace, FIRST)
    _land(workspace, "deals", SECOND, DEALS.format("negotiation,90,2026-03-01,2026-05-20"))
    _land(workspace, "orders", SECOND, "order_id,deal_id,signed_on,amount\no1,d1,2026-03-20,80.5\n")
    later = _day(workspace, SECOND)
    assert "scored.credits" in differing(told, later)
    lines = "select entity, id, what, difference::varchar from marts.restatements order by all"
    with connect(workspace) as con:
        found = con.execute(lines).fetchall()
    assert found == [("deal", "d1", "amount+day+stage", "-10.00"), ("order", "o1", "amount", "-19.50")]
    remove_warehouse(workspace)
    assert differing(told, _day(workspace, FIRST)) == []
