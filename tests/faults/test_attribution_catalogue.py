"""The catalogue's cases of attribution (A01 to A11, G02), each against running steps."""

from pathlib import Path

import pytest

from tests.faults.money_world import MoneyWorld


@pytest.fixture
def world(workspace: Path) -> MoneyWorld:
    """One person of one company."""
    return MoneyWorld(workspace)


def test_a01_a_deal_without_touches_is_unattributed_and_totals_equal_the_crm(world: MoneyWorld) -> None:
    world.touch("t1", "2026-03-01")
    world.deal("d1", amount=100)
    world.deal("d2", account="A2", amount="33.33")
    world.deal("d3", account=None, amount="0.01")
    world.sync()
    assert world.credits() == [
        ("d1", "t1", "c1", "100.00"), ("d2", None, "(unattributed)", "33.33"), ("d3", None, "(unattributed)", "0.01"),
    ]  # fmt: skip
    totals = world.ask("select model, sum(credit)::varchar from scored.credits where basis = 'pipeline' group by all")
    assert {total for model, total in totals if model != "participation"} == {"133.34"}
    shown = (
        "select sum(attributed_amount)::varchar from marts.campaign_roi where model = 'linear' and basis = 'pipeline'"
    )
    assert world.ask(shown) == [("133.34",)]
    reasons = world.ask(
        "select deal_id, reason from scored.credits where model = 'linear' and basis = 'pipeline' order by 1"
    )
    assert reasons == [("d1", "equally"), ("d2", "no_eligible_touch"), ("d3", "no_party")]


def test_a02_touches_after_the_close_do_not_count_and_the_journey_says_how_many_did(world: MoneyWorld) -> None:
    world.touch("before", "2026-03-15")
    world.touch("after", "2026-03-21", campaign="c2")
    world.deal("d1", closed_at="2026-03-20")
    world.sync()
    assert world.credits() == [("d1", "before", "c1", "100.00")]
    assert world.ask("select touches from marts.deal_journey") == [(1,)]


def test_a03_a_touch_at_the_closing_second_counts_and_equal_seconds_stand_by_id(world: MoneyWorld) -> None:
    for touch_id in ("b", "a"):
        world.touch(touch_id, "2026-03-20 12:00:00", campaign=f"c-{touch_id}")
    world.touch("edge", "2026-01-01 12:00:00", campaign="c-edge")
    world.touch("out", "2026-01-01 11:59:59", campaign="c-out")
    world.deal("d1", closed_at="2026-03-20 12:00:00", amount="0.02")
    world.rules("lookback_days: 78\nmodels: [linear, last_touch]")
    world.sync()
    assert world.ask("select touch_id from scored.deal_touches order by position") == [("edge",), ("a",), ("b",)]
    assert world.credits("last_touch") == [("d1", "b", "c-b", "0.02")]
    # Two cents for three touches: equal remainders go to the earlier touches.
    assert world.credits() == [
        ("d1", "a", "c-a", "0.01"), ("d1", "b", "c-b", "0.00"), ("d1", "edge", "c-edge", "0.01"),
    ]  # fmt: skip


def test_a04_without_cost_there_is_no_roi_and_a_loss_shows_as_one(world: MoneyWorld) -> None:
    world.touch("t1", "2026-03-01", campaign="free")
    world.touch("t2", "2026-03-02", campaign="zero")
    world.touch("t3", "2026-03-03", campaign="paid")
    world.deal("d1", amount=300)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount=-30, signed_on="2026-03-20")
    world.money("costs", "k1", cost_id="k1", campaign_id="zero", amount=0, spent_on="2026-03-01")
    world.money("costs", "k2", cost_id="k2", campaign_id="paid", amount=50, spent_on="2026-03-01")
    world.money("costs", "k3", cost_id="k3", campaign_id="idle", amount=50, spent_on="2026-03-01")
    world.sync()
    figures = world.ask(
        "select campaign_id, attributed_amount::double, roi from marts.campaign_roi "
        "where model = 'linear' and basis = 'signed' order by 1"
    )
    assert figures == [("free", -10.0, None), ("idle", None, -1.0), ("paid", -10.0, -1.2), ("zero", -10.0, None)]


