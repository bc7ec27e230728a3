"""What `abmloop doctor --crm` says before anything is sent."""

from pathlib import Path

import pytest

from tasks.outbound.crm.mapping import in_their_words, load_mapping
from tasks.outbound.push.examine import crm_rows
from tasks.policies import DEFAULTS
from tests.contract.server.account import CrmServer
from tests.contract.vendors import ENVIRONMENT, INSTANCES, vendor_policy

VENDOR = "salesforce"


@pytest.fixture
def root(tmp_path: Path, crm_server: CrmServer) -> Path:
    """A workspace whose CRM is the fake's Salesforce."""
    rules = (DEFAULTS / "crm.yaml").read_text(encoding="utf-8")
    ours = f"instance: {VENDOR}:{INSTANCES[VENDOR]}\nurl: {crm_server.url}"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "crm.yaml").write_text(rules.replace("instance: files:default", ours), encoding="utf-8")
    (tmp_path / "abmloop.yaml").write_text("language: en\n", encoding="utf-8")
    return tmp_path


def _states(root: Path) -> dict[str, str]:
    return {row["asked"]: row["state"] for row in crm_rows(root)}


def test_missing_credentials_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    (row,) = crm_rows(root)
    assert row["state"] == "bad"
    assert "SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET" in row["found"]


def test_fields_that_have_to_be_made_are_named_with_their_type(
    root: Path, crm_server: CrmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    policy = in_their_words(vendor_policy(VENDOR, crm_server))
    there = [load_mapping(VENDOR).objects["leads"].key, *policy.objects["leads"].owners]
    crm_server.ask("reset", dialect=VENDOR, fields=there)
    rows = {row["asked"]: row for row in crm_rows(root)}
    assert rows["crm account"]["state"] == "ok"
    assert rows["crm leads"]["state"] == "bad"
    assert "Abm_assignment_reason__c (text)" in rows["crm leads"]["found"]
    assert "Abm_Key__c" not in rows["crm leads"]["found"]


def test_another_account_than_the_one_named_is_bad(
    root: Path, crm_server: CrmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    crm_server.ask("reset", dialect=VENDOR, instance="00D000000000009EAA", sandbox=True)
    states = _states(root)
    assert states["crm account"] == "bad"
    assert states["crm note"] == "warn", "it says that it is a sandbox"


def test_files_need_nothing(tmp_path: Path) -> None:
    (tmp_path / "abmloop.yaml").write_text("language: zh\n", encoding="utf-8")
    assert set(_states(tmp_path).values()) == {"ok"}
