"""The small world of pushes, empty; and a warehouse whose marts hold one lead to deliver."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from abmloop.policy import parse_policy
from abmloop.run import Run
from scoring.policies.crm import CrmPolicy
from tests.contract.world import LEADS, World
from tests.unit.outbound.test_desired import TASK
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


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """A world in `tmp_path`; `instance` and `people` as given."""

    def make(people: int = 10, instance: str = "fake:test") -> World:
        policy = parse_policy(LEADS.replace("fake:test", instance), CrmPolicy)
        return World(tmp_path, policy, people)

    return make