def test_a05_a_campaign_that_only_touches_name_is_listed_and_marked(world: MoneyWorld) -> None:
    world.add("staging.campaigns", campaign_id="Spring", name="Spring", channel="ad", row_hash="1")
    world.touch("t1", "2026-03-01", campaign="Spring")
    world.touch("t2", "2026-03-02", campaign="spring_typo")
    world.deal("d1")
    world.sync()
    assert world.ask("select campaign_id, is_listed from core.campaigns order by 1") == [
        ("Spring", True), ("spring_typo", False),
    ]  # fmt: skip
    assert ("d1", "t2", "spring_typo", "50.00") in world.credits()


def test_a06_the_same_click_in_two_sources_earns_once_and_two_colleagues_twice(world: MoneyWorld) -> None:
    world.person("P2", "A1")
    world.touch("t1", "2026-03-01 10:00:00", source="edm", source_rank=1)
    world.touch("t1", "2026-03-01 10:00:00", source="crm", source_rank=2)
    world.touch("t2", "2026-03-01 10:00:00", person="P2")
    world.deal("d1")
    world.sync()
    assert world.credits() == [("d1", "t1", "c1", "50.00"), ("d1", "t2", "c1", "50.00")]


def test_a07_ten_tenths_come_to_the_cent(world: MoneyWorld) -> None:
    for number in range(10):
        world.touch(f"t{number}", f"2026-03-{number + 1:02}")
    world.deal("d1", amount="999999999.97")
    world.sync()
    assert sorted(credit for *_, credit in world.credits()) == ["100000000.00"] * 7 + ["99999999.99"] * 3
    totals = world.ask("select model, sum(credit)::varchar from scored.credits where basis = 'pipeline' group by all")
    assert {total for model, total in totals if model != "participation"} == {"999999999.97"}


def test_a08_credit_follows_companies_that_became_one_and_no_total_changes(world: MoneyWorld) -> None:
    world.person("P2", "A2")
    world.touch("t1", "2026-03-01")
    world.touch("t2", "2026-03-02", campaign="c2", person="P2")
    world.deal("d1", account="A2", amount="100.01")
    world.sync()
    assert world.credits() == [("d1", "t2", "c2", "100.01")]
    world.add("resolved.account_redirects", old_account_id="A2", account_id="A1")
    world.add("resolved.account_history", account_id="A1", other_account_id="A2", event="merged", as_of="2026-10-30")
    world.sync()
    assert world.credits() == [("d1", "t1", "c1", "50.01"), ("d1", "t2", "c2", "50.00")]
    assert world.ask("select distinct party_id from scored.credits") == [("A1",)]
    assert world.ask("select entity, id, what, account_id, difference::varchar from marts.restatements") == [
        ("account", "A2", "merged", "A1", "0.00")
    ]


def test_a09_costs_restated_foreign_spread_over_days_and_shared_stand_in_one_ledger(world: MoneyWorld) -> None:
    world.money("fx_rates", "r1", currency="USD", valid_on="2026-03-01", rate=7)
    world.money("fx_rates", "r2", currency="USD", valid_on="2026-03-02", rate=8)
    world.add("staging.campaigns", campaign_id="list", cost=10, currency="USD", starts_on="2026-03-01",
              ends_on="2026-03-02", row_id="crm:list", row_hash="list")  # fmt: skip
    world.money("costs", "k1", cost_id="k1", campaign_id="a:75; b:25", amount="0.02", spent_on="2026-03-05")
    world.money("costs", "k2", cost_id="k2", campaign_id="a", amount=5, spent_on="2026-03-05")
    for day, amount in ((1, 6), (2, 5)):
        version = {"entity": "costs", "row_id": "crm:k2", "landed_on": f"2026-04-0{day}", "parent_id": "a"}
        world.add("staging.money_versions", **version, day="2026-03-05", amount=amount)
    world.sync()
    assert world.ask(
        "select campaign_id, spent_on::varchar, amount_base::varchar, is_shared from core.campaign_costs order by all"
    ) == [
        ("a", "2026-03-05", "0.02", True), ("a", "2026-03-05", "5.00", False), ("b", "2026-03-05", "0.00", True),
        ("list", "2026-03-01", "35.00", False), ("list", "2026-03-02", "40.00", False),
    ]  # fmt: skip
    assert world.ask("select id, basis, difference::varchar from marts.restatements") == [("k2", "cost", "-1.00")]


