"""What comes back from tracking, calls and mailings, dirty as it is: from inbox/exports to touches and consents."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from scoring.policies.sources import SourcesPolicy
from tasks.land import land
from tasks.parse import parse
from tasks.quality.exporting import export_refused
from tasks.quality.refusals import Asked
from tasks.runs import open_run
from tasks.workspace import make_workspace
from tests.unit.land.landed import ask, drop

FIRST, LATER = date(2026, 3, 10), date(2026, 3, 13)
START = 1772330400000  # 2026-03-01 10:00 in Shanghai
CALLS = "通话ID,呼叫类型,主叫,被叫,接通状态,通话时长,开始时间,任务名称\n"
CALL = "7,呼入,13817264539,01082167014,接通,60,2026-03-01 10:00:00,sprng_Webinar\n"
OTHER = "9" + CALL[1:].replace("10:00", "11:00")
BAD_TIME = "8,呼入,13817264540,01082167014,接通,60,昨天,C1\n"
MAILS = "Recipient,Event,Timestamp,Campaign\nA@Hujiang-Robot.cn,UNSUBSCRIBE,1772334420000,SPRING WEBINAR\n"


def event(
    minute: float, login: str | None = None, device: str = "d1", name: str = "$pageview", **properties: Any
) -> str:
    """A line of an event log."""
    told = {
        "distinct_id": login or device, "anonymous_id": device, "time": int(START + minute * 60_000), "type": "track",
        "event": "$pageview", "properties": {"$url": f"https://x.cn/{minute:g}", **properties},
    }  # fmt: skip
    return json.dumps({**told, **({"login_id": login} if login else {})}, ensure_ascii=False)


EARLY = [
    event(0), event(5), event(5), event(20, "u1"), event(40, "u2"), event(0, device="d9"),
    event(6, "u1", **{"$user_agent": "Googlebot/2.1"}),
    '{"distinct_id": "d1", "time": "vorgestern", "event": "$pageview"}',
]  # fmt: skip
LATE = [event(10), event(200, "u1"), event(20, "u1")]


def run_day(workspace: Path, day: date) -> None:
    """Land and parse."""
    with open_run(workspace, day) as run:
        land(run)
    with open_run(workspace, day) as run:
        parse(run)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Exports of three tools, and three days later what came late, sent again, corrected."""
    root = make(tmp_path_factory.mktemp("reach"))
    drop(root, "exports/events.ndjson", "\n".join(EARLY))
    drop(root, "exports/calls.csv", (CALLS + CALL + BAD_TIME).encode("gb18030"))
    drop(root, "exports/mail.csv", MAILS)
    drop(root, "exports/colours.csv", "名称,颜色\na,rot\n")
    run_day(root, FIRST)
    drop(root, "exports/events_late.ndjson", "\n".join(LATE))
    drop(
        root, "exports/calls_again.csv", CALLS + CALL.replace(",60,", ",95,") + "9" + CALL[1:].replace("10:00", "11:00")
    )
    run_day(root, LATER)
    yield root


def make(root: Path) -> Path:
    """A workspace that knows two campaigns and one other spelling."""
    workspace = root / "w"
    make_workspace(workspace)
    config = workspace / "config"
    (config / "sources.yaml").write_text("settle_seconds: 0\n", encoding="utf-8")
    rules = (config / "reach.yaml").read_text(encoding="utf-8")
    (config / "reach.yaml").write_text(
        rules.replace("campaigns: {}", "campaigns: {C1: [sprng_webinar]}"), encoding="utf-8"
    )
    drop(workspace, "campaigns/c.csv", "campaign_id,name\nC1,Spring Webinar\nC2,Other\n")
    return workspace


VISITS = "select contact_id, occurred_at, content, minutes from staging.touches where source = 'sensors' order by all"


def test_a05_a_campaign_is_found_by_other_spellings_by_case_and_by_its_name(world: Path) -> None:
    found = ask(
        world, "select distinct source, campaign_id from staging.touches where campaign_id is not null order by 1"
    )
    assert found == [("call_centre", "C1"), ("mail", "C1")]


