"""The plan of a push: every object's desired state through the gate, against what the CRM holds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from abmloop.errors import BadPolicy, CrmUnreachable
from abmloop.messages import said, say, tell
from abmloop.run import Run
from scoring.policies.consent import ConsentPolicy
from scoring.policies.crm import CrmPolicy, ObjectName
from tasks.outbound.consent.gate import Gate, Word
from tasks.outbound.consent.open_gate import open_gate
from tasks.outbound.consent.refusal_log import replay_log
from tasks.outbound.crm.base import Connector, Fields, Found, Standing
from tasks.outbound.crm.connectors import open_connector
from tasks.outbound.crm.mapping import in_their_words
from tasks.outbound.pull.merges import standing_of
from tasks.outbound.push.desired import KEY, Desired, gather_marts, make_desired, persons_in
from tasks.outbound.push.held import tell_held
from tasks.outbound.push.memory import Memory, recall
from tasks.outbound.push.outbox import OPEN, Intent, Journal, RecordKey
from tasks.outbound.push.plan import Change, Plan, plan, worth_asking
from tasks.policies import load_policy
from warehouse.steps import Work

LINES_PER_OBJECT = 20


@dataclass(frozen=True)
class Desk:
    """What a push works with: the rules, the gate, the ledger, the connector, and the wishes.

    `memory`: what the last push left in order, which is not among the wishes.
    """

    policy: CrmPolicy
    gate: Gate
    journal: Journal
    connector: Connector
    desired: Mapping[ObjectName, Desired]
    memory: Memory | None = None


@dataclass(frozen=True)
class PushPlan:
    """What would be sent and what would be held, per object. Intents stand in the order of sending.

    `unasked`: records that are not planned since the CRM gave no answer about them.
    """

    instance: str
    objects: Mapping[ObjectName, Plan]
    intents: tuple[Intent, ...]
    unasked: int = 0

    @property
    def held(self) -> dict[tuple[str, str], int]:
        """(object, named state) → number of records held back."""
        return dict(Counter((one.object, one.word.state) for one in self.intents if one.change is None))

    @property
    def counts(self) -> dict[str, int]:
        """Numbers over all objects."""
        plans = self.objects.values()
        return {
            "creates": sum(len(one.creates) for one in plans),
            "updates": sum(len(one.updates) for one in plans),
            "skipped": sum(len(one.skips) for one in plans),
            "conflicts": sum(len(one.conflicts) for one in plans),
            "unchanged": sum(one.unchanged for one in plans),
            "held": sum(self.held.values()),
            "unasked": self.unasked,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row of the plan as JSON values, with the hash that `--apply` compares."""
        for intent in self.intents:
            change = intent.change
            yield {
                "object": intent.object,
                "key": intent.key,
                "action": change.action if change else "hold",
                "state": str(intent.word),
                "plan_hash": row_hash(intent),
                "fields": [[one.field, one.before, one.after] for one in change.changed] if change else [],
            }

    def approved(self) -> dict[tuple[str, str], str]:
        """(object, key) → row hash: what somebody agrees to who saves this plan."""
        return {(intent.object, intent.key): row_hash(intent) for intent in self.intents}


def row_hash(intent: Intent) -> str:
    """The hash of one row of a plan; a held row is named by its state."""
    return intent.change.plan_hash if intent.change else f"held:{intent.word.state}"


def open_desk(run: Run, work: Work) -> Desk:
    """Everything a push needs, read from the rules, the warehouse and the ledger."""
    policy, consent = in_their_words(load_policy(run, CrmPolicy)), load_policy(run, ConsentPolicy)
    replay_log(work.ledger, run.root, run)
    memory = recall(work, policy, consent)
    tables = gather_marts(work, policy)
    looked = {(name, key) for name, table in tables.items() for key in table.column(KEY).to_pylist()}
    journal = Journal(work.ledger, policy.instance, looked | memory.touched if memory.known else None)
    persons = persons_in(tables) | {row.person_id for row in journal.queued(OPEN) if row.person_id}
    gate = open_gate(run, work, consent, persons, policy.region)
    with journal.reading() as connection:
        gate.refresh(connection)
    desired = make_desired(tables, policy, gate, run.language)
    return Desk(policy, gate, journal, open_connector(run.root, policy, run.as_of), desired, memory)


def plan_objects(desk: Desk) -> PushPlan:
    """The plan over all objects: the gate first, then the difference. Reads the ledger and the CRM, writes nothing."""
    held = desk.journal.acknowledged()
    plans: dict[ObjectName, Plan] = {}
    intents: list[Intent] = []
    unasked = 0
    for name, wanted in desk.desired.items():
        known = held.get(name, {})
        words = {key: _word(key, wanted, desk.gate) for key in wanted.records}
        allowed = {key: fields for key, fields in wanted.records.items() if words[key].is_allowed}
        made, silent = _plan_object(desk, name, allowed, known)
        settled = desk.memory.settled[name] if desk.memory else 0
        plans[name] = replace(made, unchanged=made.unchanged + settled)
        unasked += silent
        changes: dict[str, Change] = {change.key: change for change in made.changes}
        for place, (key, word) in enumerate(words.items()):
            if not word.is_allowed or key in changes:
                order = wanted.order.get(key, f"{place:09d}")
                intents.append(Intent(name, key, wanted.subjects[key], word, changes.get(key), key in known, order))
    return PushPlan(desk.policy.instance, plans, tuple(intents), unasked)


