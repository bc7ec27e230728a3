"""R17 for what leaves and what comes back: no secret, number or address in any log, note or error.

Canaries go through push, dead letters, pull, lists and audiences with every logger at debug, and the CRM echoes them;
what the outbox, the inbox and the lists' own files hold is what they are for. Each guard is taken away once, and then
a canary shows.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tasks.outbound.push.outbox
from abmloop.errors import AbmError
from abmloop.policy import parse_policy
from abmloop.redact import Redacting
from cli import main
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.mapping import in_their_words, load_mapping
from tasks.outbound.pull.step import Cursors, pull_pages
from tasks.outbound.push.letters import list_letters
from tasks.outbound.push.step import push
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, ENVIRONMENT, INSTANCES, SECRET, VendorWorld
from tests.contract.world import LEADS
from tests.unit.outbound.list_world import ListWorld, files_of, rule

NUMBER, LOCAL = "+8613912348765", "canary.person"
MAIL = f"{LOCAL}@hujiang-robot.cn"
CANARIES = (NUMBER[3:], LOCAL, SECRET)
POLICY = LEADS + "      mobile: {owner: ours, type: phone}\n      email: {owner: ours, type: email}\n"
STATUSES = (200, 400, 403, 429, 500)


@pytest.fixture(autouse=True)
def _as_in_operation(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every logger at debug, the keys in the environment."""
    caplog.set_level(logging.DEBUG)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


class CanaryWorld(VendorWorld):
    """Three leads of whom one is the canary."""

    @classmethod
    def opened(cls, root: Path, server: CrmServer, dialect: str, **fake: Any) -> "CanaryWorld":
        server.ask("reset", dialect=dialect, **fake)
        policy = parse_policy(POLICY, CrmPolicy)
        changes = {"instance": f"{dialect}:{INSTANCES[dialect]}", "url": server.url, "stop_after_failures": 3}
        made = cls(root, in_their_words(policy.model_copy(update=changes)), 3, server=server, dialect=dialect)
        made.fields["L00001"] |= {"mobile": NUMBER, "email": MAIL}
        return made

    def pushed(self) -> str:
        """What one push says when it stops, or how it ends."""
        try:
            desk = self.desk(self.connector())
            return str(push(desk, self.new_run(), self.ledger, pause=self.fake.sleep)[1])
        except AbmError as error:
            return f"{error.told('en')} {error.told('zh')}"

    def notes(self) -> str:
        """All that the ledger keeps beside the payloads, and the dead letters as they are shown."""
        rows = [self.ledger.read(name).to_pylist() for name in ("deliveries", "audit", "runs", "epochs")]
        return f"{rows} {list_letters(self.ledger, self.policy.instance)}"


Open = Callable[..., CanaryWorld]


@pytest.fixture
def opened(tmp_path: Path, crm_server: CrmServer) -> Open:
    def made(dialect: str, **fake: Any) -> CanaryWorld:
        return CanaryWorld.opened(tmp_path, crm_server, dialect, **fake)

    return made


