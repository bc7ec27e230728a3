"""Who comes on a list, who goes off, who is held back and why: judged by what the gate says in this moment."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from scoring.audiences.hours import Window, contact_window, rule_for, zones_of_person
from scoring.audiences.platforms import EEA
from scoring.policies.audiences import ADVERTISED, mark_faults
from scoring.policies.consent import Channel, PurposeName
from tasks.outbound.consent.gate import Word
from tasks.outbound.lists.desk import Desk, least_members
from tasks.outbound.lists.members import Member

LEFT = "left"  # the rule asks for them no more
_PURPOSES: dict[str, PurposeName] = {"ad": "ad", "call": "call", "sms": "sms", "email": "email"}


@dataclass(frozen=True)
class Entry:
    """One row that may leave: its place among the desk's rows, its keys (kind → value), the gate's word, the hours."""

    place: int
    subject: str
    keys: dict[str, str]
    word: Word
    window: Window | None = None


@dataclass(frozen=True)
class Removal:
    """A member who goes off, and why; `value` None: the key is known no more, so that no file can name it."""

    member: Member
    reason: str
    value: str | None


@dataclass(frozen=True)
class Decision:
    """What becomes of a list. `wanted`: who may be on it, by key; `held`: named state → persons; `unused`: keys."""

    entries: tuple[Entry, ...] = ()
    removals: tuple[Removal, ...] = ()
    held: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    wanted: int = 0
    asked: int = 0
    minimum: int = 0
    marks: tuple[str, ...] = ()

    @property
    def is_too_small(self) -> bool:
        """Whether the list would have fewer members than it must."""
        return self.wanted < self.minimum

    @property
    def unnameable(self) -> int:
        """Members who must go off and whom no removal file can name: the list has to be replaced as a whole."""
        return sum(one.value is None for one in self.removals)


def decide(desk: Desk, is_full: bool = False) -> Decision:
    """Who comes on and who goes off. `is_full`: everybody who may be on it, for a file that takes the place of all."""
    held: Counter[str] = Counter()
    unused: Counter[str] = Counter()
    allowed = list(_allowed(desk, held, unused))
    kept = {(kind, desk.gate.keys.hash_of(value)) for one in allowed for kind, value in one.keys.items()}
    entries = [one for one in allowed if is_full or _is_new(desk, one)]
    minimum = least_members(desk.rule)
    asked = desk.rows["region"].to_pylist() if desk.rule.kind != "company" else []
    regions = frozenset(where for one in allowed if asked for where in desk.consent.regions_of(asked[one.place]))
    marks = tuple(mark_faults(desk.rule, regions))
    if len(allowed) < minimum or marks:
        entries = []
    return Decision(
        tuple(entries),
        tuple(_removals(desk, kept, is_full)),
        held,
        unused,
        len(allowed),
        desk.rows.num_rows,
        minimum,
        marks,
    )


def _is_new(desk: Desk, entry: Entry) -> bool:
    """Whether any of its keys does not stand on the list yet."""
    return any((kind, desk.gate.keys.hash_of(value)) not in desk.members for kind, value in entry.keys.items())


def _allowed(desk: Desk, held: Counter[str], unused: Counter[str]) -> Iterator[Entry]:
    """Those who may be on the list; the others are counted by the state that holds them back."""
    for place, row in enumerate(desk.rows.to_pylist()):
        if row["hold"]:
            held[row["hold"]] += 1
            continue
        keys = _keys(desk, place, row, unused)
        if not keys:
            held["no_usable_key"] += 1
            continue
        subject = row["account_id"] if desk.rule.kind == "company" else row["person_id"]
        word = _judge_company(desk, row) if desk.rule.kind == "company" else judge_person(desk, subject, row["region"])
        if not word.is_allowed:
            held[word.state] += 1
        elif _is_capped(desk, subject, row):
            held["frequency_cap"] += 1
        elif (hours := _hours(desk, keys, row)) is None:
            held["outside_hours"] += 1
        else:
            yield Entry(place, subject, keys, word, hours or None)


def _keys(desk: Desk, place: int, row: dict[str, Any], unused: Counter[str]) -> dict[str, str]:
    """The keys of a row that may be used; why the others are not is counted."""
    if desk.rule.kind == "company":
        return {"account": row["account_id"]} if row["name"] else {}
    found = {}
    for kind in desk.keys:
        fault = desk.faults[kind][place]
        if fault is None:
            found[kind] = row[kind]
        else:
            unused[f"{kind}_{fault}"] += 1
    return found


def judge_person(desk: Desk, person_id: str, region: str | None) -> Word:
    """The gate's word on a person and this list: its channel, the border, and whoever else gets the data."""
    regions = desk.consent.regions_of(region)
    purposes: list[PurposeName] = [_PURPOSES[desk.rule.kind]]
    if desk.rule.handler:
        purposes.append("share")
    target = desk.platform.region if desk.platform else desk.rule.handler.region if desk.rule.handler else "CN"
    if target != "CN" and "CN" in regions:
        purposes.append("cross_border")
    grants: tuple[Channel, ...] = desk.platform.eea if desk.platform and EEA & set(regions) else ()
    return desk.gate.judge_list(person_id, region, purposes, grants)


