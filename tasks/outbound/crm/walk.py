"""Reading what changed, in the order of (time, id), so that equal times and changes during the reading lose nothing."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.land.plans import CRM_TIME
from tasks.outbound.crm.base import Page
from tasks.outbound.crm.values import read_time

PAGE_ROWS = 100
OVERLAP = timedelta(minutes=15)
GONE = "gone"
_LONGEST_WALK = 100_000


class Row(NamedTuple):
    """A record as told: its time of modification as text, its id, its fields."""

    modified: str
    id: str
    fields: dict[str, Any]
    is_deleted: bool = False


@dataclass(frozen=True)
class Marks:
    """Up to where an entity was read: a time for each of its readings, as one text. The usual reading has no name."""

    times: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, text: str | None) -> "Marks":
        """From what a page bore as its cursor."""
        pairs = [part.rpartition("=") for part in (text or "").split()]
        return cls(tuple((name, time) for name, _, time in pairs))

    def at(self, name: str) -> str:
        """Where that reading begins; empty: from the start."""
        return dict(self.times).get(name, "")

    def moved(self, name: str, time: str) -> "Marks":
        """The same with another time for one reading."""
        times = {**dict(self.times), name: time}
        return Marks(tuple(sorted((one, at) for one, at in times.items() if at)))

    def __str__(self) -> str:
        return " ".join(f"{name}={time}" if name else time for name, time in self.times)


@dataclass(frozen=True)
class Place:
    """Where a reading begins: the entity, its marks, the name of the reading, and the CRM's own clock."""

    entity: str
    marks: Marks
    now: Callable[[], datetime | None]
    name: str = ""


Fetch = Callable[[tuple[str, str], int], list[Row]]
Spread = Callable[[list[Row]], list[Row]]


@dataclass(frozen=True)
class Reading:
    """How an entity is read. `fetch((time, id), size)` gives the next records after that place in that order.

    `spread` makes of these records the rows that are told, where those are parts of them; `whole_of`: the column of
    which every value told comes with all its rows. `gone(since)` lists records that were deleted, each with the time
    of that; those before `since` may be left out.
    """

    fetch: Fetch
    spread: Spread | None = None
    gone: Callable[[str], list[Row]] | None = None
    whole_of: str = ""


def walk_pages(place: Place, pulled: PullMapping, reading: Reading) -> Iterator[Page]:
    """Pages of what changed since the marks, which are times in ISO form; the newest record seen ends the next one.

    It begins a quarter of an hour before, for what was saved late. Deleted records come with the mark is_deleted. A
    mark never lies in the future: a record with such a time would hide all that follows.
    """
    since = place.marks.at(place.name)
    after = (_earlier(since), "") if since else ("", "")
    newest = since
    for number in range(_LONGEST_WALK):
        records = reading.fetch(after, PAGE_ROWS)
        if records:
            newest = max(newest, mark_of(records[-1].modified, place.now()))
            place = replace(place, marks=place.marks.moved(place.name, newest))
            yield from _pages(place, number, records, pulled, reading)
        if len(records) < PAGE_ROWS or not records[-1].modified:
            break
        last = (records[-1].modified, records[-1].id)
        if last == after:
            raise CrmUnreachable(said("crm_same_page", entity=place.entity))
        after = last
    if reading.gone:
        yield from _gone(place, pulled, reading.gone)


def _pages(place: Place, number: int, records: list[Row], pulled: PullMapping, reading: Reading) -> Iterator[Page]:
    told = reading.spread(records) if reading.spread else records
    whole = frozenset(record.id for record in records) if reading.whole_of else frozenset()
    if told or whole:
        name = "-".join(part for part in (place.entity, place.name, str(number)) if part)
        yield Page(place.entity, name, ".ndjson", lines(told, pulled), str(place.marks), reading.whole_of, whole)


def _gone(place: Place, pulled: PullMapping, gone: Callable[[str], list[Row]]) -> Iterator[Page]:
    """What was deleted since the last time, by a mark of its own."""
    since = place.marks.at(GONE)
    begin = _earlier(since) if since else ""
    lost = sorted(row for row in gone(begin) if not row.modified or mark_of(row.modified, None) >= begin)
    if lost:
        newest = max([since, *(mark_of(row.modified, place.now()) for row in lost)])
        marks = place.marks.moved(GONE, newest)
        yield Page(place.entity, f"{place.entity}-gone", ".ndjson", lines(lost, pulled), str(marks))


def is_out(pulled: PullMapping, fields: dict[str, Any]) -> bool:
    """Whether a record is none of those that the mapping wants: a draft, a payment that failed."""
    return any(str(fields.get(field)) not in values for field, values in pulled.where.items())


def lines(rows: Sequence[Row], pulled: PullMapping) -> bytes:
    """The rows as `land` reads them: our columns, the time of modification, the mark of what is gone."""
    told = []
    for row in rows:
        values = {ours: _text(row.fields.get(theirs)) for ours, theirs in pulled.columns.items()}
        kept = {name: value for name, value in values.items() if value is not None}
        if changed := mark_of(row.modified, None):
            kept[CRM_TIME] = changed
        told.append(line({pulled.id: row.id, **kept, **({"is_deleted": "true"} if row.is_deleted else {})}))
    return b"".join(told)


def line(values: dict[str, Any]) -> bytes:
    """One row as a line of JSON."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _text(value: Any) -> str | None:
    """Every value as text, as files bring it; lists joined."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(one) for one in value) or None
    return str(value)


def mark_of(modified: str, now: datetime | None) -> str:
    """A time as a mark, never later than the CRM's clock; empty where it is none."""
    try:
        seen = read_time(modified)
    except (ValueError, OverflowError, OSError):
        return ""
    return min(seen, now or seen).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _earlier(mark: str) -> str:
    return (read_time(mark) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
