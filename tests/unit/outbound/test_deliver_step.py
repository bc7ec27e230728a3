"""The step in a workspace: from the marts to import files, with the rules as shipped."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from abmloop.run import Run
from tasks.outbound.deliver import deliver, plan_push, push_plan_lines
from tasks.outbound.pull import pull
from tests.unit.outbound.test_desired import TASK
from warehouse.ledger import Ledger
from warehouse.steps import step

SERVICE = {"person_id": "P1", "region": "CN", "hold": None, "send_order": "A1"}
COMPANY = dict.fromkeys(
    ("uscc", "name_en", "province", "city", "address", "industry", "company_type", "phone", "website", "tags",
     "target_tier", "parent_key")
)  # fmt: skip
MARTS: dict[str, dict[str, Any]] = {
    "marts.crm_companies": {
        **SERVICE, **COMPANY, "abm_key": "A1", "person_id": None, "name": "深圳华强", "status": "active",
        "employees": 12, "founded_on": date(2001, 1, 1), "registered_capital": None, "fit_grade": "A",
    },
    "marts.crm_contacts": {
        **SERVICE, "abm_key": "P1", "company_key": "A1", "name": "王伟", "title": "CTO", "department": None,
        "seniority": "c_level", "email": "w@x.cn", "mobile": "+8613800000001", "province": None, "city": None,
    },
    "marts.crm_leads": {
        **SERVICE, "abm_key": "L1", "contact_key": "P1", "company_key": "A1", "company_name": "深圳华强",
        "name": "王伟", "title": "CTO", "email": "w@x.cn", "mobile": "+8613800000001", "owner_id": "u1",
        "pool_id": None, "assignment_reason": "territory", "abm_stage": "mql", "abm_stage_on": date(2026, 10, 3),
        "abm_stage_reason": "60 of 60", "fit_grade": "A", "engagement_band": 3, "grid": "A3",
        "score_reason": "demo +50", "match_evidence": "name",
        "first_campaign": "c1", "first_channel": "webinar", "inquiry_on": date(2026, 10, 1),
        "changed_at": None,
    },
    "marts.crm_campaign_members": {
        **SERVICE, "abm_key": "P1:c1", "campaign_id": "c1", "campaign_name": "秋季直播", "channel": "webinar",
        "contact_key": "P1", "company_key": "A1", "first_touch_on": date(2026, 10, 1),
        "last_touch_on": date(2026, 10, 2), "touches": 2,
    },
    "marts.crm_tasks": TASK,
}  # fmt: skip
CONSENTS = pa.schema(
    [("person_id", pa.string()), ("channel", pa.string()), ("status", pa.string()), ("given_at", pa.timestamp("us")),
     ("event_id", pa.string())]
)  # fmt: skip


@pytest.fixture
def marts(run: Run) -> Run:
    """A warehouse that holds one handed-over lead and what belongs to it."""
    tables = {name: pa.Table.from_pylist([row]) for name, row in MARTS.items()}
    keys = {"key_kind": "mobile", "key_value": "+8613800000001", "person_id": "P1"}
    tables["matched.person_keys"] = pa.Table.from_pylist([keys])
    tables["core.consents"] = pa.Table.from_pylist([], CONSENTS)
    with step(run, "given") as work:
        for name, rows in tables.items():
            work.con.register("given_rows", rows)
            work.execute(f"create or replace table {name} as select * from given_rows")
            work.con.unregister("given_rows")
    return run


def _exports(run: Run) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in (run.root / "exports" / "crm").glob("*/*.csv"))


def test_a_lead_and_what_belongs_to_it_become_import_files_once(marts: Run) -> None:
    assert deliver(marts).counts["delivered"] == 5
    names = ["campaign_members-new", "companies-new", "contacts-new", "leads-new", "tasks-new"]
    assert _exports(marts) == names
    assert deliver(marts).counts == {"unchanged": 5}
    assert _exports(marts) == names


def test_plan_and_off_write_nothing(marts: Run) -> None:
    with Ledger.of(marts.root) as ledger:
        before = ledger.head()
        assert deliver(marts, "plan").counts["creates"] == 5
        assert deliver(marts, "off").counts == {}
        lines = push_plan_lines(marts)
        assert ledger.head() == before
    assert "leads: 1 to create, 0 to update, 0 skipped, 0 conflicts, 0 unchanged" in lines
    assert lines[-1].startswith("Nothing was written.")
    assert not (marts.root / "exports").exists()


def test_only_what_a_saved_plan_holds_is_sent(marts: Run) -> None:
    approved = {key: value for key, value in plan_push(marts).approved().items() if key[0] != "tasks"}
    counts = deliver(marts, "apply", approved).counts
    assert (counts["delivered"], counts["changed_since_plan"]) == (4, 1)


def test_a_refusal_in_a_landed_file_holds_the_person_and_lets_the_company_go(marts: Run) -> None:
    with step(marts, "consents") as work:
        work.execute("insert into core.consents values ('P1', 'any', 'refused', '2026-10-01', 'crm:1')")
    counts = deliver(marts).counts
    assert (counts["delivered"], counts["held"]) == (1, 4)
    assert _exports(marts) == ["companies-new"]


def test_the_task_of_somebody_who_did_not_agree_to_calls_has_no_number(marts: Run) -> None:
    deliver(marts)
    path = next((marts.root / "exports" / "crm").glob("*/tasks-new-*.csv"))
    text = path.read_text(encoding="utf-8-sig")
    assert "follow_up" in text
    assert "+8613800000001" not in text


def test_pull_brings_the_crms_exports_to_the_inbox(marts: Run) -> None:
    folder = Path(marts.workspace) / "crm" / "payments"
    folder.mkdir(parents=True)
    (folder / "回款.csv").write_bytes(b"payment_id\r\n1\r\n")
    (folder.parent / "notes.csv").write_bytes(b"x")
    assert pull(marts).counts == {"payments": 1, "not_taken": 1}
    assert pull(marts).counts == {"not_taken": 1}