def test_f20_a_record_of_a_longer_corrected_export_is_the_same_touch_brought_up_to_date(world: Path) -> None:
    found = ask(
        world, "select minutes, versions from staging.touches where source = 'call_centre' order by occurred_at"
    )
    assert found == [(1.58, 2), (1.0, 1)]


def test_v21_a_time_nobody_can_read_is_refused_with_file_line_and_column(world: Path) -> None:
    found = ask(
        world,
        "select file_name, line, column_name, value, rule from quality.quarantine order by file_name",
    )
    assert found == [
        ("exports/calls.csv", 3, "occurred_at", "昨天", "date-unreadable"),
        ("exports/events.ndjson", 8, "occurred_at", "vorgestern", "date-unreadable"),
    ]


def test_f23_a_header_nobody_knows_is_refused_by_name_and_not_read_again(world: Path) -> None:
    [(status, message)] = ask(world, "select status, message from ops.files where file_name = 'exports/colours.csv'")
    assert status == "refused" and "no ready mapping knows this header" in message and "call_records" in message


def test_g03_programs_and_doubles_are_no_touches_and_every_event_is_counted(world: Path) -> None:
    fates = dict(ask(world, "select fate, events from staging.event_counts"))
    assert fates == {"touch": 6, "duplicate": 2, "bot": 1, "anonymous": 1, "refused": 1}
    assert ask(world, "select raw_rows - staging_rows - superseded_rows - rejected_rows from staging.row_counts") == [
        (0,)
    ] * len(ask(world, "select 1 from staging.row_counts"))


def test_e05_what_a_device_did_before_the_login_is_the_first_persons_who_logged_in_on_it(world: Path) -> None:
    people = ask(world, "select distinct contact_id from staging.touches where source = 'sensors' order by 1")
    assert people == [("u1",), ("u2",)]
    assert ask(world, "select count(*) from staging.touches where contact_id = 'u2'") == [(1,)]


def test_g04_late_and_doubled_events_end_in_the_same_touches(world: Path, tmp_path: Path) -> None:
    at_once = make(tmp_path)
    drop(at_once, "exports/all.ndjson", "\n".join([*reversed(LATE), *reversed(EARLY)]))
    run_day(at_once, LATER)
    assert ask(at_once, VISITS) == ask(world, VISITS)
    control = ask(world, VISITS.replace("order by all", "and landed_on = date '2026-03-10' order by all"))
    assert control != ask(world, VISITS), "what came late has made a difference"


def test_v10_an_unsubscribe_in_a_mail_export_is_a_withdrawal_for_mail(world: Path) -> None:
    found = ask(world, "select email, channel, status, given_at::varchar from staging.consents")
    assert found == [("a@hujiang-robot.cn", "email", "withdrawn", "2026-03-01 03:07:00")]


def test_each_touch_opens_into_its_first_events_line(world: Path) -> None:
    with duckdb.connect(str(next((world / "state").glob("*.duckdb"))), read_only=True) as con:
        lines = con.execute(
            "select rows.line from staging.touches join staging.source_rows as rows"
            " on rows.entity = 'touches' and rows.row_id = touches.row_id"
            " where touches.source = 'sensors' and contact_id = 'u1' order by occurred_at"
        ).fetchall()
    assert lines == [(1,), (2,)]


def test_a_refused_row_of_a_mapping_is_exported_so_that_it_comes_back_corrected(world: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(next((world / "state").glob("*.duckdb"))), read_only=True) as con:
        written = export_refused(con, SourcesPolicy(), Asked(), tmp_path, "csv")
    inbox = {each.inbox: each.path.read_text(encoding="utf-8-sig") for each in written}
    assert inbox.keys() == {"touches/call_centre/calls_refused.csv", "events/sensors/events_refused.csv"}
    head, row = inbox["touches/call_centre/calls_refused.csv"].splitlines()
    assert {"phone", "occurred_at", "type", "abmloop_row"} <= set(head.split(",")) and "昨天" in row
