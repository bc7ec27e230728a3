"""Reading what changed, in the order of (time, id), so that equal times and changes during the reading lose nothing."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from tasks.outbound.crm.base import Page
from tasks.outbound.crm.mapping import PullMapping
from tasks.outbound.crm.values import read_time

PAGE_ROWS = 100
OVERLAP = timedelta(minutes=15)
_LONGEST_WALK = 100_000


class Row(NamedTuple):
    """A record as told: its time of modification as text, its id, its fields."""

    modified: str
    id: str
    fields: dict[str, Any]
    is_deleted: bool = False


class Place(NamedTuple):
    """Where a reading begins: the entity, the cursor (None: from the start), and the CRM's own clock."""

    entity: str
    cursor: str | None
    now: Callable[[], datetime | None]


Fetch = Callable[[tuple[str, str], int], list[Row]]


def walk_pages(
    place: "Place",
    fetch: Fetch,
    pulled: PullMapping,
    gone: Callable[[], list[Row]] | None = None,
) -> Iterator[Page]:
    """Pages of what changed since the cursor, which is a time in ISO form; the newest record seen ends the next one.

    It begins a quarter of an hour before the cursor, for what was saved late. `fetch((time, id), size)` gives the next
    rows after that place in that order. `gone` lists records that were deleted; they come with the mark is_deleted. A
    cursor never lies in the future: a record with such a time would hide all that follows.
    """
    entity, cursor, now = place
    after = (_earlier(cursor), "") if cursor else ("", "")
    newest = cursor or ""
    for number in range(_LONGEST_WALK):
        rows = fetch(after, PAGE_ROWS)
        if rows:
            newest = max(newest, _iso(rows[-1].modified, now()))
            yield Page(entity, f"{entity}-{number}", ".ndjson", _lines(rows, pulled), newest)
        if len(rows) < PAGE_ROWS or not rows[-1].modified:
            break
        last = (rows[-1].modified, rows[-1].id)
        if last == after:
            raise CrmUnreachable(said("crm_same_page", entity=entity))
        after = last
    lost = gone() if gone else []
    if lost:
        yield Page(entity, f"{entity}-gone", ".ndjson", _lines(sorted(lost), pulled), newest)


def _lines(rows: list[Row], pulled: PullMapping) -> bytes:
    told = []
    for row in rows:
        values = {ours: _text(row.fields.get(theirs)) for ours, theirs in pulled.columns.items()}
        kept = {name: value for name, value in values.items() if value is not None}
        told.append(_line({pulled.id: row.id, **kept, **({"is_deleted": "true"} if row.is_deleted else {})}))
    return b"".join(told)


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _text(value: Any) -> str | None:
    """Every value as text, as files bring it; lists joined."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return str(value)


def _iso(modified: str, now: datetime | None) -> str:
    """A time as a cursor, never later than the CRM's clock; empty where it is none."""
    try:
        seen = read_time(modified)
    except (ValueError, OverflowError, OSError):
        return ""
    return min(seen, now or seen).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _earlier(cursor: str) -> str:
    return (read_time(cursor) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
