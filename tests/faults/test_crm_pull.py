"""What comes back from the vendors' interfaces (B, R6): nothing missed, nothing taken for another account's."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import CrmRefused
from tasks.outbound.crm.base import ChannelStopped, Page
from tasks.outbound.crm.mapping import load_mapping
from tasks.outbound.pull.step import Cursors, pull_pages
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, VendorWorld

Begin = Callable[..., VendorWorld]


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Begin:
    return lambda dialect, **fake: VendorWorld.begin(tmp_path, crm_server, dialect, 1, **fake)


def _deals(world: VendorWorld, number: int, stage: str = "open") -> list[str]:
    """Deals that are all saved at the same moment; gives their ids."""
    pulled = load_mapping(world.dialect).pull["deals"]
    records = [{pulled.columns["stage"]: stage, pulled.columns["amount"]: str(one)} for one in range(number)]
    ids: list[str] = world.fake.ask("plant", object=pulled.to, records=records)
    return ids


def _latest(pages: Iterable[Page]) -> dict[str, dict[str, Any]]:
    """Each deal's last version in the order of the pages."""
    rows = [json.loads(line) for page in pages for line in page.body.splitlines()]
    return {row["deal_id"]: row for row in rows}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b01_r6_records_that_change_while_we_page_are_all_seen(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    pulled = load_mapping(dialect).pull["deals"]
    stage = pulled.columns["stage"]
    ids = _deals(world, 350)
    pages = []
    for number, page in enumerate(world.connector().changes_since("deals", None)):
        pages.append(page)
        if number in (0, 2):
            world.fake.sleep(1)
            changed = [{"id": one, "fields": {stage: "won"}} for one in (*ids[:40], *ids[-40:])]
            world.fake.ask("change", records=changed)
    seen = _latest(pages)
    assert sorted(seen) == sorted(ids), "missed or invented"
    assert {key for key, row in seen.items() if row["stage"] == "won"} == {*ids[:40], *ids[-40:]}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b01_the_next_reading_begins_shortly_before_the_last_one_ended(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    _deals(world, 120)
    cursor = list(world.connector().changes_since("deals", None))[-1].cursor
    world.fake.sleep(3600)
    late = _deals(world, 3, "won")
    assert set(_latest(world.connector().changes_since("deals", cursor))) >= set(late)
    world.fake.sleep(3600)
    assert len(_latest(world.connector().changes_since("deals", cursor))) >= 3


@pytest.mark.parametrize("dialect", ["hubspot", "salesforce"])
def test_b02_what_was_deleted_there_is_marked(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    ids = _deals(world, 5)
    world.fake.ask("change", records=[{"id": ids[2], "deleted": True}])
    rows = _latest(world.connector().changes_since("deals", None))
    assert {key for key, row in rows.items() if row.get("is_deleted") == "true"} == {ids[2]}
    assert rows[ids[2]]["amount"] == "2", "what it was is kept"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b04_an_amended_amount_is_a_file_of_its_own_back_and_forth_and_a_repeated_page_is_none(
    begin: Begin, dialect: str
) -> None:
    world = begin(dialect)
    (deal,) = _deals(world, 1)

    def pulled() -> dict[str, int]:
        return pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))

    assert pulled()["deals"] == 1
    assert pulled() == {}
    amount = load_mapping(dialect).pull["deals"].columns["amount"]
    world.fake.ask("change", records=[{"id": deal, "fields": {amount: "990"}}])
    assert pulled() == {"deals": 1}
    world.fake.ask("change", records=[{"id": deal, "fields": {amount: "0"}}])
    assert pulled() == {"deals": 1}, "what is told again as it was is news, too"
    bodies = [path.read_text() for path in sorted((world.root / "inbox" / "deals").iterdir())]
    assert sorted(json.loads(body)["amount"] for body in bodies) == ["0", "0", "990"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b02_another_account_is_not_read(begin: Begin, dialect: str) -> None:
    world = begin(dialect, instance="4712")
    with pytest.raises(CrmRefused, match=r"answers\. Nothing was read"):
        pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b01_faulty_calls_while_reading_miss_nothing(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    connector = world.connector()
    connector.describe()
    ids = _deals(world, 250)
    kinds = ["429_silent", "500_before", "html_before", "cut_json", "dropped_reply", "token_expired", "empty_body"]
    world.fake.ask("set", share=0.35, faults=kinds)
    assert sorted(_latest(connector.changes_since("deals", None))) == sorted(ids)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b01_a_record_modified_in_the_future_hides_none_that_follow(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    (ahead,) = _deals(world, 1)
    world.fake.ask("change", records=[{"id": ahead, "modified_later": 86_400 * 30}])
    cursor = list(world.connector().changes_since("deals", None))[-1].cursor
    (after,) = _deals(world, 1, "won")
    assert after in _latest(world.connector().changes_since("deals", cursor))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b09_a_field_that_was_renamed_there_is_an_error_not_an_empty_column(begin: Begin, dialect: str) -> None:
    columns = load_mapping(dialect).pull["deals"].columns
    world = begin(dialect, fields=[name for name in columns.values() if name != columns["amount"]])
    _deals(world, 1)
    with pytest.raises(ChannelStopped, match=f"has no field {columns['amount']}"):
        list(world.connector().changes_since("deals", None))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b09_amounts_come_as_they_are_told_text_or_number(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    pulled = load_mapping(dialect).pull["deals"]
    for told in ("1200.50", 1200.5, 1200):
        world.fake.ask("plant", object=pulled.to, records=[{pulled.columns["amount"]: told}])
    amounts = {row["amount"] for row in _latest(world.connector().changes_since("deals", None)).values()}
    assert amounts == {"1200.50", "1200.5", "1200"}
