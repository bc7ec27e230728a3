"""An assignment in words: its reason is stored as a code with fields and told in the language of who asks."""

import json
from typing import Any

from abmloop.errors import AbmError
from abmloop.messages import named, say


def told_assignment(row: dict[str, Any], language: str = "en") -> list[str]:
    """Who has the lead and why, by when, and who was passed over: lines for people.

    `row`: one of scored.assignments, with owner_name where it is known; its gates as stored, or read.
    """
    day, reason = told_time(row["assigned_at"]), told_reason(row, language)
    if row["owner_id"] is None:
        first = say("lead_in_pool", language, pool=row["pool_id"], day=day, reason=reason)
    else:
        back = ""
        if row["reclaim_at"]:
            timer = say(f"lead_back_{row.get('timer') or 'no_follow_up'}", language)
            back = say("lead_goes_back", language, day=told_time(row["reclaim_at"]), timer=timer)
        first = say(
            "lead_owner",
            language,
            owner=row.get("owner_name") or row["owner_id"],
            day=day,
            reason=reason,
            accept=told_time(row["accept_due_at"]),
            touch=told_time(row["first_touch_due_at"]),
            back=back,
        )
    gates = json.loads(row["gates"] or "[]") if isinstance(row["gates"], str | None) else row["gates"]
    return [first, *_done(row, language), *(told_gate(gate, language) for gate in gates)]


def told_reason(row: dict[str, Any], language: str = "en") -> str:
    """Why somebody or some pool has the lead. What older versions wrote as a sentence is told as it was written."""
    fields = json.loads(row["details"] or "{}") if row.get("details") else {}
    if "dimensions" in fields:
        between = "、" if language == "zh" else ", "
        fields["dimensions"] = between.join(say(f"dimension_{name}", language) for name in fields["dimensions"])
    if "turn" in fields:
        fields["turn"] = say(f"turn_{fields['turn']}", language)
    if fields.get("note"):
        fields["note"] = say("assigned_note", language, note=fields["note"])
    try:
        return say(f"assigned_{row['reason']}", language, **fields)
    except (AbmError, KeyError):
        return str(row["reason"] or "-")


def told_gate(gate: dict[str, Any], language: str = "en") -> str:
    """A candidate passed over, or how many more by one gate."""
    told = {"rule": named("method", gate["rule"], language), "gate": named("gate", gate["gate"], language)}
    if "count" in gate:
        return say("lead_gates", language, count=gate["count"], **told)
    return say("lead_gate", language, owner=gate["owner"], **told)


def told_time(at: Any) -> str:
    """An instant as people read it."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "-"


def _done(row: dict[str, Any], language: str) -> list[str]:
    """What sales did so far with it, and whether in time."""
    if row["owner_id"] is None or not row.get("accepted_at"):
        return []
    first, due = row.get("first_action_at"), row["first_touch_due_at"]
    acted = say("lead_not_acted", language)
    if first:
        in_time = say("lead_in_time" if first <= due else "lead_late", language)
        acted = say("lead_acted", language, day=told_time(first), in_time=in_time)
    in_time = say("lead_in_time" if row["accepted_at"] <= row["accept_due_at"] else "lead_late", language)
    return [say("lead_accepted", language, day=told_time(row["accepted_at"]), in_time=in_time, acted=acted)]
