"""The catalogue's cases of money (B03 to B08, V24), each against running steps."""

from pathlib import Path

import pytest

import tasks.attribute.step
from abmloop.errors import AbmError
from tests.faults.money_world import MoneyWorld
from warehouse.models import all_models


@pytest.fixture
def world(workspace: Path) -> MoneyWorld:
    """One person of one company, touched twice before 10 March 2026."""
    found = MoneyWorld(workspace)
    found.touch("t1", "2026-03-01", campaign="c1")
    found.touch("t2", "2026-03-02", campaign="c2")
    return found


def _total(world: MoneyWorld, basis: str, model: str = "linear") -> str:
    total = f"select sum(credit)::varchar from scored.credits where basis = '{basis}' and model = '{model}'"
    return str(world.ask(total)[0][0])


def test_b03_won_open_won_keeps_its_history(world: MoneyWorld) -> None:
    world.deal("d1")
    for stage, day in (("won", "2026-03-05"), ("negotiation", "2026-03-08"), ("won", "2026-03-20")):
        world.add("staging.deal_stages", deal_id="d1", stage=stage, entered_at=day)
    world.sync()
    assert world.ask("select stage, status from core.deal_stages order by entered_at") == [
        ("won", "won"), ("negotiation", "open"), ("won", "won"),
    ]  # fmt: skip


def test_b04_an_amended_amount_changes_the_credits_and_the_old_rows_are_gone(world: MoneyWorld) -> None:
    world.deal("d1", amount=100)
    world.sync()
    world.tables["staging.deals"][0]["amount"] = 80
    world.sync()
    assert [credit for *_, credit in world.credits()] == ["40.00", "40.00"]


def _versions(world: MoneyWorld, entity: str, key: str, *told: dict[str, object]) -> None:
    """What staging keeps of a record that was told several times, a version a day of April."""
    for day, version in enumerate(told, start=1):
        world.add(
            "staging.money_versions", entity=entity, row_id=f"crm:{key}", landed_on=f"2026-04-{day:02}", **version
        )


def test_b03_a_deal_reopened_lost_and_closed_earlier_leaves_a_line_each_time(world: MoneyWorld) -> None:
    world.deal("d1", amount=100)
    _versions(
        world, "deals", "d1", {"stage": "won", "day": "2026-03-20", "amount": 100},
        {"stage": "negotiation", "day": "2026-04-20", "amount": 100},
        {"stage": "lost", "day": "2026-04-20", "amount": 100}, {"stage": "won", "day": "2026-03-10", "amount": 100},
    )  # fmt: skip
    world.sync()
    assert world.ask(
        "select stated_on::varchar, what, status_before, status, difference::varchar from marts.restatements order by 1"
    ) == [
        ("2026-04-02", "day+stage", "won", "open", "0.00"), ("2026-04-03", "stage", "open", "lost", "-100.00"),
        ("2026-04-04", "day+stage", "lost", "won", "100.00"),
    ]  # fmt: skip


def test_b04_an_amended_amount_is_a_line_from_the_old_figure_to_the_new(world: MoneyWorld) -> None:
    world.money("fx_rates", "r1", currency="USD", valid_on="2026-03-01", rate=7)
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount=80, currency="USD", signed_on="2026-03-20")
    _versions(
        world, "orders", "o1", {"amount": 100, "currency": "USD", "day": "2026-03-20", "parent_id": "d1"},
        {"amount": 80, "currency": "USD", "day": "2026-03-20", "parent_id": "d1"},
    )  # fmt: skip
    world.sync()
    assert _total(world, "signed") == "560.00"
    assert world.ask(
        "select basis, deal_id, what, amount_before::varchar, amount::varchar, difference::varchar"
        " from marts.restatements"
    ) == [("signed", "d1", "amount", "100.00", "80.00", "-140.00")]


def test_b05_refunds_and_over_payments_are_signed_and_net_shows_its_parts(world: MoneyWorld) -> None:
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount=100, signed_on="2026-03-20")
    world.money("orders", "o2", order_id="o2", deal_id="d1", amount="-0.01", signed_on="2026-03-21")
    for number, (day, amount) in enumerate([("2026-04-01", 120), ("2026-04-02", "-150.03")]):
        world.money("payments", f"p{number}", payment_id=f"p{number}", order_id="o1", amount=amount, paid_on=day)
    world.sync()
    assert _total(world, "signed") == "99.99"
    assert _total(world, "cash") == "-30.03"
    assert sorted(credit for *_, credit in world.credits("linear", "cash")) == ["-15.01", "-15.02"]
    assert world.ask("select payment_id, is_refund, issue from marts.payments order by 1") == [
        ("p0", False, "overpaid"), ("p1", True, "refund exceeds payments"),
    ]  # fmt: skip


