"""The last step: tell the CRM what changed, once, and only what the gate lets out."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

from abmloop.collector import seldom_collecting
from abmloop.errors import AbmError, BadUsage, CrmRefused, CrmUnreachable
from abmloop.faultpoint import fault_point
from abmloop.messages import said, say
from abmloop.run import Run, StepCounts
from tasks.outbound.push.desk import Desk, PushPlan, open_desk, plan_lines, plan_objects, row_hash, settle_memory
from tasks.outbound.push.outbox import OPEN, Intent, Journal, Outbox
from tasks.outbound.push.send import Sender
from tasks.outbound.push.stuck import find_stuck, stuck_said
from warehouse.ledger import Ledger
from warehouse.steps import step

Mode = Literal["apply", "plan", "off"]
Approved = Mapping[tuple[str, str], str]


def deliver(run: Run, mode: Mode | None = None, approved: Approved | None = None) -> StepCounts:
    """Bring the CRM to the desired state (`apply`), count what that would take (`plan`), or do nothing (`off`).

    `mode` None is the run's own `push`. With `approved` (a saved plan: (object, key) → row hash) only rows that are
    still the same are sent. Raises BadUsage for a day older than the last one delivered, CrmRefused for another
    instance than the last, and CrmUnreachable where deliveries wait because the CRM gave no answer: the next run goes
    on from there.
    """
    stopped: str | None = None
    chosen = mode or run.push
    with seldom_collecting(), step(run, "deliver") as work:
        if chosen == "plan":
            work.count(**plan_objects(open_desk(run, work)).counts)
        elif chosen == "apply":
            desk = open_desk(run, work)
            counted, stopped = push(desk, run, work.ledger, approved)
            work.count(**counted)
            stuck = stuck_said(find_stuck(work.ledger, desk.policy.instance)) if stopped else ""
    if stopped:
        raise CrmUnreachable(said("crm_delivery_stopped", why=stopped, stuck=stuck))
    return work.counts


def plan_push(run: Run) -> PushPlan:
    """The plan of a push, row by row; nothing is written but the step's own record."""
    with seldom_collecting(), step(run, "plan_push") as work:
        return plan_objects(open_desk(run, work))


def push_plan_lines(run: Run) -> list[str]:
    """The plan of a push as people read it, with the reason why a push would be refused as things are."""
    with seldom_collecting(), step(run, "plan_push") as work:
        desk = open_desk(run, work)
        lines = plan_lines(plan_objects(desk), run.language)
    try:
        _assert_pinned(desk, desk.journal, run.as_of)
    except AbmError as error:
        lines.append(say("crm_plan_refused", run.language, why=error.told(run.language)))
    return lines


def push(
    desk: Desk,
    run: Run,
    ledger: Ledger,
    approved: Approved | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[dict[str, int], str | None]:
    """Settle what is in doubt, plan, write the intents, send. Gives the counts, and why it stopped early if it did."""
    outbox = Outbox(ledger, run, desk.policy.instance, desk.journal.only)
    # The plan reads what this run has written so far, from the same memory.
    desk = replace(desk, journal=outbox)
    _assert_pinned(desk, outbox, run.as_of)
    sender = Sender(outbox, desk.connector, desk.gate, desk.policy, pause)
    sender.settle()
    made, agreed, counted = _plan_and_send(desk, outbox, sender, approved)
    if sender.counted["linked"] and approved is None and not sender.stopped:
        # Records made by hand bear our key now: the plan sees what stands there and adds only what it may.
        counted += _plan_and_send(desk, outbox, sender, approved)[2]
    counted["held"] += _hold_withdrawn(agreed, desk, outbox)
    counted["changed_since_plan"] = len(made.intents) - len(agreed)
    counted.update({key: made.counts[key] for key in ("skipped", "conflicts", "unchanged")})
    counted.update({key: number for key, number in sender.counted.items() if key != "retry"})
    counted["queued"] = counted.pop("pending", 0)
    counted["waiting"] = len(outbox.queued(OPEN)) + made.unasked
    if sender.counted:
        _note(outbox, counted)
    settle_memory(desk, outbox)
    return dict(+counted), sender.stopped


def _plan_and_send(
    desk: Desk, outbox: Outbox, sender: Sender, approved: Approved | None
) -> tuple[PushPlan, list[Intent], Counter[str]]:
    """The plan, its intents in the ledger, and the sending; gives the plan, what was agreed to, and the counts."""
    made = plan_objects(desk)
    agreed = [one for one in made.intents if _is_agreed(one, approved)]
    fault_point("crm:before_intent")
    counted = outbox.enqueue(agreed, desk.gate)
    for name, plan in made.objects.items():
        counted["reconciled"] += outbox.adopt(name, plan.adopted)
    fault_point("crm:after_intent")
    sender.send()
    return made, agreed, counted


def _is_agreed(intent: Intent, approved: Approved | None) -> bool:
    """Whether a saved plan holds this very row; holding something back needs nobody's agreement."""
    return approved is None or intent.change is None or approved.get((intent.object, intent.key)) == row_hash(intent)


def _assert_pinned(desk: Desk, journal: Journal, as_of: date) -> None:
    """Refuse to push into another CRM than the last time, or a day that is older than what the CRM holds."""
    instance, delivered_on = journal.last_delivered()
    there = desk.connector.describe().instance
    if there != desk.policy.instance:
        raise CrmRefused(said("crm_other_instance_answers", wanted=desk.policy.instance, found=there))
    if instance not in (None, desk.policy.instance, *desk.policy.previous_instances):
        raise CrmRefused(said("crm_instance_changed", last=instance, now=desk.policy.instance))
    if delivered_on and delivered_on > as_of:
        raise BadUsage(said("crm_older_day", held=delivered_on, asked=as_of))


def _hold_withdrawn(intents: list[Intent], desk: Desk, outbox: Outbox) -> int:
    """Note what must be removed over there, for persons who refused while it was on its way; gives the number."""
    with outbox.reading() as connection:
        desk.gate.refresh(connection)
    judged = [(one, desk.gate.judge_subject(one.subject)) for one in intents if one.change]
    late = [one._replace(change=None, word=word, is_known=True) for one, word in judged if not word.is_allowed]
    if not late:
        return 0
    held = outbox.acknowledged()
    return outbox.enqueue([one for one in late if one.key in held.get(one.object, {})], desk.gate)["held"]


def _note(outbox: Outbox, counted: Counter[str]) -> None:
    """The push as a line of the audit log."""
    row = {"actor": outbox.run.run_id, "action": "push", "object": outbox.instance}
    outbox.ledger.append("audit", [{**row, "detail": json.dumps(dict(+counted), sort_keys=True)}], outbox.run)