def _word(key: str, wanted: Desired, gate: Gate) -> Word:
    hold = wanted.holds.get(key)
    return Word(False, hold) if hold else gate.judge_subject(wanted.subjects[key])


def _plan_object(
    desk: Desk, name: ObjectName, allowed: Mapping[str, Fields], known: Mapping[str, Fields]
) -> tuple[Plan, int]:
    """The plan of one object, and of how many records nothing could be learned: those wait for the next run.

    The CRM is asked only about records that may need something.
    """
    rule, says = desk.policy.objects[name], desk.connector.describe()
    fields = says.fields.get(name)
    if fields is not None and (missing := sorted(set(rule.owners) - fields)):
        raise BadPolicy(said("crm_has_no_field", object=name, fields=", ".join(missing)))
    asked = list(worth_asking(allowed, known, rule))
    wishes = len(asked)
    present: dict[str, Found] = {}
    for start in range(0, len(asked), says.batch_size):
        try:
            present.update(desk.connector.find(name, asked[start : start + says.batch_size]))
        except CrmUnreachable:
            # The connector was patient already: what it knows by now is planned, and sent, in this run.
            del asked[start:]
            break
    if not says.reads_back:
        # What it confirmed is taken to be there still: it cannot say otherwise.
        present = {**{key: Found(None) for key in asked if key in known}, **present}
    lost = [key for key in asked if key in known and key not in present] if says.reads_back else []
    moved, unheard = _standing(desk, name, lost)
    wanted = {key: allowed[key] for key in asked if key not in unheard}
    made = plan(wanted, known, present, rule, desk.desired[name].changed_at, moved)
    return replace(made, unchanged=made.unchanged + len(allowed) - wishes), wishes - len(wanted)


def _standing(desk: Desk, name: ObjectName, lost: list[str]) -> tuple[Mapping[str, Standing], frozenset[str]]:
    """Where the records stand that are found no more, and the keys of which nobody says: they wait, others do not."""
    if not lost:
        return {}, frozenset()
    try:
        return standing_of(desk.connector, name, lost, desk.journal.crm_ids()), frozenset()
    except CrmUnreachable:
        return {}, frozenset(lost)


def plan_lines(push: PushPlan, language: str, limit: int = LINES_PER_OBJECT) -> list[str]:
    """The plan as people read it, at most `limit` rows an object."""
    lines: list[str] = []
    for name, made in push.objects.items():
        numbers = {"creates": len(made.creates), "updates": len(made.updates), "skips": len(made.skips)}
        more = {"conflicts": len(made.conflicts), "unchanged": f"{made.unchanged:,}"}
        lines.append(say("crm_plan_object", language, object=name, **numbers, **more))
        details = list(_details(made, language))
        lines += islice(details, limit)
        if len(details) > limit:
            lines.append(say("crm_plan_more", language, number=f"{len(details) - limit:,}"))
    for (held, state), number in sorted(push.held.items()):
        lines.append(say("crm_plan_held", language, object=held, number=number, state=tell_held(state, language)))
    if push.unasked:
        lines.append(say("crm_plan_unasked", language, number=f"{push.unasked:,}"))
    if not any(push.objects.values()):
        lines.append(say("crm_plan_nothing", language, instance=push.instance))
    else:
        lines.append(say("crm_plan_next", language))
    return lines


def _details(made: Plan, language: str) -> Iterator[str]:
    for conflict in made.conflicts:
        values = {"field": conflict.field, "ours": _shown(conflict.ours), "theirs": _shown(conflict.theirs)}
        winner = say(f"crm_winner_{conflict.winner}", language)
        yield say("crm_plan_conflict", language, key=conflict.key, winner=winner, **values)
    for change in made.changes:
        is_new = change.action == "create"
        texts = [
            f"{one.field}={_shown(one.after)}" if is_new else f"{one.field}: {_shown(one.before)} → {_shown(one.after)}"
            for one in change.changed
        ]
        yield say(f"crm_plan_{change.action}", language, key=change.key, fields=", ".join(texts)[:240])
    for skip in made.skips:
        field = skip.field or say("crm_whole_record", language)
        yield say("crm_plan_skip", language, key=skip.key, field=field, reason=tell(skip.reason, language))


def _shown(value: Any) -> str:
    """A value on one short line; control characters as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


def settle_memory(desk: Desk, journal: Journal) -> None:
    """After a push: remember which records the CRM holds as wished, and which are still on their way."""
    if desk.memory is None:
        return
    held = journal.acknowledged()
    settled: list[RecordKey] = []
    for name, wanted in desk.desired.items():
        known, rule = held.get(name, {}), desk.policy.objects[name]
        kept = {key: fields for key, fields in wanted.records.items() if _word(key, wanted, desk.gate).is_allowed}
        needy = set(worth_asking(kept, known, rule))
        settled += [(name, key) for key in kept if key not in needy]
    desk.memory.keep(settled, [(row.object, row.key) for row in journal.queued(OPEN)])
