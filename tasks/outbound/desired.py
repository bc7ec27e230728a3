"""What the CRM should hold: rows of marts.crm_*, cut down to the fields that crm.yaml lets out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadPolicy
from abmloop.messages import say
from scoring.policies.crm import OBJECT_ORDER, CrmPolicy, FieldRule, ObjectName, ObjectRule, PlayRule, Spoken
from scoring.values.lengths import cut_text, too_long
from tasks.outbound.crm.base import Fields
from tasks.outbound.gate import Gate, Subject
from tasks.outbound.plan import is_blank
from warehouse.steps import Work

KEY = "abm_key"
LAST = "~"


@dataclass(frozen=True)
class Desired:
    """One object's records, all by our key, best first. `holds`: why a record of ours is not for sending;
    `order`: its lead's place among all leads.
    """

    records: dict[str, Fields] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    changed_at: dict[str, str] = field(default_factory=dict)
    order: dict[str, str] = field(default_factory=dict)


def gather_marts(work: Work, policy: CrmPolicy) -> dict[ObjectName, pa.Table]:
    """The marts of the objects that crm.yaml names, best leads first, as JSON values."""
    named = [name for name in OBJECT_ORDER if name in policy.objects]
    return {
        name: json_values(work.query(f"select * from marts.crm_{name} order by send_order nulls last, {KEY}"))
        for name in named
    }


def json_values(table: pa.Table) -> pa.Table:
    """The same columns as text, integers and booleans: dates and times in ISO form (UTC), decimals as written."""
    return pa.table({name: _json_column(table.column(name)) for name in table.column_names})


def _json_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return column
    if pa.types.is_timestamp(kind):
        return pc.strftime(column.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_date(kind):
        return pc.strftime(column, format="%Y-%m-%d")
    return column.cast(pa.string())


def persons_in(tables: Mapping[ObjectName, pa.Table]) -> set[str]:
    """Every person of whom something would leave."""
    return {
        person_id
        for table in tables.values()
        for person_id in pc.unique(table.column("person_id").cast(pa.string())).to_pylist()
        if person_id is not None
    }


def make_desired(
    tables: Mapping[ObjectName, pa.Table], policy: CrmPolicy, gate: Gate, language: str
) -> dict[ObjectName, Desired]:
    """The records of every object. A task asks to call only where the play and the gate agree to it.

    Raises BadPolicy for a field that our mart does not have.
    """
    desired: dict[ObjectName, Desired] = {}
    for name, table in tables.items():
        rows = table.to_pylist()
        if name == "tasks":
            rows = [write_task(row, policy.plays, gate, language) for row in rows]
            known = {*table.column_names, *_TASK_FIELDS}
        elif name == "leads":
            rows = [{**row, **play_fields(row, policy.plays, gate, language)} for row in rows]
            known = {*table.column_names, *_PLAY_FIELDS}
        else:
            known = set(table.column_names)
        rule = policy.objects[name]
        _check_fields(name, rule, known)
        desired[name] = _desired(rows, rule)
    return desired


def _check_fields(name: str, rule: ObjectRule, known: set[str]) -> None:
    unknown = [one for one, how in rule.fields.items() if how.owner != "theirs" and one not in known]
    if unknown:
        raise BadPolicy(
            f"crm.yaml: objects.{name}.fields: marts.crm_{name} has no {', '.join(unknown)}; "
            f"it has {', '.join(sorted(known))}"
        )


def _desired(rows: list[dict[str, Any]], rule: ObjectRule) -> Desired:
    names = {one: rule.name_there(one) for one, how in rule.fields.items() if how.owner != "theirs"}
    found = Desired()
    for row in rows:
        key = row[KEY]
        found.records[key] = {
            there: _fitting(row[ours], rule.fields[ours]) for ours, there in names.items() if not is_blank(row[ours])
        }
        found.subjects[key] = Subject(row["person_id"], row["region"], bool(row.get("asks_to_call")))
        if row["hold"]:
            found.holds[key] = row["hold"]
        elif unfit := [ours for ours in names if _must_wait(row[ours], rule.fields[ours])]:
            found.holds[key] = f"too_long: {', '.join(unfit)}"
        found.order[key] = str(row.get("send_order") or LAST)
        if row.get("changed_at"):
            found.changed_at[key] = row["changed_at"]
    return found


def _fitting(value: Any, field_rule: FieldRule) -> Any:
    """A text as long as the CRM's field takes it; what was cut ends with …"""
    if not isinstance(value, str) or field_rule.too_long == "hold":
        return value
    return cut_text(value, field_rule.characters, field_rule.bytes)


