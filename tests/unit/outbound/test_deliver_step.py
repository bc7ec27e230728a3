"""The step in a workspace: from the marts to import files, with the rules as shipped."""

from pathlib import Path

from abmloop.run import Run
from tasks.outbound.pull.step import pull
from tasks.outbound.push.step import deliver, plan_push, push_plan_lines
from warehouse.ledger import Ledger
from warehouse.steps import step


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
