"""Lists in words: what a plan would do, what was written, what left before."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abmloop.messages import say
from scoring.policies.audiences import ListRule
from tasks.outbound.lists.decide import Decision
from tasks.outbound.lists.export import Parcel, lists_folder
from tasks.outbound.lists.members import read_exports
from tasks.outbound.push.held import tell_held
from warehouse.ledger import Ledger

Rows = list[dict[str, Any]]


def decision_lines(rule: ListRule, decision: Decision, language: str) -> list[str]:
    """A decision as people read it."""
    lines = [
        say(
            "list_head",
            language,
            list=rule.id,
            asked=f"{decision.asked:,}",
            wanted=f"{decision.wanted:,}",
            entries=f"{len(decision.entries):,}",
            removals=f"{len(decision.removals) - decision.unnameable:,}",
        )
    ]
    lines += [
        say("list_held", language, number=f"{number:,}", state=tell_held(state, language))
        for state, number in decision.held.most_common()
    ]
    lines += [
        say("list_unused", language, number=f"{number:,}", why=why) for why, number in decision.unused.most_common()
    ]
    if decision.is_too_small:
        lines.append(say("list_too_small", language, minimum=decision.minimum))
    if decision.unnameable:
        lines.append(say("list_unnameable", language, number=decision.unnameable, list=rule.id))
    lines += [say(f"list_mark_{code}", language) for code in decision.marks]
    return lines


def parcel_lines(parcels: Sequence[Parcel], language: str) -> list[str]:
    """What was written, and what to do with it."""
    if not parcels:
        return [say("list_nothing", language)]
    return [
        say(
            f"list_{parcel.action}",
            language,
            path=parcel.path,
            rows=f"{parcel.file.rows:,}",
            export=parcel.export_id[:8],
        )
        for parcel in parcels
    ]


def export_rows(ledger: Ledger, root: Path) -> Rows:
    """Every export of a list, newest first, for people."""
    rows = [
        {
            "export": one.export_id[:8],
            "list": one.list_id,
            "action": one.action,
            "rows": one.rows,
            "state": one.state or "begun",
            "made_at": one.recorded_at,
            "valid_until": one.valid_until,
            "file": str(lists_folder(root) / (one.file_name or "")),
        }
        for one in read_exports(ledger).values()
    ]
    return rows[::-1]


def who_asks() -> str:
    """The person at the terminal."""
    return getpass.getuser()


def decision_row(rule: ListRule, decision: Decision) -> dict[str, Any]:
    """A decision for scripts: counts only, nobody's data."""
    return {
        "list": rule.id,
        "kind": rule.kind,
        "platform": rule.platform,
        "asked": decision.asked,
        "wanted": decision.wanted,
        "minimum": decision.minimum,
        "come_on": len(decision.entries),
        "go_off": len(decision.removals) - decision.unnameable,
        "unnameable": decision.unnameable,
        "held": dict(decision.held),
        "unused_keys": dict(decision.unused),
        "marks": list(decision.marks),
    }


def parcel_rows(parcels: Sequence[Parcel]) -> Rows:
    """What was written, for scripts."""
    return [
        {
            "export": one.export_id,
            "action": one.action,
            "rows": one.file.rows,
            "consent": one.consent,
            "file": str(one.path),
        }
        for one in parcels
    ]
