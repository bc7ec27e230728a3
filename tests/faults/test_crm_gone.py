"""What is gone over there (B02, C09): deleted, voided, merged, or only hidden from our key; and what comes back."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from abmloop.errors import CrmRefused
from scoring.policies.crm import PulledEntity
from tasks.land.entities import entities, raw_tables
from tasks.land.plans import CRM_TIME
from tasks.outbound.crm.base import Page
from tasks.outbound.crm.mapping import load_mapping
from tasks.outbound.pull.step import Cursors, pull_pages
from tasks.outbound.pull.told import RECONCILED, Told, is_too_many, page_prefix
from tasks.outbound.push.outbox import Journal
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, VendorWorld
from warehouse.steps import Work, step
from warehouse.tables import parse_spec

Begin = Callable[..., VendorWorld]
MARKS = ("hubspot", "salesforce")
LISTS = ("fxiaoke", "neocrm")


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Begin:
    (tmp_path / "abmloop.yaml").write_text("language: en\n", encoding="utf-8")
    return lambda dialect, people=1, **fake: VendorWorld.begin(tmp_path, crm_server, dialect, people, **fake)


def _land(work: Work, root: Path) -> None:
    """The inbox's pages as rows of raw, in the order in which the CRM changed them."""
    for entity in (*RECONCILED, "merges"):
        name = f"raw.{entity}"
        work.ensure(parse_spec(name, raw_tables()[name]))
        work.execute(f"delete from {name}")
        rows = []
        for path in sorted((root / "inbox" / entity).glob("*")):
            for number, text in enumerate(path.read_text().splitlines()):
                told = json.loads(text)
                own = {column: told.get(column) for column in entities()[entity].column_names}
                extra = {column: value for column, value in told.items() if column not in own}
                trace = {"extra": json.dumps(extra), "sequence": told.get(CRM_TIME), "record": str(number)}
                file = {"file_name": f"{entity}/{path.name}", "row_hash": text, "landed_on": "2026-10-31"}
                rows.append({**own, **trace, **file})
        if rows:
            work.con.register("given_rows", pa.Table.from_pylist(rows))
            work.execute(f"insert into {name} by name select * from given_rows")
            work.con.unregister("given_rows")


def _pull(world: VendorWorld) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """One run's pull, after what was pulled before was landed; the counts and the rows that came."""
    run = world.new_run()
    before = set((world.root / "inbox").rglob("*.ndjson"))
    with step(run, "pull") as work:
        _land(work, world.root)
        told = Told(work, page_prefix(world.policy.instance), run.at.isoformat(timespec="microseconds"))
        counts = pull_pages(world.root, world.connector(), Cursors(world.ledger, run, world.policy.instance), told)
    fresh = sorted(set((world.root / "inbox").rglob("*.ndjson")) - before)
    return counts, [
        {"entity": path.parent.name, **json.loads(line)} for path in fresh for line in path.read_text().splitlines()
    ]


def _next_day(world: VendorWorld) -> None:
    world.as_of = world.as_of.replace(day=1, month=world.as_of.month % 12 + 1)
    world.fake.sleep(86_400)


def _plant(world: VendorWorld, entity: PulledEntity, *rows: dict[str, Any]) -> list[str]:
    """Records of an entity, by our names of the columns."""
    pulled = load_mapping(world.dialect).pull[entity]
    records = [{pulled.columns[name].rstrip("?"): value for name, value in row.items()} for row in rows]
    ids: list[str] = world.fake.ask("plant", object=pulled.to, records=records)
    return ids


