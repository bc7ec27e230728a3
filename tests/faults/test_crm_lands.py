"""What was pulled lands and reaches the totals: amounts, amendments of one day, deletions, merges, people, stages."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.loop import run_steps
from tasks.outbound.pull.step import Cursors, pull_pages
from tasks.outbound.pull.told import Told, page_prefix
from tasks.runs import open_run
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld
from warehouse.database import connect
from warehouse.steps import step

STEPS = ("land", "check_landed", "parse", "resolve", "segment", "match", "build_core")
WON = {"dealstage": "closedwon", "closedate": "2026-10-20", "createdate": "2026-09-01", "deal_currency_code": "CNY"}


class Loop:
    """A workspace whose only source is a HubSpot account, run day by day."""

    def __init__(self, root: Path, server: CrmServer) -> None:
        (root / "abmloop.yaml").write_text("language: en\ncurrency: CNY\n", encoding="utf-8")
        self.world = VendorWorld.begin(root, server, "hubspot", 1)
        self.day = date(2026, 10, 31)

    def run(self) -> None:
        """Pull, land, and build up to core, as of the next day."""
        self.day += timedelta(days=1)
        self.world.fake.sleep(86_400)
        with open_run(self.world.root, self.day) as run:
            self.pull(run)
            run_steps(run, only=STEPS)

    def pull(self, run: Any) -> None:
        with step(run, "pull") as work:
            told = Told(work, page_prefix(self.world.policy.instance), run.at.isoformat(timespec="microseconds"))
            pull_pages(run.root, self.world.connector(), Cursors(work.ledger, run, self.world.policy.instance), told)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.world.root) as con:
            return con.execute(sql).fetchall()

    def total(self, basis: str) -> str | None:
        rows = self.ask(f"select sum(amount)::varchar from core.deal_amounts where basis = '{basis}'")
        return str(rows[0][0]) if rows[0][0] is not None else None


@pytest.fixture
def loop(tmp_path: Path, crm_server: CrmServer) -> Loop:
    return Loop(tmp_path, crm_server)


@pytest.mark.slow
def test_b02_b03_b04_what_is_pulled_reaches_the_totals_and_follows_what_people_do(loop: Loop) -> None:
    fake = loop.world.fake
    kept, lost, double = fake.ask(
        "plant", object="deals", records=[{**WON, "dealname": n, "amount": "100"} for n in "abc"]
    )
    (person,) = fake.ask("plant", object="contacts", records=[{"email": "wang@acme.cn", "mobilephone": "13800138123"}])
    order = {"hs_total_price": "80", "hs_currency_code": "CNY", "hs_createdate": "2026-10-20"}
    first, second = fake.ask("plant", object="orders", records=[order, {**order, "hs_total_price": "20"}])
    paid = {"hs_initial_amount": "80", "hs_initiated_date": "2026-10-21", "hs_latest_status": "succeeded"}
    (payment,) = fake.ask("plant", object="commerce_payments", records=[paid])
    for end, to in ((first, double), (second, kept), (kept, person), (payment, first)):
        fake.ask("link", **{"from": end, "to": [[to, "Decision Maker"]]})
    loop.run()
    assert (loop.total("pipeline"), loop.total("signed"), loop.total("cash")) == ("300.00", "100.00", "80.00")
    assert loop.ask("select deal_id, role from core.deal_contacts") == [(kept, "decision_maker")]

    # To and fro on one day: the last word counts, whatever the files are called.
    for amount in ("990", "100", "120"):
        fake.sleep(60)
        fake.ask("change", records=[{"id": kept, "fields": {"amount": amount}}])
        with open_run(loop.world.root, loop.day + timedelta(days=1)) as run:
            loop.pull(run)
    fake.ask("change", records=[{"id": lost, "deleted": True}])
    stays = fake.ask("merge", winner=kept, loser=double)
    loop.run()
    assert loop.ask("select deal_id, amount::varchar, status from core.deals") == [(stays, "120.00", "won")]
    assert loop.ask("select order_id, deal_id from core.orders order by 1") == [(first, stays), (second, stays)]
    assert loop.ask("select payment_id, deal_id from core.payments") == [(payment, stays)]
    assert (loop.total("signed"), loop.total("cash")) == ("100.00", "80.00")
    assert {deal for (deal,) in loop.ask("select deal_id from core.deal_contacts")} == {stays}
    gone = loop.ask(f"select known_until::varchar from core.deal_changes where deal_id = '{lost}'")
    assert gone[-1] == (str(loop.day - timedelta(days=1)),), "its days are kept until then"

    # A role taken away, an order voided, the deal lost and won again.
    fake.ask("link", **{"from": stays, "to": []})
    fake.ask("change", records=[{"id": second, "deleted": True}, {"id": stays, "fields": {"dealstage": "closedlost"}}])
    loop.run()
    assert loop.ask("select count(*) from core.deal_contacts") == [(0,)]
    assert loop.total("signed") == "80.00"
    fake.ask("change", records=[{"id": stays, "fields": {"dealstage": "closedwon"}}])
    loop.run()
    told = loop.ask(f"select status from core.deal_changes where deal_id = '{stays}' order by known_on")
    assert [status for (status,) in told][-2:] == ["lost", "won"]
    stages = loop.ask(f"select stage from core.deal_stages where deal_id = '{stays}' order by entered_at, stage")
    assert [stage for (stage,) in stages][-2:] == ["closedlost", "closedwon"]
