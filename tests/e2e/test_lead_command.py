"""`abmloop lead` and `abmloop whatif routing` as a user calls them, on a synced workspace."""

import json
from pathlib import Path

import pytest

from abmloop.settings import load_settings
from tasks.policies import DEFAULTS
from tests.e2e.test_cli import abmloop, decided
from tests.e2e.worlds import ask
from warehouse.ledger import Ledger


def test_leads_are_listed_claimed_shown_and_given_back_from_the_terminal(copy: Path) -> None:
    free = "select lead_id from scored.assignments where is_current and owner_id is null and pool_id = 'public' limit 1"
    lead = ask(copy, free)[0][0]
    owner = ask(copy, "select owner_id from core.owners_today where is_active order by 1 limit 1")[0][0]
    told = abmloop("lead", "claim", lead, "--owner", owner, "--reason", "knows them", "-w", copy)
    assert (told.code, f"{owner} has {lead} now" in told.out) == (0, True)
    rows = json.loads(abmloop("lead", "list", "--owner", owner, "--limit", "500", "--json", "-w", copy).out)
    assert lead in [row["lead_id"] for row in rows]
    again = abmloop("lead", "claim", lead, "--owner", owner, "--language", "zh", "-w", copy)
    assert (again.code, f"由 {owner} 负责" in again.err) == (2, True)
    assert "从公海池 public 领取：knows them" in abmloop("lead", "show", lead, "--language", "zh", "-w", copy).out
    assert abmloop("lead", "release", lead, "-w", copy).code == 0
    with Ledger.of(copy, load_settings(copy).ledger_url) as ledger:
        lines = ledger.read("assignments", only={"lead_id": lead})["path"].to_pylist()
    assert lines[-2:] == ["claim", "release"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whatif_routing_tells_both_and_writes_nothing(copy: Path, language: str) -> None:
    before = decided(copy)
    told = abmloop("whatif", "routing", "--set", "reclaim.default_days=5", "--from", "2026-03-01", "--to", "2026-04-30",
                   "--language", language, "-w", copy)  # fmt: skip
    assert told.code == 0, told.err
    assert ("Gini" if language == "en" else "基尼系数") in told.out
    assert decided(copy) == before


def test_explain_lead_tells_the_fit_of_the_person_criterion_by_criterion(copy: Path) -> None:
    lead, criterion = ask(copy, """
        select lead_id, rule_id from scored.score_events join scored.leads on leads.person_id = subject
        where subject_kind = 'person' and model = 'fit' order by lead_id, rule_id limit 1
    """)[0]  # fmt: skip
    told = abmloop("explain", "lead", lead, "--language", "zh", "-w", copy)
    assert (told.code, "联系人匹配度" in told.out, f"规则 {criterion}" in told.out) == (0, True, True)


def test_whatif_scoring_by_another_profile_moves_the_leads_of_the_companies_it_thinks_less_of(
    copy: Path, tmp_path: Path
) -> None:
    shipped = (DEFAULTS / "icp.yaml").read_text(encoding="utf-8")
    stricter = tmp_path / "icp.yaml"
    raised = shipped.replace("grades: {A: 80, B: 60, C: 40}", "grades: {A: 99, B: 98, C: 97}")
    stricter.write_text(raised, encoding="utf-8")
    before = decided(copy)
    same = json.loads(abmloop("whatif", "scoring", "--icp", DEFAULTS / "icp.yaml", "--json", "-w", copy).out)
    told = json.loads(abmloop("whatif", "scoring", "--icp", stricter, "--json", "-w", copy).out)
    assert same["changed"] == dict.fromkeys(same["changed"], 0)
    assert (told["changed"]["lost"] > 0, told["changed"]["gained"]) == (True, 0)
    assert {row["fit_grade"] for row in told["changes"]} <= {"D", "U"}
    assert decided(copy) == before