def leaked(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_r17_no_answer_that_echoes_what_was_sent_shows_it_again(
    opened: Open, dialect: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    world = opened(dialect)
    assert world.pushed() == "None"
    shown = []
    for place, status in enumerate(STATUSES):
        world.fields[f"L{place + 10:05d}"] = {"stage": "mql", "name": f"新{place}", "mobile": NUMBER, "email": MAIL}
        world.fake.ask("set", echo=status, echo_of=NUMBER[3:])
        shown.append(world.pushed())
        world.fake.ask("set", echo_of="")
        shown.append(world.pushed())
        world.fake.ask("set", echo=0)
        shown.append(world.notes())
    assert "cannot read" in str(shown), "the CRM's words are told"
    assert leaked(str(shown)) == []
    told = capfd.readouterr()
    assert leaked(world.notes()) == leaked(caplog.text) == leaked(told.out + told.err) == []
    assert NUMBER in str(world.ledger.read("outbox").to_pylist()), "the canary was sent"


WORDS = f"mobile {NUMBER} and {MAIL} are not valid for {SECRET}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_r17_a_dead_letter_has_the_crms_words_without_the_persons_number(opened: Open, dialect: str) -> None:
    world = opened(dialect, refuse={NUMBER: WORDS})
    world.pushed()
    [letter] = list_letters(world.ledger, world.policy.instance)
    assert "are not valid for" in letter.reason and "+86139****8765" in letter.reason
    assert leaked(world.notes()) == []


def test_r17_control_without_the_redaction_the_letter_holds_it(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.outbound.push.outbox, "_shown", str)
    world = opened("hubspot", refuse={NUMBER: WORDS})
    world.pushed()
    assert leaked(world.notes()) == list(CANARIES)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_r17_what_is_read_back_stands_in_the_inbox_and_nowhere_else(
    opened: Open, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = opened(dialect)
    pulled = load_mapping(dialect).pull["deals"]
    world.fake.ask("plant", object=pulled.to, records=[{pulled.columns["name"]: f"call {NUMBER} {MAIL}"}])
    pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))
    [file] = (world.root / "inbox" / "deals").iterdir()
    assert NUMBER in file.read_text(encoding="utf-8"), "the canary was read"
    world.fake.ask("set", echo=400)
    with pytest.raises(AbmError) as stopped:
        pull_pages(world.root, world.connector(), Cursors(world.ledger, world.new_run(), world.policy.instance))
    assert leaked(str(stopped.value) + caplog.text + world.notes()) == []


def test_r17_lists_and_audiences_name_nobody_outside_their_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = ListWorld(tmp_path, people=2)
    lists.changes[1] = {"mobile": NUMBER, "email": MAIL}
    lists.policy = lists.policy.model_copy(update={"frequency": ()})
    monkeypatch.setattr(ListWorld, "grant", lambda world, *channels: None)
    rows = [{"event_id": f"{channel}{place}", "key_kind": "mobile", "key_value": value, "channel": channel,
             "status": "granted", "given_at": lists.at.replace(tzinfo=None, month=1)}
            for channel in ("call", "ad") for place, value in enumerate((NUMBER, lists.row(2)["mobile"]))]  # fmt: skip
    lists.ledger.append("consents", rows, lists.by)
    lists.make(rule(kind="call"))
    tencent = rule(id="ads", kind="ad", platform="tencent")
    lists.make(tencent)
    sheets = [path.with_suffix(".json").read_text(encoding="utf-8") for path in files_of(lists)]
    tables = ("exports", "export_events", "list_members", "audit")
    kept = str([lists.ledger.read(name).to_pylist() for name in tables])
    assert leaked(str(sheets) + kept + caplog.text) == []
    assert any(NUMBER[3:] in path.read_text("utf-8-sig") for path in files_of(lists) if path.suffix == ".csv")


def test_r17_control_a_driver_at_debug_would_show_every_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.ledger._DRIVER_LEVEL", logging.DEBUG)
    try:
        lists = ListWorld(tmp_path, people=1)
        row = {"event_id": "e", "key_kind": "mobile", "key_value": NUMBER, "channel": "call", "status": "refused"}
        lists.ledger.append("consents", [{**row, "given_at": lists.at.replace(tzinfo=None)}], lists.by)
        lists.ledger.read("consents")
    finally:
        logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    assert leaked(caplog.text) == [NUMBER[3:]]


def test_r17_a_defect_report_and_a_log_line_show_no_canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)

    def broken() -> None:
        logging.getLogger("abmloop").warning("looking at %s and %s", NUMBER, MAIL)
        raise ValueError(f"Could not convert {NUMBER} of {MAIL} with {SECRET}")

    monkeypatch.setattr(main, "app", broken)
    monkeypatch.setattr(main, "_show_steps", lambda: None)
    with pytest.raises(SystemExit):
        main._carry_out()
    report = (tmp_path / "abmloop-error.log").read_text(encoding="utf-8")
    assert "Could not convert" in report and "looking at" in caplog.text
    assert leaked(report + caplog.text) == []
    # Control: the same line without the filter.
    [redacting] = [one for one in logging.getLogger("abmloop").filters if isinstance(one, Redacting)]
    logging.getLogger("abmloop").removeFilter(redacting)
    try:
        logging.getLogger("abmloop").warning("looking at %s", NUMBER)
    finally:
        logging.getLogger("abmloop").addFilter(redacting)
    assert leaked(caplog.text) == [NUMBER[3:]]
