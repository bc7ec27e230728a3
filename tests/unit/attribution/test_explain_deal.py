"""What `explain deal` and `explain campaign` say."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from abmloop.errors import BadUsage
from tasks.explain.campaign import explain_campaign
from tasks.explain.campaign_facts import campaign_facts
from tasks.explain.deal import explain_deal
from tasks.explain.deal_facts import deal_facts
from tests.faults.money_world import MoneyWorld
from warehouse.database import connect


@pytest.fixture
def con(workspace: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A deal won after two campaigns, one of which cost something, and an open deal that nobody was touched for."""
    world = MoneyWorld(workspace)
    world.person("P2", "A1")
    world.tables["matched.persons"][1]["seniority"] = "c_level"
    world.add("staging.campaigns", campaign_id="c1", name="Spring webinar", channel="webinar", budget=40, row_hash="1")
    world.touch("t1", "2026-03-01 09:00:00", type="attended")
    world.touch("t2", "2026-03-05 09:00:00", campaign=None, type="page_view", person="P2")
    world.touch("t3", "2026-04-05 09:00:00", type="attended")
    world.add(
        "staging.activities",
        activity_id="v1",
        row_id="crm:v1",
        type="visit",
        occurred_at="2026-03-12 02:00:00",
        owner_id="o1",
    )
    world.add("matched.person_rows", entity="activities", row_id="crm:v1", person_id="P2")
    world.add("staging.deal_stages", deal_id="d1", stage="offer", entered_at="2026-03-15 08:00:00")
    world.tables["marts.account_360"] = [
        {"account_id": "A1", "lists": "[target]", "last_inquiry_at": "2026-03-01 09:00:00", "last_won_at": "2026-03-20"}
    ]
    world.deal("d1", name="Plant", amount="100.01")
    world.split("d1", o1=60, o2=40)
    world.deal("d2", account="A2", stage="talks", amount=5, created_at="2026-10-01", closed_at=None)
    world.sync()
    with connect(workspace) as opened:
        yield opened


def test_a_deal_is_told_as_a_time_line_with_credits_and_reasons(con: duckdb.DuckDBPyConnection) -> None:
    told = explain_deal(con, "d1")
    assert "Deal d1 · Plant · company A1 · won · 100.01" in told
    assert "2 touches of 2 people in 1 campaigns over 18 days" in told
    assert "First decision maker: P2, brought by (website) (page_view) on 2026-03-05." in told
    assert "Most influence (linear): (website), 50.0% of the deal; the strongest touch: attended of 2026-03-01" in told
    assert "Split over sales people (signed): o1 60.00%, 60.01; o2 40.00%, 40.00." in told
    assert "1 more touches of the company do not count: 1 after the close." in told
    line = [row.split("  ")[1] for row in told.splitlines() if row.startswith("  2026")]
    assert line == [
        "2026-03-01 09:00", "2026-03-01 09:00", "2026-03-05 09:00", "2026-03-10 00:00", "2026-03-12 02:00",
        "2026-03-15 08:00", "2026-03-20 00:00",
    ]  # fmt: skip
    assert "2026-03-12 02:00  sales: visit · o1 · P2" in told
    assert "2026-03-15 08:00  — stage offer" in told
    assert "attended · Spring webinar · webinar · P1  [first touch, lead creation]" in told
    assert "u_shaped: Spring webinar 80.0% = 80.01 (anchor first touch, lead creation)" in told
    assert "participation: (website), Spring webinar each touched the whole amount" in told


def test_a_deal_without_touches_says_why_in_chinese(con: duckdb.DuckDBPyConnection) -> None:
    told = explain_deal(con, "d2", "zh")
    assert "此前没有可计入的触点" in told
    assert "linear：未归因 100.0% = 5.00（窗口期内无触点）" in told


def test_a_campaign_shows_whom_it_touched_what_it_cost_and_the_deals_behind_its_roi(
    con: duckdb.DuckDBPyConnection,
) -> None:
    told = explain_campaign(con, "c1")
    assert "2 touches of 1 people: 0 inquiries, 0 MQL, 0 SQL; part of 1 deals, 1 of them won." in told
    assert "1 companies, 1 on the target list; after its first touch 1 became leads, 0 MQL" in told
    assert "company A1: 2 touches of 1 people since 2026-03-01; target list, lead, won" in told
    assert "Cost 40.00 (budget, for want of actual figures)" in told
    assert "40.00 an opportunity" in told
    assert "pipeline, linear: 50.01 earned, ROI 25%" in told
    assert "What it earned by linear (signed), of 1 deals:" in told
    assert "signed, first_touch: 100.01 earned, ROI 150%" in told
    assert "d1 · Plant · company A1: 50.01 of 100.01 by 1 touches" in told


def test_both_are_told_as_data_too(con: duckdb.DuckDBPyConnection) -> None:
    deal, campaign = deal_facts(con, "d1"), campaign_facts(con, "c1")
    assert [row["touch_id"] for row in deal["journey"]] == ["t1", "t2"]
    assert {row["credit"] for row in deal["credits"] if row["model"] == "linear"} == {
        Decimal("50.01"),
        Decimal("50.00"),
    }
    assert [row["became_won"] for row in campaign["companies"]] == [True]
    assert [(row["deal_id"], row["credit"]) for row in campaign["deals"]] == [("d1", Decimal("50.01"))]


def test_unknown_ids_are_told_where_to_look(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(BadUsage, match=r"There is no deal nope\. `abmloop sql"):
        explain_deal(con, "nope")
    with pytest.raises(BadUsage) as unknown:
        explain_campaign(con, "nope", "zh")
    assert unknown.value.told("zh").startswith("没有活动 nope")