def _gone(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Deal → its mark, where it has one."""
    return {row["deal_id"]: row["is_deleted"] for row in rows if row["entity"] == "deals" and "is_deleted" in row}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_b02_a_deleted_deal_is_marked_once_with_what_it_was_and_comes_back(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    ids = _plant(world, "deals", *({"stage": "open", "amount": str(number)} for number in range(5)))
    _pull(world)
    world.fake.ask("change", records=[{"id": ids[2], "deleted": True}])
    _next_day(world)
    _, rows = _pull(world)
    assert _gone(rows) == {ids[2]: "true"}
    assert next(row["amount"] for row in rows if row.get("is_deleted")) == "2", "what it was is kept"
    _next_day(world)
    assert _gone(_pull(world)[1]) == {}, "it is told once"
    world.fake.ask("change", records=[{"id": ids[2], "deleted": False}])
    _next_day(world)
    back = [row for row in _pull(world)[1] if row.get("deal_id") == ids[2] and row["entity"] == "deals"]
    assert {row.get("is_deleted", "false") for row in back} == {"false"}


@pytest.mark.parametrize("dialect", LISTS)
def test_b02_many_that_vanish_at_once_are_hidden_not_deleted(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    ids = _plant(world, "deals", *({"stage": "open", "amount": "1"} for _ in range(60)))
    _pull(world)
    world.fake.ask("change", records=[{"id": one, "deleted": True} for one in ids[:30]])
    _next_day(world)
    counts, rows = _pull(world)
    assert counts.get("not_visible") == 30
    assert _gone(rows) == {}, "missing is not zero"


@pytest.mark.parametrize(
    ("gone", "alive", "is_hidden"),
    [(18, 18, True), (1, 1, True), (2, 2, True), (2, 3, True), (4, 6, True), (20, 30, True), (21, 150, True),
     (0, 0, False), (0, 5, False), (1, 2, False), (1, 3, False), (3, 6, False), (20, 60, False), (30, 400, False)],
)  # fmt: skip
def test_b02_a_small_account_of_which_most_vanishes_is_hidden_too(gone: int, alive: int, is_hidden: bool) -> None:
    assert is_too_many(range(gone), range(alive)) == is_hidden


@pytest.mark.parametrize("dialect", LISTS)
def test_b02_all_deals_of_a_small_account_that_vanish_stay_in_the_totals(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    ids = _plant(world, "deals", *({"stage": "won", "amount": "1"} for _ in range(18)))
    _pull(world)
    world.fake.ask("change", records=[{"id": one, "deleted": True} for one in ids])
    _next_day(world)
    counts, rows = _pull(world)
    assert counts.get("not_visible") == 18
    assert _gone(rows) == {}


@pytest.mark.parametrize("dialect", LISTS)
def test_b02_the_whole_list_is_asked_for_once_a_day(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    _plant(world, "deals", *({"stage": "open", "amount": "1"} for _ in range(3)))
    _pull(world)
    _pull(world)
    before = world.fake.calls()
    _pull(world)
    again = world.fake.calls() - before
    _next_day(world)
    before = world.fake.calls()
    _pull(world)
    assert world.fake.calls() - before == again + 1


def test_b02_what_was_archived_long_ago_is_not_told_every_day(begin: Begin) -> None:
    world = begin("hubspot")
    ids = _plant(world, "deals", *({"stage": "open", "amount": str(number)} for number in range(250)))
    world.fake.ask("change", records=[{"id": one, "deleted": True} for one in ids[:230]])
    assert len(_gone(_pull(world)[1])) == 230, "all pages of the list"
    for one in ids[240:243]:
        world.fake.sleep(3600)
        world.fake.ask("change", records=[{"id": one, "deleted": True}])
        told = set(_gone(_pull(world)[1]))
    assert told == set(ids[241:243]), "the last one told, for what was saved late, and the new one"


@pytest.mark.parametrize("dialect", MARKS)
def test_c09_b02_a_merge_moves_our_link_and_the_next_push_updates_what_stays(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 2)
    world.push_once()
    (theirs,) = world.fake.ask("plant", object=world.object_there, records=[{"typed": "by sales"}])
    ours = _record(world, "L00001")
    stays = world.fake.ask("merge", winner=theirs, loser=ours)
    _, rows = _pull(world)
    merge = next(row for row in rows if row["entity"] == "merges" and row["old_id"] == ours)
    assert (merge["object"], merge["new_id"], merge["old_key"]) == ("leads", stays, "L00001")
    events = [
        row for row in world.ledger.read("deliveries").to_pylist() if "merged over there" in (row["message"] or "")
    ]
    assert [row["crm_id"] for row in events] == [stays], "one more row; what was before stays on record"
    assert Journal(world.ledger, world.policy.instance).crm_ids()["leads", "L00001"] == stays
    number = len(world.fake.dump())
    world.fields["L00001"]["stage"] = "sal"
    world.push_until_quiet()
    held = next(one for one in world.fake.dump() if one["id"] == stays)["fields"]
    assert held[world.key_field] == "L00001"
    assert held[world.policy.objects["leads"].name_there("stage")] == "sal"
    assert held["typed"] == "by sales"
    assert len(world.fake.dump()) == number, "the one that is gone was not made again"
    assert world.push_once() == {"unchanged": 2}
    assert not [row for row in _pull(world)[1] if row["entity"] == "merges" and row["old_id"] not in (ours, theirs)]


@pytest.mark.parametrize("dialect", MARKS)
def test_c09_two_of_ours_that_became_one_are_kept_as_the_one_that_stays(begin: Begin, dialect: str) -> None:
    world = begin(dialect, 3)
    world.push_once()
    first, second = _record(world, "L00000"), _record(world, "L00002")
    stays = world.fake.ask("merge", winner=first, loser=second)
    rows = [row for row in _pull(world)[1] if row["entity"] == "merges"]
    assert {(row["old_key"], row["new_key"]) for row in rows if row["old_id"] == second} == {("L00002", "L00000")}
    for fields in world.fields.values():
        fields["stage"] = "sal"
    number = len(world.fake.dump())
    assert world.push_once()["skipped"] == 1
    there = world.there()
    stage = world.policy.objects["leads"].name_there("stage")
    assert {key: [one[stage] for one in held] for key, held in there.items()} == {"L00000": ["sal"], "L00001": ["sal"]}
    assert len(world.fake.dump()) == number
    assert next(one for one in world.fake.dump() if one["id"] == stays)["fields"][stage] == "sal"


def test_c09_control_without_the_moved_link_the_one_that_stays_is_not_updated(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin("salesforce", 1)
    world.push_once()
    (theirs,) = world.fake.ask("plant", object=world.object_there, records=[{}])
    world.fake.ask("merge", winner=theirs, loser=_record(world, "L00000"))
    monkeypatch.setattr("tasks.outbound.pull.step.Links.follow", lambda _self, page: page)
    _pull(world)
    world.fields["L00000"]["stage"] = "sal"
    world.push_once()
    assert not world.there(), "the guard is not what keeps the lead"


def test_b02_an_entity_that_was_open_and_is_closed_now_stops_the_reading(begin: Begin) -> None:
    world = begin("hubspot")
    _plant(world, "orders", {"amount": "7"})
    assert _pull(world)[0]["orders"] == 1
    world.fake.ask("set", closed=["orders"])
    with pytest.raises(CrmRefused, match="403"):
        _pull(world)


def test_an_entity_that_was_never_open_is_told_and_the_rest_is_read(begin: Begin) -> None:
    world = begin("hubspot", closed=["orders"])
    _plant(world, "deals", {"stage": "open", "amount": "1"})
    counts, _ = _pull(world)
    assert counts["not_open"] == 1
    assert counts["deals"] == 1


def _record(world: VendorWorld, key: str) -> str:
    return str(next(one["id"] for one in world.fake.dump() if one["fields"].get(world.key_field) == key))


def _of(pages: Iterable[Page]) -> list[dict[str, Any]]:
    return [json.loads(line) for page in pages for line in page.body.splitlines()]


def test_b03_every_stage_that_a_deal_was_in_comes_with_its_time(begin: Begin) -> None:
    world = begin("hubspot")
    (deal,) = _plant(world, "deals", {"stage": "open", "amount": "1"})
    for stage in ("won", "open", "lost"):
        world.fake.sleep(3600)
        world.fake.ask("change", records=[{"id": deal, "fields": {"dealstage": stage}}])
    rows = sorted(_of(world.connector().changes_since("deal_stages", None)), key=lambda row: row["entered_at"])
    assert [row["stage"] for row in rows] == ["open", "won", "open", "lost"]
    assert {row["deal_id"] for row in rows} == {deal}


def test_the_people_of_a_deal_come_with_roles_and_addresses_and_who_left_is_gone(begin: Begin) -> None:
    world = begin("hubspot")
    (deal,) = _plant(world, "deals", {"stage": "open", "amount": "1"})
    people = [{"email": f"p{number}@acme.cn"} for number in range(3)]
    ids = world.fake.ask("plant", object="contacts", records=people)
    world.fake.ask("link", **{"from": deal, "to": [[ids[0], "Decision Maker"], [ids[1], ""], [ids[2], "User"]]})
    rows = [row for row in _pull(world)[1] if row["entity"] == "deal_contacts"]
    assert {(row["contact_id"], row.get("role"), row["email"]) for row in rows} == {
        (ids[0], "Decision Maker", "p0@acme.cn"), (ids[1], None, "p1@acme.cn"), (ids[2], "User", "p2@acme.cn"),
    }  # fmt: skip
    world.fake.sleep(3600)
    world.fake.ask("link", **{"from": deal, "to": [[ids[0], "Decision Maker"]]})
    gone = [row["contact_id"] for row in _pull(world)[1] if row.get("is_deleted") == "true"]
    assert sorted(gone) == sorted(ids[1:])


def test_contact_roles_of_salesforce_come_with_the_contacts_address(begin: Begin) -> None:
    world = begin("salesforce")
    (contact,) = world.fake.ask("plant", object="Contact", records=[{"Email": "a@acme.cn", "MobilePhone": "138"}])
    _plant(world, "deal_contacts", {"deal_id": "006", "contact_id": contact, "role": "User"})
    (row,) = _of(world.connector().changes_since("deal_contacts", None))
    assert (row["contact_id"], row["email"], row["mobile"], row["role"]) == (contact, "a@acme.cn", "138", "User")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_orders_come_with_their_deal_and_drafts_count_as_gone(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    pulled = load_mapping(dialect).pull["orders"]
    (deal,) = _plant(world, "deals", {"stage": "won", "amount": "9"})
    fields = {pulled.columns["amount"]: "700.50", **{name: values[0] for name, values in pulled.where.items()}}
    draft = {**fields, **dict.fromkeys(pulled.where, "Draft")}
    if not pulled.columns["deal_id"].startswith("associations."):
        fields[pulled.columns["deal_id"].rstrip("?")] = deal
    first, second = world.fake.ask("plant", object=pulled.to, records=[fields, draft])
    if pulled.columns["deal_id"].startswith("associations."):
        world.fake.ask("link", **{"from": first, "to": [[deal, ""]]})
    rows = {row["order_id"]: row for row in _of(world.connector().changes_since("orders", None))}
    assert (rows[first]["amount"], rows[first]["deal_id"]) == ("700.50", deal)
    assert "is_deleted" not in rows[first]
    assert rows[second].get("is_deleted", "false") == ("true" if pulled.where else "false")


def test_b05_what_was_given_back_of_a_payment_is_a_row_with_minus(begin: Begin) -> None:
    world = begin("hubspot")
    paid = {"hs_initial_amount": "100.00", "hs_initiated_date": "2026-10-01", "hs_latest_status": "succeeded"}
    back = {**paid, "hs_latest_status": "refunded", "hs_refunds_amount": "30.00"}
    failed = {**paid, "hs_latest_status": "failed"}
    records = [{**paid, "hs_refunds_amount": "0"}, back, failed]
    first, second, third = world.fake.ask("plant", object="commerce_payments", records=records)
    rows = {row["payment_id"]: row for row in _of(world.connector().changes_since("payments", None))}
    assert {key: row["amount"] for key, row in rows.items()} == {
        first: "100.00", second: "100.00", f"{second}-refund": "-30.00", third: "100.00",
    }  # fmt: skip
    assert rows[f"{second}-refund"]["paid_on"] == "2026-10-31", "the day it was given back"
    assert [key for key, row in rows.items() if row.get("is_deleted") == "true"] == [third]