def test_a09_a_deal_s_own_cost_is_shared_among_its_campaigns_to_the_cent(world: MoneyWorld) -> None:
    for number in range(3):
        world.touch(f"s{number}", f"2026-03-0{number + 1}", campaign=f"s{number}")
    world.deal("d1", amount=90)
    world.money("costs", "k1", cost_id="k1", deal_id="d1", amount="100", spent_on="2026-03-15", kind="travel")
    world.sync()
    shown = "select sum(deal_cost)::varchar from marts.{mart} where model = '{model}' and basis = 'pipeline'"
    for mart in ("campaign_roi", "channel_roi"):
        for model in ("linear", "w_shaped", "time_decay", "markov"):
            assert world.ask(shown.format(mart=mart, model=model)) == [("100.00",)]
    # The control: each campaign's share rounded by itself loses a cent.
    alone = "select sum(round(100 * weight, 2))::decimal(18, 2)::varchar from scored.credits"
    assert world.ask(f"{alone} where model = 'linear' and basis = 'pipeline'") == [("99.99",)]


def test_a10_another_window_is_told_from_the_first_by_its_rules(world: MoneyWorld) -> None:
    world.touch("t1", "2026-01-01")
    world.deal("d1")
    world.sync()
    before = world.ask("select distinct config_hash from scored.credits")
    assert world.credits() == [("d1", "t1", "c1", "100.00")]
    world.rules("lookback_days: 30")
    world.sync()
    assert world.credits() == [("d1", None, "(unattributed)", "100.00")]
    assert world.ask("select distinct config_hash from scored.credits") != before


def test_a10_the_figures_of_the_old_rules_stay_beside_the_new(world: MoneyWorld) -> None:
    world.touch("t1", "2026-01-01")
    world.deal("d1")
    world.rules("models: [linear]")
    world.sync("2026-10-30")
    world.rules("models: [linear]\nlookback_days: 30")
    for _ in range(2):
        world.sync("2026-10-31")
        assert world.ask(
            "select as_of::varchar, campaign_id, attributed_amount::varchar, rules::json ->> 'lookback_days'"
            " from ops.former_credits where basis = 'pipeline'"
        ) == [("2026-10-30", "c1", "100.00", "180.0")]


def test_a11_touches_of_a_person_no_longer_known_by_name_keep_their_credit(world: MoneyWorld) -> None:
    world.touch("t1", "2026-03-01")
    world.deal("d1")
    world.tables["matched.persons"][0]["name"] = None
    world.sync()
    shown = world.ask(
        "select distinct person_name, credit::varchar from marts.attribution_credit where basis = 'pipeline'"
    )
    assert shown == [(None, "100.00")]


def test_g02_future_touches_are_shown_and_earn_nothing(world: MoneyWorld) -> None:
    world.touch("t1", "2026-03-01")
    world.touch("t2", "2026-11-01", campaign="c2")
    world.deal("d1", stage="open", closed_at=None)
    world.rules("lookback_days: 0")
    world.sync("2026-10-31")
    assert world.ask("select touch_id, is_future from core.touches order by 1") == [("t1", False), ("t2", True)]
    assert world.credits() == [("d1", "t1", "c1", "100.00")]


def test_e07_touches_of_our_own_staff_earn_nothing(world: MoneyWorld) -> None:
    world.touch("t1", "2026-03-01")
    world.deal("d1")
    world.tables["matched.persons"][0]["is_excluded"] = True
    world.sync()
    assert world.credits() == [("d1", None, "(unattributed)", "100.00")]


def test_e08_rows_in_another_order_give_the_same_credits(world: MoneyWorld) -> None:
    for number in range(6):
        world.touch(f"t{number}", f"2026-03-0{number % 3 + 1}", campaign=f"c{number % 2}")
    world.deal("d1", amount="0.07")
    world.deal("d2", amount="-5.03")
    world.sync()
    everything = "select * exclude (config_hash) from scored.credits order by all"
    before = world.ask(everything), world.ask("select * from marts.campaign_roi order by all")
    for rows in world.tables.values():
        rows.reverse()
    world.sync()
    assert (world.ask(everything), world.ask("select * from marts.campaign_roi order by all")) == before