def test_b06_orders_and_payments_of_no_known_deal_are_in_suspense_and_totals_balance(world: MoneyWorld) -> None:
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount=60, signed_on="2026-03-20")
    world.money("orders", "o2", order_id="o2", deal_id="nobody", amount=40, signed_on="2026-03-20")
    world.money("payments", "p1", payment_id="p1", order_id="nothing", amount=7, paid_on="2026-03-20")
    world.sync()
    assert _total(world, "signed") == "100.00"
    assert ("(no deal)", None, "(unattributed)", "40.00") in world.credits("linear", "signed")
    assert world.credits("linear", "cash") == [("(no deal)", None, "(unattributed)", "7.00")]
    assert world.ask("select issue from marts.payments") == [("unknown order",)]
    assert world.ask("select entity, id, issue, named, amount_base::varchar from marts.suspense order by 1") == [
        ("order", "o2", "unknown deal", "nobody", "40.00"), ("payment", "p1", "unknown order", "nothing", "7.00"),
    ]  # fmt: skip


def test_b06_the_same_deal_from_two_sources_counts_once(world: MoneyWorld) -> None:
    world.deal("d1", amount=100, source="crm", source_rank=1)
    world.deal("d1", amount=90, source="old_crm", source_rank=2)
    world.sync()
    assert _total(world, "pipeline") == "100.00"
    told = world.ask("select id, issue, named, amount::varchar, basis from marts.suspense")
    assert told == [("old_crm:d1", "duplicate deal", "d1", "90.00", None)]


def test_b06_every_record_that_hangs_on_nothing_is_in_suspense_with_what_it_names(world: MoneyWorld) -> None:
    world.deal("d1", account=None)
    world.money("orders", "o1", order_id="o1", amount=1, signed_on="2026-03-20")
    world.money("invoices", "i1", invoice_id="i1", order_id="o1", amount=2, issued_on="2026-03-20")
    world.money("payments", "p1", payment_id="p1", amount=3, paid_on="2026-03-20")
    world.money("payments", "p2", payment_id="p2", deal_id="gone", amount=4, paid_on="2026-03-20")
    world.money("costs", "k1", cost_id="k1", deal_id="gone", amount=5, spent_on="2026-03-20")
    world.add("staging.deal_splits", row_id="crm:s1", row_hash="s1", deal_id="gone", landed_on="2026-03-20")
    world.sync()
    assert world.ask("select entity, id, issue, named from marts.suspense order by entity, id") == [
        ("cost", "k1", "unknown deal", "gone"), ("deal", "d1", "no account", None),
        ("invoice", "i1", "order without deal", "o1"), ("order", "o1", "no deal", None),
        ("payment", "p1", "no order", None), ("payment", "p2", "unknown deal", "gone"),
        ("split", "crm:s1", "unknown deal", "gone"),
    ]  # fmt: skip
    assert [_total(world, basis) for basis in ("pipeline", "signed", "invoiced", "cash")] == [
        "100.00", "1.00", "2.00", "7.00",
    ]  # fmt: skip


def test_b07_thirds_come_to_a_hundred(world: MoneyWorld) -> None:
    world.touch("t3", "2026-03-03", campaign="c3")
    world.deal("d1", amount="100.00")
    world.sync()
    assert [credit for *_, credit in world.credits()] == ["33.34", "33.33", "33.33"]


def test_b07_a_deal_of_three_companies_credits_the_touches_of_each_with_its_third_on_every_basis(
    world: MoneyWorld,
) -> None:
    world.person("P2", "A2")
    world.touch("t3", "2026-03-03", person="P2", campaign="c3")
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", signed_on="2026-03-21", amount="100.01")
    world.money("payments", "y1", payment_id="y1", order_id="o1", paid_on="2026-03-22", amount="-0.02")
    world.split("d1", A1=33.33, A2=33.33, A3=33.33)
    world.sync()
    nobody = "(unattributed)"  # nobody of the third company was ever touched
    assert world.credits() == [
        ("d1", "t1", "c1", "16.67"), ("d1", "t2", "c2", "16.67"), ("d1", "t3", "c3", "33.33"),
        ("d1", None, nobody, "33.33"),
    ]  # fmt: skip
    assert [_total(world, basis) for basis in ("pipeline", "signed", "cash")] == ["100.00", "100.01", "-0.02"]
    assert world.ask("select sum(weight) from scored.credits where model = 'linear' and basis = 'cash'") == [(1,)]