def _judge_company(desk: Desk, row: dict[str, Any]) -> Word:
    keys = {value for value in (row["uscc"], row["domain"]) if value}
    return desk.gate.judge_company(sorted(keys | set(desk.company_keys.get(row["account_id"], ()))))


def _is_capped(desk: Desk, person_id: str, row: dict[str, Any]) -> bool:
    """Whether one more contact would be one too many; the list's own campaign counts once."""
    regions = desk.consent.regions_of(row["region"]) if desk.rule.kind != "company" else ()
    caps = [cap for cap in desk.consent.frequency if cap.channel == desk.rule.kind]
    for cap, reached in zip(caps, desk.contacts, strict=True):
        counted = reached.get(person_id, set()) - {desk.rule.campaign}
        if {"*", *regions} & set(cap.regions) and len(counted) >= cap.at_most:
            return True
    return False


def _hours(desk: Desk, keys: dict[str, str], row: dict[str, Any]) -> Window | tuple[()] | None:
    """When the person may be reached while the list holds; () at any hour, None at none."""
    regions = desk.consent.regions_of(row.get("region"))
    rules = [(rule_for(desk.consent.hours_of(desk.rule.kind), where), where) for where in regions]
    asked = tuple((rule, where) for rule, where in rules if rule)
    if not asked:
        return ()
    number = keys.get("mobile") or row.get("mobile")
    # Where nobody knows the region, the number alone says which clock is theirs.
    zones = zones_of_person(number, regions if row.get("region") or not number else ())
    window = contact_window(desk.at.replace(tzinfo=UTC), zones, asked) if zones else None
    ends = desk.at.replace(tzinfo=UTC) + timedelta(hours=desk.rule.valid_hours)
    return window if window and window[0] < ends else None


def _removals(desk: Desk, kept: set[tuple[str, str]], is_full: bool) -> Iterator[Removal]:
    """Members who go off: those the gate refuses now; from audiences also those the rule asks for no more."""
    for key, member in desk.members.items():
        # A company that was merged into one that may be on the list stays: that one's own name comes on beside it.
        became = desk.moved.get(member.person_id or "") if member.key_kind == "account" else None
        if key in kept or (became and ("account", desk.gate.keys.hash_of(became)) in kept):
            continue
        reason = _why_off(desk, member)
        if reason is None and desk.rule.kind in ADVERTISED and not desk.is_withdrawal:
            reason = LEFT
        value = desk.values.get(key)
        if reason and (value is not None or is_full or reason != LEFT):
            yield Removal(member, reason, value)


def _why_off(desk: Desk, member: Member) -> str | None:
    """The state by which the gate refuses a member now; None where it does not."""
    if member.key_kind == "account":
        keys = desk.company_keys.get(desk.values.get((member.key_kind, member.key_hash), ""), ())
        word = desk.gate.judge_company(keys)
        return None if word.is_allowed else word.state
    person_id = desk.moved.get(member.person_id or "", member.person_id or "")
    word = judge_person(desk, person_id, desk.regions.get(person_id))
    return None if word.is_allowed else word.state
