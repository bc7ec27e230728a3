"""A lead goes to a real CRM, is won and amended there, comes back, is attributed, and shows as ROI.

Slow: Tryton is installed into an environment of its own (requirements-tryton.txt), set up, started on loopback.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from abmloop.policy import parse_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector, Found, Record, Verdict
from tasks.outbound.crm.mapping import in_their_words
from tasks.outbound.crm.tryton import TrytonConnector
from tests.contract.test_connectors import (  # noqa: F401  (the suite that every connector passes)
    test_a_found_record_tells_whether_a_version_arrived,
    test_a_record_found_is_not_created_again,
    test_a_record_without_the_gates_word_is_refused,
    test_an_unknown_object_is_refused_not_invented,
    test_every_record_gets_one_verdict_under_our_key,
    test_it_says_who_it_is_and_how_doubt_is_settled,
    test_pages_are_offered_again_whole,
    test_what_was_sent_is_found_after_a_restart_and_nothing_else,
)
from tests.e2e.tryton_server import PASSWORD, USER, TrytonServer
from tests.e2e.worlds import sync, unsynced
from warehouse.database import connect_to_look

pytestmark = pytest.mark.slow

ENVIRONMENT = {"TRYTON_USER": USER, "TRYTON_PASSWORD": PASSWORD}
RULES = """
version: 1
instance: tryton:crm
url: {url}
index_lag_seconds: 0
objects:
  companies:
    fields:
      name: {{owner: fill_if_blank}}
  leads:
    fields:
      name: {{owner: fill_if_blank}}
      score_reason: {{owner: ours}}
"""


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with TrytonServer(tmp_path_factory.mktemp("tryton")) as server:
        yield server


class InTheSuitesWords:
    """The suite writes a field `stage`, which Tryton lacks: here it stands in the comment."""

    def __init__(self, connector: TrytonConnector) -> None:
        self.connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connector, name)

    def upsert(self, name: str, records: Sequence[Record]) -> list[Verdict]:
        renamed = [
            Record(one.key, {"comment": one.fields["stage"]}, one.payload_hash, one.allowed_by, one.crm_id)
            for one in records
        ]
        return self.connector.upsert(name, renamed)

    def find(self, name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        found = self.connector.find(name, keys)
        return {key: Found(one.crm_id, {"stage": (one.fields or {}).get("comment")}) for key, one in found.items()}


class Harness:
    """What the suite asks of a CRM account."""

    def __init__(self, server: TrytonServer) -> None:
        self.server = server
        self.policy = in_their_words(parse_policy(RULES.format(url=server.url), CrmPolicy))

    def open(self) -> Connector:
        return InTheSuitesWords(TrytonConnector(self.policy, ENVIRONMENT))  # type: ignore[return-value]

    def put_deal(self) -> None:
        self.server.win(self.server.make("sale.opportunity", description="a deal"), "深圳华强", "1000.00")

    def created(self) -> Counter[str]:
        rows = self.server.find("sale.opportunity", [["reference", "!=", None]], "reference")
        return Counter(row["reference"] for row in rows)


@pytest.fixture
def crm(tryton: TrytonServer) -> Harness:
    """An account that bears none of our keys."""
    for row in tryton.find("sale.opportunity", [["reference", "!=", None]], "id"):
        tryton.change("sale.opportunity", row["id"], reference=None)
    return Harness(tryton)


def _ask(root: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect_to_look(root) as con:
        return con.execute(sql, list(values)).fetchall()


def test_a_lead_won_and_amended_in_a_real_crm_comes_back_as_roi(
    tryton: TrytonServer, synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    root = unsynced(synced, tmp_path / "workspace")
    (root / "config" / "crm.yaml").write_text(RULES.format(url=tryton.url), encoding="utf-8")
    (root / "config" / "attribution.yaml").write_text("lookback_days: 0\n", encoding="utf-8")
    sync(root)
    pushed = {row["reference"]: row["id"] for row in tryton.find("sale.opportunity", [["state", "=", "lead"]],
              "reference") if row["reference"]}  # fmt: skip
    lead, company = _touched_lead(root, list(pushed))
    today = datetime.now(UTC).date()

    order = tryton.win(pushed[lead], company, "30000.00")
    sync(root, today)
    assert _credit(root, pushed[lead]) == (30000, {"won"})
    before = _revenue(root)
    assert before >= 30000

    tryton.amend(order, "45000.00")
    sync(root, today)
    assert _credit(root, pushed[lead]) == (45000, {"won"})
    assert _revenue(root) == before + 15000
    assert Harness(tryton).created() == dict.fromkeys(pushed, 1)


def test_b03_a_real_deal_tells_its_stages_its_order_and_who_is_there(tryton: TrytonServer) -> None:
    deal = tryton.make("sale.opportunity", description="a deal with a past")
    order = tryton.win(deal, "广州白云", "700.00")
    connector = TrytonConnector(Harness(tryton).policy, ENVIRONMENT)

    def rows(entity: str) -> list[dict[str, Any]]:
        pages = connector.changes_since(entity, None)
        return [json.loads(line) for page in pages for line in page.body.splitlines()]

    stages = [row["stage"] for row in rows("deal_stages") if row["deal_id"] == str(deal)]
    assert stages == ["lead", "opportunity", "converted", "won"]
    (sold,) = [row for row in rows("orders") if row["order_id"] == str(order)]
    assert (sold["deal_id"], sold["amount"], sold["currency"]) == (str(deal), "700.00", "CNY")
    there = connector.ids_there("deals")
    assert there is not None
    assert str(deal) in {one for page in there for one in page}


def _touched_lead(root: Path, keys: list[str]) -> tuple[str, str]:
    """A lead over there whose company campaigns have touched, and the company's name."""
    ((lead, name),) = _ask(
        root,
        "select abm_key, company_name from marts.crm_leads join core.touches on account_id = company_key "
        "where list_contains(?, abm_key) and company_name is not null and campaign_id is not null "
        "order by abm_key limit 1",
        keys,
    )
    return lead, name


def _credit(root: Path, opportunity: int) -> tuple[int, set[str]]:
    """What the deal's touches earned, and the deal's status."""
    rows = _ask(
        root,
        "select coalesce(sum(credit), 0), any_value(deals.status) from core.deals "
        "left join scored.credits on credits.deal_id = deals.deal_id and basis = 'pipeline' and model = 'linear' "
        "and campaign_id <> '(unattributed)' where deals.deal_id = ? or deals.deal_id like '%:' || ?",
        str(opportunity),
        str(opportunity),
    )
    return int(rows[0][0]), {row[1] for row in rows}


def _revenue(root: Path) -> int:
    sql = "select sum(attributed_amount) from marts.campaign_roi where model = 'linear' and basis = 'pipeline'"
    return int(_ask(root, sql)[0][0])