def test_b07_a_deal_of_two_sales_people_is_each_ones_share_to_the_cent(world: MoneyWorld) -> None:
    world.deal("d1", amount="0.03", owner_id="o1")
    world.split("d1", o1=50, o2=50)
    world.sync()
    assert world.ask(
        "select owner_id, amount::varchar from core.part_amounts join core.deal_parts using (deal_id, axis, part)"
        " where axis = 'owner' and basis = 'pipeline' order by all"
    ) == [("o1", "0.02"), ("o2", "0.01")]
    assert [credit for *_, credit in world.credits()] == ["0.02", "0.01"]


def test_b07_another_split_credits_anew_what_it_reaches_and_nothing_else(world: MoneyWorld) -> None:
    world.person("P2", "A2")
    world.touch("t3", "2026-03-03", person="P2", campaign="c3")
    world.deal("d1", amount=100)
    world.deal("d2", amount=100)
    world.split("d1", A1=60, A2=40)
    world.sync()
    world.split("d1", "2026-05-01", A1=50, A2=50)
    assert world.sync()["recredited_deals"] == 1
    assert [credit for deal, *_, credit in world.credits() if deal == "d1"] == ["25.00", "25.00", "50.00"]
    assert world.sync()["recredited_deals"] == 0


def test_b07_a_deal_whose_orders_are_in_two_currencies_is_one_amount(world: MoneyWorld) -> None:
    world.money("fx_rates", "r1", currency="USD", valid_on="2026-03-01", rate=7.1234)
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount="10.01", currency="USD", signed_on="2026-03-20")
    world.money("orders", "o2", order_id="o2", deal_id="d1", amount="0.70", signed_on="2026-03-20")
    world.sync()
    assert _total(world, "signed") == "72.01"


def test_b08_one_calendar_says_where_every_mart_s_quarters_begin(world: MoneyWorld) -> None:
    settings = world.root / "abmloop.yaml"
    settings.write_text(f"{settings.read_text(encoding='utf-8')}\nfiscal_year_starts_in: 2\n", encoding="utf-8")
    world.sync()
    assert world.ask(
        "select strftime(month, '%m'), strftime(quarter_starts_on, '%Y-%m'), quarter from core.months"
        " where month between '2026-01-01' and '2026-02-01' order by 1"
    ) == [("01", "2025-11", 4), ("02", "2026-02", 1)]
    spelt = {
        name for name, model in all_models().items() if "trunc('quarter'" in model.sql or "trunc('year'" in model.sql
    }
    assert spelt == set()


def test_b08_an_order_of_the_last_local_day_counts_and_one_of_the_next_waits(world: MoneyWorld) -> None:
    world.deal("d1", amount=100)
    world.money("orders", "o1", order_id="o1", deal_id="d1", amount=60, signed_on="2026-10-31")
    world.money("orders", "o2", order_id="o2", deal_id="d1", amount=40, signed_on="2026-11-01")
    world.sync("2026-10-31")
    assert _total(world, "signed") == "60.00"
    world.sync("2026-11-01")
    assert _total(world, "signed") == "100.00"


def test_v24_an_amount_without_a_rate_is_in_no_total_and_is_shown(world: MoneyWorld) -> None:
    world.money("fx_rates", "r1", currency="USD", valid_on="2026-03-21", rate=7)  # a day after the closing
    world.deal("d1", amount=100, currency="USD", closed_at="2026-03-20")
    world.deal("d2", amount=5)
    world.sync()
    assert _total(world, "pipeline") == "5.00"
    assert world.ask("select entity, id, currency, day::varchar, amount::varchar from core.unconverted") == [
        ("deal", "d1", "USD", "2026-03-20", "100.00")
    ]


def test_an_unknown_amount_is_not_zero(world: MoneyWorld) -> None:
    world.deal("d1", amount=None)
    world.sync()
    assert world.credits() == [("d1", "t1", "c1", None), ("d1", "t2", "c2", None)]
    assert world.ask(
        "select campaign_id, attributed_amount, attributed_deals from marts.campaign_roi "
        "where model = 'linear' and basis = 'pipeline' order by 1"
    ) == [("c1", None, 0.5), ("c2", None, 0.5)]


def test_a_lost_cent_stops_the_step_and_nothing_is_kept(world: MoneyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a cent taken from every credit, the check of the step must fail."""
    world.deal("d1", amount=100)
    world.sync()
    before = world.credits()
    world.tables["staging.deals"][0]["amount"] = 99
    spoiled = tasks.attribute.step.CreditRows.of_model

    def one_row_short(self: tasks.attribute.step.CreditRows, *given: object) -> object:
        return spoiled(self, *given).slice(1)  # type: ignore[arg-type]

    monkeypatch.setattr(tasks.attribute.step.CreditRows, "of_model", one_row_short)
    with pytest.raises(AbmError, match=r"attribute: deal d1, .*: credits .* against an amount of 99\.00"):
        world.sync()
    assert world.credits() == before
