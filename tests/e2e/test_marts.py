"""The marts of the small world against figures counted in another way: row by row, in plain Python."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import duckdb
import pytest

from warehouse.database import connect_published

Rows: TypeAlias = list[dict[str, Any]]


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    return list(con.sql(sql).to_arrow_table().to_pylist())


class Facts:
    """What the marts are made of, as plain rows."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.as_of: date = rows(con, "select as_of from marts.published")[0]["as_of"]
        self.zone = ZoneInfo(rows(con, "select timezone from marts.workspace")[0]["timezone"])
        self.touches = rows(con, "select * from core.touches where not is_future")
        self.credits = rows(con, "select * from scored.credits where basis = 'signed' and model = 'linear'")
        self.deals = {row["deal_id"]: row for row in rows(con, "select * from core.deals")}
        self.costs = rows(con, "select * from core.campaign_costs where campaign_id is not null")
        self.stages = rows(con, "select * from scored.lead_stages order by lead_id, cycle, entered_at")
        self.leads = {row["lead_id"]: row for row in rows(con, "select * from scored.leads")}
        self.accounts = {
            row["account_id"]: row for row in rows(con, "select account_id, province from resolved.accounts")
        }

    def month(self, at: datetime) -> date:
        local = at.replace(tzinfo=ZoneInfo("UTC")).astimezone(self.zone)
        return date(local.year, local.month, 1)

    def region(self, account_id: str | None) -> str:
        return str((self.accounts.get(account_id or "") or {}).get("province") or "(unknown)")


@pytest.fixture(scope="module")
def facts(whole: duckdb.DuckDBPyConnection) -> Facts:
    return Facts(whole)


