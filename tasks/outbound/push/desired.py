"""What the CRM should hold: rows of marts.crm_*, cut down to the fields that crm.yaml lets out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadPolicy
from abmloop.messages import said, say
from scoring.policies.crm import OBJECT_ORDER, CrmPolicy, FieldRule, ObjectName, ObjectRule, PlayRule, Spoken
from scoring.values.lengths import surely_fits, too_long
from tasks.outbound.consent.gate import Gate, Subject
from tasks.outbound.crm.base import Fields
from tasks.outbound.push.plan import is_blank
from tasks.outbound.push.words import fitting, in_words
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
    """The marts of the objects that crm.yaml names, best leads first, as JSON values; only the records that need a look
    (`look_<object>`, see tasks/outbound/push/memory.py).
    """
    named = [name for name in OBJECT_ORDER if name in policy.objects]
    picked = "select * from marts.crm_{0} semi join look_{0} using ({1}) order by send_order nulls last, {1}"
    return {name: json_values(work.query(picked.format(name, KEY))) for name in named}


def json_values(table: pa.Table) -> pa.Table:
    """The same columns as text, integers and booleans: dates and times in ISO form (UTC), decimals as written."""
    return pa.table({name: _json_column(table.column(name)) for name in table.column_names})


def _json_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return column
    if pa.types.is_timestamp(kind):
        # Written by a cast: strftime takes ten times as long.
        text = column.cast(pa.timestamp("s"), safe=False).cast(pa.string())
        return pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")
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
    for name, received in tables.items():
        table = in_words(received, language)
        needed = _columns_needed(name, table, policy.objects[name])
        columns = {one: _without_blanks(table.column(one)).to_pylist() for one in needed}
        if name == "tasks":
            rows = [write_task(row, policy.plays, gate, language) for row in table.to_pylist()]
            columns = _in_columns(rows, (*table.column_names, *_TASK_FIELDS))
        elif name == "leads":
            columns |= _in_columns(_play_rows(table, policy.plays, gate, language), _PLAY_FIELDS)
        rule = policy.objects[name]
        _check_fields(name, rule, {*table.column_names, *columns})
        desired[name] = _desired(columns, rule, language)
    return desired


def _columns_needed(name: str, table: pa.Table, rule: ObjectRule) -> list[str]:
    """The columns of which something is asked row by row."""
    asked = {KEY, "person_id", "region", "hold", "send_order", "changed_at", *rule.fields}
    return [one for one in table.column_names if one in asked] if name != "tasks" else []


def _without_blanks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts of nothing but blanks are nothing."""
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), pa.scalar(None, pa.string()), column)