def _must_wait(value: Any, field_rule: FieldRule) -> bool:
    """Whether a record waits for a person, since its text is longer than the field and may not be cut."""
    if not isinstance(value, str) or field_rule.too_long == "cut":
        return False
    return too_long(value, field_rule.characters, field_rule.bytes)


_PLAY_FIELDS = ("play", "talk_track", "content", "next_steps")
_TASK_FIELDS = ("task_type", "subject", "description", "phone", "asks_to_call", "play")


def choose_play(row: dict[str, Any], plays: tuple[PlayRule, ...], gate: Gate) -> tuple[PlayRule | None, str | None]:
    """The first play that fits, and why the person may not be called, where the one before it asked for that."""
    fitting = [play for play in plays if _fits(play, row)]
    play = next(iter(fitting), None)
    if play and play.asks_to_call:
        word = gate.judge("call", row["person_id"], row["region"])
        if not word.is_allowed:
            return next((other for other in fitting if not other.asks_to_call), None), word.state
    return play, None


def play_fields(row: dict[str, Any], plays: tuple[PlayRule, ...], gate: Gate, language: str) -> dict[str, Any]:
    """What of the play book goes with a lead that sales may act on; nulls for all others."""
    play = choose_play(row, plays, gate)[0] if row.get("is_workable", True) else None
    if play is None:
        return dict.fromkeys(_PLAY_FIELDS)
    spoken = _spoken(language)
    between = "；" if spoken == "zh" else "; "
    lists = {name: between.join(getattr(play, name).get(spoken, ())) or None for name in ("content", "next_steps")}
    return {"play": play.id, "talk_track": play.text[spoken], **lists}


def _spoken(language: str) -> Spoken:
    return "zh" if language == "zh" else "en"


def write_task(row: dict[str, Any], plays: tuple[PlayRule, ...], gate: Gate, language: str) -> dict[str, Any]:
    """The task's words by the first play that fits.

    Where that play asks to call and the person did not agree to calls, the task says so, has no number to call, and
    the first fitting play that asks for no call takes its place.
    """
    play, refusal = choose_play(row, plays, gate)
    may_call = bool(play and play.asks_to_call)
    kind = "call" if may_call else "follow_up"
    subject = say(
        "crm_task_subject",
        language,
        play=say(f"event_{row['kind']}" if row.get("kind") else f"crm_task_{kind}", language),
        person=row["person_name"] or "—",
        company=row["company_name"] or "—",
        grid=row["grid"] or "—",
    )
    return {
        **row,
        "task_type": kind,
        "subject": subject,
        "description": "\n".join(_lines(row, play, refusal, language)),
        "phone": row["mobile"] if may_call else None,
        "asks_to_call": may_call,
        "play": play.id if play else None,
    }


def _lines(row: dict[str, Any], play: PlayRule | None, refusal: str | None, language: str) -> Iterator[str]:
    if refusal:
        yield say("crm_task_no_call", language, state=refusal)
    spoken = _spoken(language)
    if row.get("due_at"):
        yield say("crm_task_due", language, due=row["due_at"])
    if play:
        yield play.text[spoken]
        yield from (say("crm_task_content", language, item=item) for item in play.content.get(spoken, ()))
        yield from (say("crm_task_step", language, item=item) for item in play.next_steps.get(spoken, ()))
    for code, name, column in (
        ("crm_task_why", "reason", "stage_reason"),
        ("crm_task_last_touch", "touch", "last_touch"),
        ("crm_task_score", "reason", "score_reason"),
    ):
        if row[column]:
            yield say(code, language, **{name: row[column]})


def _fits(play: PlayRule, row: dict[str, Any]) -> bool:
    return all(str(row.get(column)) in allowed for column, allowed in play.when.items())