@pytest.fixture(scope="module")
def whole(synced: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, open for the whole module."""
    with connect_published(synced) as con:
        yield con


def later(stages: Rows, facts: Facts, key: str, stage: str) -> dict[str, list[datetime]]:
    """When leads entered the stage, by person or account."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in stages:
        who = facts.leads[row["lead_id"]][key]
        if row["stage"] == stage and who:
            found[who].append(row["entered_at"])
    return found


def test_reach_by_region_and_month_counts_people_and_companies_once(
    whole: duckdb.DuckDBPyConnection, facts: Facts
) -> None:
    first: dict[tuple[str, date | None, str, str], datetime] = {}
    touches: dict[tuple[str, date | None], int] = defaultdict(int)
    for row in facts.touches:
        for month in (None, facts.month(row["occurred_at"])):
            place = facts.region(row["account_id"]), month
            touches[place] += 1
            for kind in ("person_id", "account_id"):
                if row[kind]:
                    key = (*place, kind, row[kind])
                    first[key] = min(first.get(key, row["occurred_at"]), row["occurred_at"])
    mql = {kind: later(facts.stages, facts, kind, "mql") for kind in ("person_id", "account_id")}
    won = defaultdict(list)
    for deal in facts.deals.values():
        if deal["status"] == "won" and deal["account_id"]:
            won[deal["account_id"]].append(deal["closed_at"])
    expected: dict[tuple[str, date | None], list[int]] = {place: [n, 0, 0, 0, 0, 0] for place, n in touches.items()}
    for (region, month, kind, who), at in first.items():
        figure = expected[region, month]
        is_mql = any(when >= at for when in mql[kind].get(who, []))
        if kind == "person_id":
            figure[1] += 1
            figure[2] += is_mql
        else:
            figure[3] += 1
            figure[4] += is_mql
            figure[5] += any(when >= at for when in won.get(who, []))
    found = rows(
        whole,
        """select member, starts_on, touches, people, mqls, accounts, mql_accounts, won_accounts
        from marts.campaign_reach where dimension = 'region' and period in ('all', 'month') and touches > 0""",
    )
    assert {(row["member"], row["starts_on"]): list(row.values())[2:] for row in found} == expected


def test_campaigns_have_one_figure_wherever_they_stand(whole: duckdb.DuckDBPyConnection) -> None:
    differing = whole.execute(
        """
        select roi.campaign_id, roi.model, roi.basis
        from marts.campaign_roi as roi
        left join marts.campaign_returns as returns
            on returns.dimension = 'campaign' and returns.period = 'all' and returns.member = roi.campaign_id
           and returns.model = roi.model and returns.basis = roi.basis
        left join marts.campaign_reach as reach
            on reach.dimension = 'campaign' and reach.period = 'all' and reach.member = roi.campaign_id
        where roi.cost is distinct from returns.cost
           or roi.attributed_amount is distinct from returns.amount_by_touch_date
           or abs(coalesce(roi.roi, 9) - coalesce(returns.roi_by_close_date, 9)) > 1e-9
           or (roi.touches, roi.people, roi.accounts, roi.mqls, roi.won_accounts) is distinct from
              (coalesce(reach.touches, 0), coalesce(reach.people, 0), coalesce(reach.accounts, 0),
               coalesce(reach.mqls, 0), coalesce(reach.won_accounts, 0))
        """
    ).fetchall()
    assert differing == []


def test_every_dimension_adds_up_to_all_credits_and_all_costs_to_the_cent(
    whole: duckdb.DuckDBPyConnection, facts: Facts
) -> None:
    credited = sum((row["credit"] for row in facts.credits if row["credit"] is not None), Decimal(0))
    spent = sum(
        (row["amount_base"] for row in facts.costs if row["spent_on"] is None or row["spent_on"] <= facts.as_of),
        Decimal(0),
    )
    found = whole.execute(
        """select dimension, sum(amount_by_touch_date), sum(amount_by_close_date), sum(cost)
        from marts.campaign_returns where period = 'all' and model = 'linear' and basis = 'signed' group by all"""
    ).fetchall()
    assert len(found) == 8
    assert {row[1:] for row in found} == {(credited, credited, spent)}


def test_returns_by_channel_follow_touch_and_close_dates(whole: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    by_touch: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    by_close: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    touched = {row["touch_id"]: row["occurred_at"] for row in facts.touches}
    for row in facts.credits:
        channel = "(unattributed)" if row["touch_id"] is None else row["channel"] or "(unknown)"
        deal = facts.deals.get(row["deal_id"])
        if row["touch_id"]:
            by_touch[channel, facts.month(touched[row["touch_id"]])] += row["credit"]
        if deal and deal["status"] == "won":
            by_close[channel, facts.month(deal["closed_at"])] += row["credit"]
    found = rows(
        whole,
        """select member, starts_on, amount_by_touch_date as touch, amount_by_close_date as close
        from marts.campaign_returns
        where dimension = 'channel' and period = 'month' and model = 'linear' and basis = 'signed'""",
    )
    assert {(row["member"], row["starts_on"]): row["touch"] for row in found if row["touch"] is not None} == by_touch
    assert {(row["member"], row["starts_on"]): row["close"] for row in found if row["close"] is not None} == by_close


def test_cohorts_count_who_reached_sql_within_90_days(whole: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    inquired: dict[str, datetime] = {}
    reached: dict[str, datetime] = {}
    for row in facts.stages:
        target = {"inquiry": inquired, "sql": reached}.get(row["stage"])
        if target is not None:
            target[row["lead_id"]] = min(target.get(row["lead_id"], row["entered_at"]), row["entered_at"])
    expected: dict[date, list[Any]] = {}
    days: dict[date, list[float]] = defaultdict(list)
    for lead, at in inquired.items():
        figure = expected.setdefault(facts.month(at), [0, 0, 0, None])
        figure[0] += 1
        if lead in reached:
            took = reached[lead] - at
            figure[1] += 1
            figure[2] += took <= timedelta(days=90)
            if took >= timedelta(0):
                days[facts.month(at)].append(took.total_seconds() / 86400)
    for month, figure in expected.items():
        following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        if (facts.as_of - (following - timedelta(days=1))).days <= 90:
            figure[2] = None
        figure[3] = pytest.approx(median(days[month])) if days[month] else None
    found = rows(
        whole,
        """select cohort_month, leads, reached, within_90_days, median_days from marts.funnel_cohort
        where dimension = 'all' and stage = 'sql'""",
    )
    assert {row["cohort_month"]: list(row.values())[1:] for row in found} == expected


def test_velocity_of_won_deals_and_the_rate_at_which_they_are_won(
    whole: duckdb.DuckDBPyConnection, facts: Facts
) -> None:
    taken: dict[str, list[float]] = {"won": [], "lost": []}
    amounts = []
    for deal in facts.deals.values():
        if deal["status"] in taken and deal["created_at"] and deal["closed_at"] >= deal["created_at"]:
            taken[deal["status"]].append((deal["closed_at"] - deal["created_at"]).total_seconds() / 86400)
            amounts += [deal["amount_base"]] * (deal["status"] == "won" and deal["amount_base"] is not None)
    found = rows(
        whole, "select * from marts.velocity where step = 'deal_won' and dimension = 'all' and period = 'all'"
    )[0]
    assert found["completed"] == len(taken["won"]) > 0
    assert found["median_days"] == pytest.approx(median(taken["won"]))
    assert found["win_rate"] == pytest.approx(len(taken["won"]) / (len(taken["won"]) + len(taken["lost"])))
    assert found["mean_amount"] == round(sum(amounts) / len(amounts), 2)


def test_the_parts_of_a_stages_change_add_up_in_every_dimension(whole: duckdb.DuckDBPyConnection) -> None:
    found = whole.execute(
        """
        select part.stage, part.dimension, sum(part.contribution) - any_value(whole.change)
        from marts.funnel_change as part
        join marts.funnel_change as whole on whole.stage = part.stage and whole.dimension = 'all'
        where whole.change is not null
        group by all
        """
    ).fetchall()
    assert found and all(abs(difference) < 1e-9 for _, _, difference in found)


def test_acquisition_cost_is_the_channels_and_all_customers_are_counted(
    whole: duckdb.DuckDBPyConnection, facts: Facts
) -> None:
    customers = {deal["party_id"] for deal in facts.deals.values() if deal["status"] == "won" and deal["party_id"]}
    found = whole.execute(
        """select economics.channel, economics.cac - roi.cac, economics.new_customers
        from marts.unit_economics as economics
        left join marts.channel_roi as roi
            on roi.channel = economics.channel and roi.model = economics.model and roi.basis = 'pipeline'
        where economics.model = 'linear' and economics.cohort is null"""
    ).fetchall()
    assert all(difference is None or abs(difference) < 0.01 for _, difference, _ in found)
    assert {row[0]: row[2] for row in found}["(all)"] == pytest.approx(len(customers))
