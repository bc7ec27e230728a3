"""The difference between what the CRM should hold and what it holds, field by field. Pure: nothing is read or sent."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from abmloop.messages import said
from scoring.policies.crm import ObjectRule, Owner
from tasks.outbound.crm.base import Fields, Found, Standing, Value

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
Winner = Literal["ours", "theirs"]


class FieldChange(NamedTuple):
    """One field that will be written: what stands there as far as we know, and what will."""

    field: str
    before: Value
    after: Value


class Change(NamedTuple):
    """One record to create or update. `fields` is all we send; `overwrites` what of it replaces something else.

    `seen`: what stands there already in fields that we only fill while they are empty. `is_moved`: ours was merged over
    there into the record `crm_id`, which gets our key now; its fields follow once that is seen.
    """

    key: str
    action: Literal["create", "update"]
    fields: Fields
    overwrites: tuple[FieldChange, ...] = ()
    crm_id: str | None = None
    seen: Fields = MappingProxyType({})
    is_moved: bool = False

    @property
    def changed(self) -> tuple[FieldChange, ...]:
        """Why it is sent: every field of a new record, else those that differ."""
        if self.action == "create":
            return tuple(FieldChange(name, None, value) for name, value in self.fields.items())
        return self.overwrites

    @property
    def payload_hash(self) -> str:
        """Same fields, same hash, whatever the order."""
        return digest(dict(self.fields))

    @property
    def plan_hash(self) -> str:
        """Names this row of the plan: changes when the action, the payload or the state it starts from changes."""
        changed = sorted([change.field, change.before, change.after] for change in self.changed)
        return digest([self.key, self.action, dict(self.fields), changed])[:16]


@dataclass(frozen=True)
class Skip:
    """A wish that is not carried out, and the rule that says so; `field` None means the whole record."""

    key: str
    field: str | None
    reason: str


@dataclass(frozen=True)
class Conflict:
    """A field that somebody over there changed after our last delivery, and who wins."""

    key: str
    field: str
    ours: Value
    theirs: Value
    winner: Winner


@dataclass(frozen=True)
class Adopted:
    """A record that stands there as it should although no delivery of it is on record: the ledger was put back."""

    key: str
    fields: Fields
    crm_id: str | None


@dataclass(frozen=True)
class Plan:
    """What to do with one object of the CRM."""

    creates: tuple[Change, ...] = ()
    updates: tuple[Change, ...] = ()
    skips: tuple[Skip, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unchanged: int = 0
    adopted: tuple[Adopted, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Creates, then updates."""
        return self.creates + self.updates

    def __bool__(self) -> bool:
        return bool(self.creates or self.updates)


@dataclass(frozen=True)
class _Row:
    """One record from all sides. `found` None: not there."""

    key: str
    wanted: Fields
    known: Fields
    found: Found | None
    changed_at: str | None

    @property
    def readable(self) -> bool:
        """Whether we see what is there."""
        return self.found is not None and self.found.fields is not None

    def there(self, name: str) -> Value:
        """What stands over there: read if it can be read, else what was last acknowledged."""
        if self.readable and self.found is not None and self.found.fields is not None:
            return self.found.fields.get(name)
        return self.known.get(name)


def plan(
    desired: Mapping[str, Fields],
    acknowledged: Mapping[str, Fields],
    present: Mapping[str, Found] | None,
    mapping: ObjectRule,
    changed_at: Mapping[str, str] | None = None,
    moved: Mapping[str, Standing] | None = None,
) -> Plan:
    """What must be sent so that the CRM holds `desired`, key → fields.

    `acknowledged` is what it confirmed last; `present` what it holds now (None: cannot be read; a key may be left out
    of it only if it is not there). `changed_at` (UTC, ISO) dates our values for fields owned by the newest. An empty
    value of ours is no wish; a key that is no longer desired stays. The order of `desired` is kept. `moved`: key → the
    record into which ours was merged over there.
    """
    creates: list[Change] = []
    updates: list[Change] = []
    skips: list[Skip] = []
    conflicts: list[Conflict] = []
    adopted: list[Adopted] = []
    unchanged = 0
    owners = mapping.owners
    writable = frozenset(name for name, owner in owners.items() if owner != "theirs")
    for key, wanted in desired.items():
        found = present.get(key) if present is not None else None
        exists = key in acknowledged or found is not None
        if mapping.match == "update_only" and not exists:
            skips.append(Skip(key, None, said("crm_skip_update_only")))
        elif mapping.match == "create_only" and exists:
            unchanged += 1
        elif not exists:
            creates.append(_create(key, wanted, writable))
        elif present is not None and found is None:
            outcome = _gone(key, wanted, (moved or {}).get(key), writable)
            updates += [outcome] if isinstance(outcome, Change) else []
            skips += [outcome] if isinstance(outcome, Skip) else []
        else:
            row = _Row(key, wanted, acknowledged.get(key, {}), found, (changed_at or {}).get(key))
            change, row_skips, row_conflicts = _update(row, owners)
            skips += row_skips
            conflicts += row_conflicts
            updates += [change] if change else []
            unchanged += not change
            adopted += [_adopt(row, owners)] if not change and row.readable and key not in acknowledged else []
    return Plan(tuple(creates), tuple(updates), tuple(skips), tuple(conflicts), unchanged, tuple(adopted))