def _in_columns(rows: list[dict[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Rows made here as columns, blanks as nothing."""
    return {one: [None if is_blank(value := row.get(one)) else value for row in rows] for one in names}


def _play_rows(table: pa.Table, plays: tuple[PlayRule, ...], gate: Gate, language: str) -> list[dict[str, Any]]:
    """The play fields of every lead; which plays fit is found once for all that are alike in what the rules ask."""
    asked = sorted({column for play in plays for column in play.when} & set(table.column_names))
    alike = list(zip(*(map(str, table.column(one).to_pylist()) for one in asked), strict=True)) or [()] * len(table)
    fitting = {one: _fitting_plays(dict(zip(asked, one, strict=True)), plays) for one in set(alike)}
    told = {play.id if play else None: _told(play, language) for play in (*plays, None)}
    persons, regions = table.column("person_id").to_pylist(), table.column("region").to_pylist()
    workable = table.column("is_workable").to_pylist() if "is_workable" in table.column_names else [True] * len(table)
    rows = []
    for one, person, region, is_workable in zip(alike, persons, regions, workable, strict=True):
        play = _allowed_play(fitting[one], person, region, gate)[0] if is_workable else None
        rows.append(told[play.id if play else None])
    return rows


def _check_fields(name: str, rule: ObjectRule, known: set[str]) -> None:
    unknown = [one for one, how in rule.fields.items() if how.owner != "theirs" and one not in known]
    if unknown:
        fields = ", ".join(unknown)
        raise BadPolicy(said("crm_mart_has_no_field", object=name, fields=fields, known=", ".join(sorted(known))))


def _desired(columns: Mapping[str, list[Any]], rule: ObjectRule, language: str) -> Desired:
    """The records of an object from its columns, in which blanks are nothing: they are no wish."""
    named = {one: rule.name_there(one) for one, how in rule.fields.items() if how.owner != "theirs"}
    keys: list[str] = columns[KEY]
    nothing: list[Any] = [None] * len(keys)
    leads = columns.get("lead_key", keys)
    values = [_fitting(ours, columns[ours], rule.fields[ours], leads, language) for ours in named]
    there = list(named.values())
    records: dict[str, Fields] = {
        key: {name: value for name, value in zip(there, row, strict=True) if value is not None}
        for key, row in zip(keys, zip(*values, strict=True), strict=True)
    }
    calls = columns.get("asks_to_call", nothing)
    about = zip(keys, columns["person_id"], columns["region"], calls, strict=True)
    changed = zip(keys, columns.get("changed_at", nothing), strict=True)
    orders = zip(keys, columns.get("send_order", nothing), strict=True)
    return Desired(
        records,
        {key: Subject(person_id, region, bool(call)) for key, person_id, region, call in about},
        _holds(columns, rule, named),
        {key: at for key, at in changed if at},
        {key: str(order or LAST) for key, order in orders},
    )


def _holds(columns: Mapping[str, list[Any]], rule: ObjectRule, named: Iterable[str]) -> dict[str, str]:
    """Why records are not for sending: a reason of the mart's, or a text that is too long and may not be cut."""
    unfit: dict[str, list[str]] = {}
    for ours in named:
        how = rule.fields[ours]
        if how.too_long == "hold" and (how.characters or how.bytes):
            for key, value in zip(columns[KEY], columns[ours], strict=True):
                if isinstance(value, str) and too_long(value, how.characters, how.bytes):
                    unfit.setdefault(key, []).append(ours)
    holds = {key: f"too_long: {', '.join(names)}" for key, names in unfit.items()}
    return holds | {key: hold for key, hold in zip(columns[KEY], columns["hold"], strict=True) if hold}


def _fitting(ours: str, values: list[Any], rule: FieldRule, leads: list[Any], language: str) -> list[Any]:
    """Texts as long as the CRM's field takes them; what was cut ends with … or says where the rest is."""
    limits = (rule.characters, rule.bytes)
    if rule.too_long == "hold" or limits == (None, None):
        return values
    surely = surely_fits(*limits)
    return [
        fitting(ours, value, limits, lead or "", language) if isinstance(value, str) and len(value) > surely else value
        for value, lead in zip(values, leads, strict=True)
    ]


_PLAY_FIELDS = ("play", "talk_track", "content", "next_steps")
_TASK_FIELDS = ("task_type", "subject", "description", "phone", "asks_to_call", "play")


def choose_play(row: dict[str, Any], plays: tuple[PlayRule, ...], gate: Gate) -> tuple[PlayRule | None, str | None]:
    """The first play that fits, and why the person may not be called, where the one before it asked for that."""
    return _allowed_play(_fitting_plays(row, plays), row["person_id"], row["region"], gate)


def _fitting_plays(row: dict[str, Any], plays: tuple[PlayRule, ...]) -> list[PlayRule]:
    return [play for play in plays if _fits(play, row)]


def _allowed_play(
    fitting: list[PlayRule], person_id: str, region: str | None, gate: Gate
) -> tuple[PlayRule | None, str | None]:
    play = fitting[0] if fitting else None
    if play and play.asks_to_call:
        word = gate.judge("call", person_id, region)
        if not word.is_allowed:
            return next((other for other in fitting if not other.asks_to_call), None), word.state
    return play, None


def _told(play: PlayRule | None, language: str) -> dict[str, Any]:
    """What of the play book goes with a lead that sales may act on; nulls for all others."""
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
