"""The steps of lists: planning one, making one, and taking off every list those who withdrew."""

from collections.abc import Callable, Iterator

from abmloop.messages import say
from abmloop.run import Run, StepCounts
from scoring.policies.audiences import ListRule
from tasks.outbound.consent.gate import naive_utc
from tasks.outbound.consent.old_proof import OldProof, delete_old_proof, find_old_proof
from tasks.outbound.consent.open_gate import assert_synced
from tasks.outbound.lists.decide import Decision, decide
from tasks.outbound.lists.desk import Desk, find_any_rule, open_list
from tasks.outbound.lists.export import Asked, Parcel, export_list, settle_exports
from tasks.outbound.lists.members import active_members, read_exports
from warehouse.ledger import Ledger
from warehouse.steps import Work, step


def plan_list(run: Run, rule: ListRule, is_full: bool = False) -> Decision:
    """Who would come on a list, who go off, who is held back and why; nothing is written but the step's record."""
    with step(run, "plan_list") as work:
        return decide(_looked(open_list(run, work, rule), work), is_full)


def make_list(run: Run, rule: ListRule, asked: Asked) -> tuple[Decision, list[Parcel]]:
    """Make a list: who may be on it leaves in a file, who may no longer goes off in another."""
    with step(run, "make_list") as work:
        settle_exports(work.ledger, run.root, naive_utc(run.at), run)
        decision, parcels = export_list(open_list(run, work, rule), run, work.ledger, asked)
        for parcel in parcels:
            work.count(**{parcel.action: parcel.file.rows})
        return decision, parcels


def list_act(list_id: str, asked: Asked | None) -> Callable[[Run], StepCounts]:
    """A step that makes the list of that id, or without `asked` only counts who would be on it."""

    def export_list(run: Run) -> StepCounts:
        rule = find_any_rule(run, list_id)
        if asked is None:
            decision = plan_list(run, rule)
            counts = {"asked": decision.asked, "wanted": decision.wanted, "come_on": len(decision.entries)}
            return StepCounts("export_list", counts | {"go_off": len(decision.removals)} | dict(decision.held))
        decision, parcels = make_list(run, rule, asked)
        return StepCounts("export_list", {one.action: one.file.rows for one in parcels} | dict(decision.held))

    return export_list


def withdraw(run: Run) -> StepCounts:
    """Take off every list those who may no longer be on it, in files; only where the run may deliver.

    Then delete the proof that nobody relies on any more and whose term is over.
    """
    with step(run, "withdraw") as work:
        if run.push == "apply":
            settle_exports(work.ledger, run.root, naive_utc(run.at), run)
            for rule in standing_rules(run, work.ledger):
                _, parcels = export_list(
                    open_list(run, work, rule, is_withdrawal=True),
                    run,
                    work.ledger,
                    Asked(run.run_id, say("list_withdrawal", run.language)),
                )
                work.count(taken_off=sum(parcel.file.rows for parcel in parcels))
            if gone := delete_old_proof(run, work, find_old_proof(run, work), run.run_id):
                work.count(proof_deleted=gone)
    return work.counts


def retire_proof(run: Run, is_applied: bool, actor: str) -> OldProof:
    """The proof whose term is over; with `is_applied` it is deleted."""
    with step(run, "retire_proof") as work:
        assert_synced(run, work)
        found = find_old_proof(run, work)
        if is_applied:
            delete_old_proof(run, work, found, actor)
        return found


def standing_rules(run: Run, ledger: Ledger) -> Iterator[ListRule]:
    """Every list with somebody on it, by the rule it was made by last; the rules of today may know it no more."""
    exports = read_exports(ledger)
    rules = {export.list_id: export.rule for export in exports.values()}
    for list_id, rule in sorted(rules.items()):
        if active_members(ledger, exports, list_id, naive_utc(run.at)):
            yield rule


def _looked(desk: Desk, work: Work) -> Desk:
    """The desk, its gate up to this moment."""
    with work.ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        desk.gate.refresh(connection)
    return desk
