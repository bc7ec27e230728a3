"""Flags by which people want no mail or no call, set over there: each comes back as a refusal (P18)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import CrmRefused
from tasks.outbound.crm.mapping import load_mapping
from tasks.outbound.pull.step import Cursors, pull_pages
from tasks.outbound.push.examine import pulled_rows
from tests.contract.server.account import CrmServer
from tests.contract.vendors import VendorWorld
from tests.faults.test_crm_lands import Loop

Begin = Callable[..., VendorWorld]
TELLING = ("hubspot", "salesforce")


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Begin:
    return lambda dialect, **fake: VendorWorld.begin(tmp_path, crm_server, dialect, 1, **fake)


def _flags(dialect: str) -> list[tuple[str, str, str]]:
    """Object there, our channel, the flag."""
    named = load_mapping(dialect).refusals.values()
    return [(one.to, channel, flag) for one in named for channel, flag in one.flags.items()]


def _read(world: VendorWorld, cursor: str | None = None) -> tuple[list[dict[str, Any]], str]:
    pages = list(world.connector().changes_since("consents", cursor))
    rows = [json.loads(line) for page in pages for line in page.body.splitlines()]
    return rows, pages[-1].cursor if pages else cursor or ""


def _pull(world: VendorWorld) -> dict[str, int]:
    return pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))


def test_p18_the_flags_that_vendors_have_are_named() -> None:
    assert _flags("hubspot") == [("contacts", "email", "hs_email_optout")]
    assert _flags("salesforce") == [
        (to, channel, flag)
        for to in ("Lead", "Contact")
        for channel, flag in (("email", "HasOptedOutOfEmail"), ("call", "DoNotCall"))
    ]


@pytest.mark.parametrize("dialect", TELLING)
def test_p18_every_flag_that_is_set_comes_as_a_refusal_with_who_it_is(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    email = "email" if dialect == "hubspot" else "Email"
    expected = set()
    for number, (to, channel, flag) in enumerate(_flags(dialect)):
        people = [{email: f"{number}-{one}@acme.cn", flag: one < 130} for one in range(140)]
        ids = world.fake.ask("plant", object=to, records=people)
        expected |= {(one, channel, "refused", f"{to}.{flag}", person[email])
                     for one, person in zip(ids[:130], people, strict=False)}  # fmt: skip
    rows, cursor = _read(world)
    assert {(r["contact_id"], r["channel"], r["status"], r["evidence"], r["email"]) for r in rows} == expected
    assert len(rows) == len(expected), "each once, over pages of one and the same time"
    assert all(row["given_at"].startswith("2026-10-31") for row in rows)
    world.fake.sleep(3600)
    to, channel, flag = _flags(dialect)[-1]
    (late,) = world.fake.ask("plant", object=to, records=[{email: "late@acme.cn", flag: True}])
    assert late in {row["contact_id"] for row in _read(world, cursor)[0]}


@pytest.mark.parametrize("dialect", TELLING)
def test_p18_a_flag_that_is_taken_off_grants_nothing(begin: Begin, dialect: str) -> None:
    world = begin(dialect)
    to, _, flag = _flags(dialect)[0]
    (person,) = world.fake.ask("plant", object=to, records=[{flag: True}])
    assert _pull(world)["consents"] == 1
    world.fake.sleep(3600)
    world.fake.ask("change", records=[{"id": person, "fields": {flag: False}}])
    assert "consents" not in _pull(world), "and what was said before stays on record"


def test_p18_a_flag_that_is_no_longer_shown_stops_the_reading_and_is_told_where_it_never_was(begin: Begin) -> None:
    mapping = load_mapping("salesforce")
    every = {one for pulled in mapping.pull.values() for one in pulled.columns.values()}
    every |= {
        one for refused in mapping.refusals.values() for one in (*refused.flags.values(), *refused.columns.values())
    }
    names = sorted({one.rstrip("?").partition(".")[0] for one in every} | {"Contact", "StatusCode"})
    world = begin("salesforce", fields=[one for one in names if one not in ("DoNotCall", "HasOptedOutOfEmail")])
    assert _pull(world) == {"not_open": 1}
    world.fake.ask("set", fields=[one for one in names if one != "DoNotCall"])
    world.fake.ask("plant", object="Lead", records=[{"HasOptedOutOfEmail": True}])
    assert _pull(world)["consents"] == 1, "what is seen is read"
    connector = world.connector()
    told = {row["asked"]: row["found"] for row in pulled_rows(connector, connector.describe(), "en")}
    assert "DoNotCall" in told["crm pull consents"]
    world.fake.ask("set", fields=names)
    world.fake.ask("plant", object="Lead", records=[{"DoNotCall": True}])
    assert _pull(world)["consents"] == 1
    world.fake.ask("set", fields=[one for one in names if one != "DoNotCall"])
    with pytest.raises(CrmRefused, match="DoNotCall"):
        _pull(world)


@pytest.mark.slow
def test_p18_a_flag_refuses_for_its_person_once_it_landed(tmp_path: Path, crm_server: CrmServer) -> None:
    loop = Loop(tmp_path, crm_server)
    people = [{"email": f"p{number}@acme.cn", "hs_email_optout": number == 1} for number in range(2)]
    loop.world.fake.ask("plant", object="contacts", records=people)
    loop.run()
    said = loop.ask("select key_value, channel, status from core.consents join matched.person_keys using (person_id) "
                    "where key_kind = 'email'")  # fmt: skip
    assert said == [("p1@acme.cn", "email", "refused")]