def _gone(key: str, wanted: Fields, standing: Standing | None, writable: frozenset[str]) -> Change | Skip:
    """A record that the CRM held and holds no more is not made again; one that was merged is followed."""
    if standing is None:
        return Skip(key, None, said("crm_skip_gone"))
    if standing.key not in (None, key):
        return Skip(key, None, said("crm_skip_merged", key=standing.key))
    fields = _create(key, wanted, writable).fields
    moved = (FieldChange("record", None, standing.crm_id),)
    return Change(key, "update", fields, moved, standing.crm_id, is_moved=True)


def _adopt(row: _Row, owners: Mapping[str, Owner]) -> Adopted:
    """What stands there and will not be written again: what equals our wish, and what others filled in."""
    there = {name: row.there(name) for name in row.wanted if not is_blank(row.there(name))}
    kept = {
        name: value for name, value in there.items() if value == row.wanted[name] or owners[name] == "fill_if_blank"
    }
    return Adopted(row.key, kept, row.found.crm_id if row.found else None)


def _create(key: str, wanted: Fields, writable: frozenset[str]) -> Change:
    # is_blank, written out: it is asked of every field of every new record.
    fields = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != "" and name in writable and not (type(value) is str and value.isspace())
    }
    return Change(key, "create", fields)


def _update(row: _Row, owners: Mapping[str, Owner]) -> tuple[Change | None, list[Skip], list[Conflict]]:
    """The update of one record: all fields we own, and those of the shared ones that we may write now."""
    fields: dict[str, Value] = {}
    changed: list[FieldChange] = []
    skips: list[Skip] = []
    conflicts: list[Conflict] = []
    for name, value in row.wanted.items():
        owner = owners[name]
        if is_blank(value) or owner == "theirs":
            continue
        outcome = _DECIDE[owner](row, name, value)
        if isinstance(outcome, Skip):
            skips.append(outcome)
        if isinstance(outcome, Conflict):
            conflicts.append(outcome)
        is_written = outcome == "write" or (isinstance(outcome, Conflict) and outcome.winner == "ours")
        if is_written:
            changed.append(FieldChange(name, row.there(name), value))
        # What we own goes along whole, so that one delivered version never depends on an earlier one.
        if is_written or owner == "ours":
            fields[name] = value
    if not changed:
        return None, skips, conflicts
    crm_id = row.found.crm_id if row.found else None
    seen = {
        name: row.there(name)
        for name in row.wanted
        if row.readable and owners[name] == "fill_if_blank" and name not in fields and not is_blank(row.there(name))
    }
    return Change(row.key, "update", fields, tuple(changed), crm_id, seen), skips, conflicts


Outcome = Literal["write", "leave"] | Skip | Conflict


def _ours(row: _Row, name: str, value: Value) -> Outcome:
    """Ours stands; what somebody typed over it is put back, and said."""
    there = row.there(name)
    if there == value:
        return "leave"
    if name in row.known and there != row.known[name]:
        return Conflict(row.key, name, value, there, "ours")
    return "write"


def _fill_if_blank(row: _Row, name: str, value: Value) -> Outcome:
    """Written once, into a field that is seen to be empty; never again, even if they empty it."""
    if not is_blank(row.known.get(name)) or not is_blank(row.there(name)):
        return "leave"
    if not row.readable:
        return Skip(row.key, name, said("crm_skip_unseen"))
    return "write"


def _newest(row: _Row, name: str, value: Value) -> Outcome:
    """Whoever changed it since the last delivery; if both did, the later; if that cannot be told, they."""
    there, known = row.there(name), row.known.get(name)
    if there == value or value == known:
        return "leave"
    if there == known or (is_blank(there) and is_blank(known)):
        return "write"
    modified_at = row.found.modified_at if row.found else None
    is_ours_later = bool(modified_at and row.changed_at and row.changed_at > modified_at)
    return Conflict(row.key, name, value, there, "ours" if is_ours_later else "theirs")


_DECIDE = {"ours": _ours, "fill_if_blank": _fill_if_blank, "newest": _newest}


def is_blank(value: Value) -> bool:
    """Nothing, or nothing but blanks."""
    return value is None or (type(value) is str and (not value or value.isspace()))


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(_encode(value).encode()).hexdigest()


def worth_asking(
    desired: Mapping[str, Fields], acknowledged: Mapping[str, Fields], mapping: ObjectRule
) -> Iterator[str]:
    """The keys whose record over there matters for the plan: new ones, and those we may have something to write to."""
    owners = mapping.owners
    for key, wanted in desired.items():
        known = acknowledged.get(key)
        if known is None or (mapping.match != "create_only" and _may_write(wanted, known, owners)):
            yield key


def _may_write(wanted: Fields, known: Fields, owners: Mapping[str, Owner]) -> bool:
    return any(
        value != known.get(name)
        and not is_blank(value)
        and owners[name] != "theirs"
        and (owners[name] != "fill_if_blank" or is_blank(known.get(name)))
        for name, value in wanted.items()
    )
