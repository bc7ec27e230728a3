"""Desired state: only the fields that crm.yaml lets out, and tasks that ask to call only with consent."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy, read_policy
from scoring.policies.crm import CrmPolicy
from tasks.outbound.consent.gate import ConsentEvent, Gate, PersonKeys
from tasks.outbound.push.desired import json_values, make_desired
from tests.contract.world import POLICIES, consent_policy

POLICY = read_policy(POLICIES / "crm.yaml", CrmPolicy)
TASK: dict[str, Any] = {
    "abm_key": "L1-1", "person_id": "P1", "region": "CN", "hold": None, "send_order": "A1", "lead_key": "L1",
    "contact_key": "P1", "owner_id": "u1", "person_name": "王伟", "title": "CTO", "company_name": "深圳华强",
    "mobile": "+8613800000001", "stage": "mql", "grid": "A3", "fit_grade": "A", "engagement_band": 3,
    "channel": "webinar", "industry_section": "C", "seniority": "c_level", "stage_reason": "60 of 60 points",
    "score_reason": "demo_requested +50", "last_touch": "2026-10-30, demo_request",
}  # fmt: skip


def gate(*channels: str) -> Gate:
    """A gate over P1, who granted these channels."""
    keys = pa.table({"key_kind": ["mobile"], "key_value": ["+8613800000001"], "person_id": ["P1"]})
    made = Gate(consent_policy(), datetime(2026, 10, 31), PersonKeys(keys, lambda: b"s"))
    for channel in channels:
        made.standing.add(ConsentEvent("P1", channel, "granted", datetime(2026, 1, 1), "e1"), made.at)
    return made


def task(made: Gate, language: str = "en", **changes: Any) -> dict[str, Any]:
    """The task that leaves for a lead."""
    table = pa.Table.from_pylist([{**TASK, **changes}])
    return dict(make_desired({"tasks": table}, POLICY, made, language)["tasks"].records["L1-1"])


def test_a_task_asks_to_call_where_the_person_agreed_to_calls() -> None:
    found = task(gate("call"))
    assert (found["task_type"], found["phone"]) == ("call", "+8613800000001")
    assert found["subject"] == "Call: 王伟, 深圳华强 (A3)"
    assert "Do not call" not in found["description"]


def test_without_consent_to_calls_the_task_says_so_and_has_no_number() -> None:
    found = task(gate())
    assert found["task_type"] == "follow_up"
    assert "phone" not in found
    assert found["description"].startswith("Do not call: no consent to calls is on record (not_granted).")
    assert "Call today" not in found["description"]
    assert "Write a short personal note" in found["description"]
    assert task(gate(), "zh")["description"].startswith("请勿致电：没有同意接听电话的记录（not_granted）")


def test_a_play_that_does_not_ask_to_call_needs_no_consent_to_calls() -> None:
    found = task(gate(), grid="C3")
    assert (found["task_type"], "Do not call" in found["description"]) == ("follow_up", False)
    assert "Score: asked for a demo, trial or quote +50" in found["description"]


def test_the_play_book_goes_with_the_lead_by_campaign_department_and_language() -> None:
    text = """
objects: {leads: {fields: {play: {}, talk_track: {}, content: {}, next_steps: {}}}}
plays:
  - id: webinar_it
    when: {campaign: [秋季直播], department: [it]}
    asks_to_call: true
    text: {en: Call and refer to the webinar., zh: 致电，从直播谈起。}
    content: {en: [Recording, Case study], zh: [回放, 案例]}
    next_steps: {en: [Book a demo], zh: [预约演示]}
  - {id: usual, text: {en: Write., zh: 写邮件。}}
"""
    row = {**TASK, "abm_key": "L1", "campaign": "秋季直播", "department": "it", "is_workable": True}
    policy = parse_policy(text, CrmPolicy)

    def lead(made: Gate, **changes: Any) -> dict[str, Any]:
        table = pa.Table.from_pylist([{**row, **changes}])
        return dict(make_desired({"leads": table}, policy, made, "zh")["leads"].records["L1"])

    told = {"play": "webinar_it", "talk_track": "致电，从直播谈起。", "content": "回放；案例", "next_steps": "预约演示"}
    assert lead(gate("call")) == told
    assert lead(gate())["play"] == "usual", "nobody is asked to call who did not agree to it"
    assert lead(gate("call"), department="hr")["play"] == "usual"
    assert lead(gate("call"), is_workable=False) == {}


def test_a_reminder_says_what_of_and_by_when() -> None:
    found = task(gate("call"), "zh", kind="accept_overdue", due_at="2026-10-05T05:00:00Z")
    assert found["subject"] == "超时：未接受：王伟，深圳华强（A3）"
    assert "截止：2026-10-05T05:00:00Z" in found["description"]


def test_s26_no_column_leaves_that_crm_yaml_does_not_name() -> None:
    assert set(task(gate("call"))) <= {
        POLICY.objects["tasks"].name_there(one) for one in POLICY.objects["tasks"].fields
    }


def test_a_field_we_do_not_have_is_named_with_those_we_have() -> None:
    text = "objects:\n  tasks:\n    fields:\n      shoe_size: {}\n"
    with pytest.raises(BadPolicy, match=r"marts.crm_tasks has no shoe_size; it has .*abm_key"):
        make_desired({"tasks": pa.Table.from_pylist([TASK])}, parse_policy(text, CrmPolicy), gate(), "en")


def test_values_become_json_that_does_not_depend_on_type_or_zone() -> None:
    table = pa.table(
        {
            "amount": pa.array([Decimal("12.50"), None], pa.decimal128(18, 2)),
            "founded_on": [date(2020, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5, 678), None],
            "number": [7, None],
        }
    )
    assert json_values(table).to_pylist()[0] == {
        "amount": "12.50",
        "founded_on": "2020-01-02",
        "at": "2026-01-02T03:04:05Z",
        "number": 7,
    }
