"""The forecast in the loop: as known on each day, plain where little was closed, its parts adding up to the total."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tasks.forecast import forecast
from tasks.runs import open_run
from tasks.workspace import make_workspace
from tests.faults.money_world import MoneyWorld
from warehouse.steps import step

AS_OF = date(2026, 10, 31)


def _deals(world: MoneyWorld, count: int) -> None:
    """A deal opened every day until today: won or lost, in turn, twenty days later; every fifth in dollars."""
    for number in range(count):
        opened = AS_OF - timedelta(days=number)
        closed = opened + timedelta(days=20)
        is_closed = closed <= AS_OF
        stage = ("won" if number % 2 else "lost") if is_closed else "talks"
        currency = "USD" if number % 5 == 0 else "CNY"
        row = {"stage": stage, "created_at": f"{opened}", "closed_at": f"{closed}", "amount": 100 + number}
        world.deal(f"d{number:03}", currency=currency, probability=0.5, **row)
    world.money("fx_rates", "r1", currency="USD", valid_on="2020-01-01", rate=7)


def _forecast(world: MoneyWorld, as_of: date) -> None:
    world.sync(as_of.isoformat())
    with open_run(world.root, as_of) as run:
        forecast(run)
        with step(run, "marts") as work:
            work.build("marts.forecast", "marts.forecast_backtest", "marts.pipeline_snapshot")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> MoneyWorld:
    root = tmp_path_factory.mktemp("forecast") / "workspace"
    make_workspace(root)
    made = MoneyWorld(root)
    _deals(made, 300)
    _forecast(made, AS_OF)
    return made


def test_the_parts_come_to_the_total_and_the_open_one_opens_into_deals(world: MoneyWorld) -> None:
    rows = world.ask(
        "select horizon, sum(expected_amount) filter (part <> 'total'), max(expected_amount) filter (part = 'total'),"
        " max(low_amount), max(high_amount), sum(expected_amount) filter (part = 'open'), any_value(method)"
        " from marts.forecast group by horizon order by horizon"
    )
    assert [row[0] for row in rows] == ["next_30_days", "next_90_days", "this_month", "this_quarter"]
    for horizon, parts, total, low, high, of_open, method in rows:
        assert (parts, method) == (total, "model")
        assert low <= total <= high
        of_deals = f"select sum(expected_amount) from scored.deal_forecasts where horizon = '{horizon}'"
        assert [(of_open,)] == world.ask(of_deals)


def test_what_was_won_this_quarter_counts_until_today(world: MoneyWorld) -> None:
    won = "select sum(amount_base) from core.deals where status = 'won' and closed_at >= '2026-09-30 16:00:00'"
    told = "select expected_amount from marts.forecast where part = 'won' and horizon = 'this_quarter'"
    assert world.ask(won) == world.ask(told)


def test_the_snapshot_of_today_is_the_deals_of_today(world: MoneyWorld) -> None:
    different = world.ask(
        "select count(*) from core.deals as deals"
        " full join (from marts.pipeline_snapshot where snapshot_on = '2026-10-31') as today using (deal_id)"
        " where row(deals.status, deals.stage, deals.amount_base, deals.owner_id)"
        " is distinct from row(today.status, today.stage, today.amount_base, today.owner_id)"
    )
    assert different == [(0,)]
    assert world.ask("select count(*) - count(distinct (deal_id, snapshot_on)) from marts.pipeline_snapshot") == [(0,)]


def test_the_back_test_stands_beside_the_naive_ones(world: MoneyWorld) -> None:
    rows = world.ask(
        "select method, count(said_amount), min(forecast_on), round(max(wape), 2) from marts.forecast_backtest"
        " where horizon = 'next_30_days' group by method order by method"
    )
    said = {method: number for method, number, _, _ in rows}
    assert said["forecast"] >= 5 and said["last_period"] > said["forecast"]
    assert max(share for method, _, _, share in rows if method == "forecast") < 0.3
    assert world.ask("select count(*) from marts.forecast_backtest where forecast_on + 30 > '2026-11-01'") == [(0,)]


def test_too_little_history_is_said_plainly(workspace: Path) -> None:
    world = MoneyWorld(workspace)
    _deals(world, 30)
    _forecast(world, AS_OF)
    rows = world.ask(
        "select part, method, note, expected_amount, low_amount, pipeline_rate_amount is null, last_period_amount"
        " from marts.forecast where horizon = 'next_30_days' order by part"
    )
    assert [(part, method, expected, low) for part, method, _, expected, low, _, _ in rows] == [
        ("open", "naive_only", None, None),
        ("total", "naive_only", None, None),
    ]
    assert "not enough closed deals: naive only (10 closed" in rows[1][2] and rows[1][5] is False and rows[1][6] > 0
    assert world.ask("select count(said_amount) from marts.forecast_backtest where method = 'forecast'") == [(0,)]


def test_b08_fiscal_quarters_go_by_the_workspace_s_year(workspace: Path) -> None:
    settings = workspace / "abmloop.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\nfiscal_year_starts_in: 2\n", encoding="utf-8")
    _forecast(MoneyWorld(workspace), AS_OF)
    quarter = "select starts_on, ends_on from scored.forecasts where horizon = 'this_quarter'"
    assert MoneyWorld(workspace).ask(quarter) == [(date(2026, 11, 1), date(2027, 1, 31))]
