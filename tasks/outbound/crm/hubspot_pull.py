"""What HubSpot tells of changes: search by time, histories and links by batch, archived records by list, merges.

Merging makes a record with a new id; both old ones lead to it, and it names them in hs_merged_object_ids.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import Standing
from tasks.outbound.crm.mapping import MergeMapping, RefusalMapping
from tasks.outbound.crm.network import checked_name
from tasks.outbound.crm.session import Session
from tasks.outbound.crm.walk import Fetch, Reading, Row, is_out, mark_of
from tasks.outbound.crm.wire import Answer

_PAGE = 100
_HISTORIES_A_CALL = 50
_LONGEST_LIST = 10_000
# A field of a record linked to ours: which object, and what of it. `id` is its id.
_LINKED = "associations."
Parse = Callable[[Answer], dict[str, Any]]


class HubSpotChanges:
    """The readings of one account."""

    def __init__(self, session: Session, parse: Parse) -> None:
        self._session = session
        self._parse = parse

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return dict(self._session.read(method, path, body, self._parse))

    def reading(self, entity: str, pulled: PullMapping) -> Reading:
        """How an entity's records are read; owners whole, for they cannot be asked by time."""
        if entity == "owners":
            return Reading(lambda _after, _size: self._owners())
        if pulled.history:
            return Reading(self._changed(pulled, []), lambda rows: self._histories(pulled, rows))
        if pulled.linked:
            return Reading(self._changed(pulled, []), lambda rows: self._people(pulled, rows), whole_of="deal_id")
        own = sorted({name for name in (*pulled.columns.values(), *pulled.where) if not name.startswith(_LINKED)})
        return Reading(
            self._changed(pulled, own),
            lambda rows: self._with_links(pulled, rows),
            lambda _since: self._gone(pulled, own),
        )

    def merges(self, name: str, merged: MergeMapping) -> Reading:
        """Rows of merges: every record that was merged into another names its former ones."""
        pulled = PullMapping(to=merged.to, modified=merged.modified, id="id", columns={})
        has_any = [{"propertyName": merged.field, "operator": "HAS_PROPERTY"}]
        fetch = self._changed(pulled, [merged.field, *([merged.key] if merged.key else [])], has_any)

        def spread(records: list[Row]) -> list[Row]:
            return [
                Row(one.modified, old, {"object": name, "new_id": one.id, "new_key": one.fields.get(merged.key or "")})
                for one in records
                for old in str(one.fields.get(merged.field) or "").split(";")
                if old and old != one.id
            ]

        return Reading(fetch, spread)

    def flagged(self, refused: RefusalMapping, flag: str) -> Fetch:
        """Records of which that flag is set."""
        pulled = PullMapping(to=refused.to, modified=refused.modified, id="id", columns={})
        is_set = [{"propertyName": flag, "operator": "EQ", "value": "true"}]
        return self._changed(pulled, [flag, *refused.columns.values()], is_set)

    def standing_for(self, to: str, key: str, crm_ids: Sequence[str]) -> dict[str, Standing]:
        """A record asked for by an id that a merge gave up comes with its new one."""
        found: dict[str, Standing] = {}
        for asked in _parts(crm_ids, _PAGE):
            body = {"inputs": [{"id": one} for one in asked], "properties": [key, "hs_merged_object_ids"],
                    "propertiesWithHistory": []}  # fmt: skip
            told = self._ask("POST", f"/crm/v3/objects/{checked_name(to)}/batch/read", body)
            for row in listed(told, "results"):
                properties = row.get("properties") or {}
                former = str(properties.get("hs_merged_object_ids") or "").split(";")
                standing = Standing(str(row.get("id")), properties.get(key) or None)
                found |= {one: standing for one in (standing.crm_id, *former) if one in asked}
        return found

    def _owners(self) -> list[Row]:
        return [Row("", str(one.get("id")), one) for one in self._all("/crm/v3/owners", {}, 1000)]

    def _all(self, path: str, query: Mapping[str, Any], most: int) -> Iterator[dict[str, Any]]:
        """Every record of a list that goes by pages."""
        after = ""
        for _ in range(most):
            asked = {**query, "limit": _PAGE, **({"after": after} if after else {})}
            told = self._ask("GET", f"{path}?{urlencode(asked)}")
            yield from listed(told, "results")
            after = _next(told)
            if not after:
                return
        raise CrmUnreachable(said("crm_list_endless", name=path))

    def _changed(self, pulled: PullMapping, names: list[str], more: Sequence[Any] = ()) -> Fetch:
        """By time of modification. It sorts by one field alone, so a page that ends among equal times tells of those
        by id instead: in whatever order they came, none is passed over.
        """

        def fetch(after: tuple[str, str], size: int) -> list[Row]:
            rows: list[Row] = []
            for _ in range(_LONGEST_LIST):
                left = size - len(rows)
                found = self._search(pulled, names, _after(pulled, after, more), (pulled.modified, left))
                if len(found) < left:
                    return [*rows, *found]
                time = found[-1].modified
                rows += [row for row in found if row.modified != time]
                begin = after[1] if time == after[0] else ""
                same = [{"filters": _same(pulled, (time, begin), more)}]
                tie = self._search(pulled, names, same, ("hs_object_id", size - len(rows)))
                rows += tie
                if len(rows) == size:
                    return rows
                # Some of them changed between the two calls: they come later, and the page is filled up.
                after = (time, tie[-1].id if tie else begin)
            raise CrmUnreachable(said("crm_list_endless", name=pulled.to))

        return fetch

    def _search(
        self, pulled: PullMapping, names: list[str], groups: list[dict[str, Any]], order: tuple[str, int]
    ) -> list[Row]:
        """The first records in the order of a field, as many as asked for."""
        body = {
            "filterGroups": groups,
            "sorts": [{"propertyName": order[0], "direction": "ASCENDING"}],
            "properties": sorted({*names, pulled.modified}),
            "limit": order[1],
            "after": "0",
        }
        told = self._ask("POST", f"/crm/v3/objects/{checked_name(pulled.to)}/search", body)
        rows = [row for row in listed(told, "results") if _properties(row)]
        return [Row(str(_properties(row).get(pulled.modified)), str(row["id"]), _properties(row)) for row in rows]

    def _gone(self, pulled: PullMapping, names: list[str]) -> list[Row]:
        """What was archived. The list goes by id and cannot be asked by time: all of it is looked at."""
        query = {"archived": "true", "properties": ",".join(names)}
        rows = self._all(f"/crm/v3/objects/{checked_name(pulled.to)}", query, _LONGEST_LIST)
        return [Row(str(row.get("archivedAt") or ""), str(row["id"]), _properties(row), True) for row in rows]

    def _histories(self, pulled: PullMapping, records: list[Row]) -> list[Row]:
        """Every value that the field had, with the time from which it stood."""
        rows: list[Row] = []
        for asked in _parts([record.id for record in records], _HISTORIES_A_CALL):
            body = {"inputs": [{"id": one} for one in asked], "properties": [],
                    "propertiesWithHistory": [pulled.history]}  # fmt: skip
            told = self._ask("POST", f"/crm/v3/objects/{checked_name(pulled.to)}/batch/read", body)
            for row in listed(told, "results"):
                history = (row.get("propertiesWithHistory") or {}).get(pulled.history) or []
                for one in history if isinstance(history, list) else []:
                    fields = {"id": row.get("id"), "value": one.get("value"), "timestamp": one.get("timestamp")}
                    rows.append(Row(str(one.get("timestamp")), f"{row.get('id')}-{one.get('timestamp')}", fields))
        return rows

    def _links(self, of: str, to: str, ids: Sequence[str]) -> dict[str, list[tuple[str, list[str]]]]:
        """Record → those linked to it, each with the labels of the link."""
        path = f"/crm/v4/associations/{checked_name(of)}/{checked_name(to)}/batch/read"
        found: dict[str, list[tuple[str, list[str]]]] = {}
        asked: list[dict[str, str]] = [{"id": one} for one in ids]
        for _ in range(_LONGEST_LIST):
            if not asked:
                return found
            told = self._ask("POST", path, {"inputs": asked})
            asked = []
            for row in listed(told, "results"):
                record = str((row.get("from") or {}).get("id"))
                for link in listed(row, "to"):
                    labels = [str(one["label"]) for one in listed(link, "associationTypes") if one.get("label")]
                    found.setdefault(record, []).append((str(link.get("toObjectId")), labels))
                if after := _next(row):
                    asked.append({"id": record, "after": after})
        raise CrmUnreachable(said("crm_list_endless", name=path))

    def _people(self, pulled: PullMapping, records: list[Row]) -> list[Row]:
        """A row for each link and label, with what is asked of the record at its end."""
        links = self._links(pulled.to, pulled.linked or "", [record.id for record in records])
        ends = sorted({end for each in links.values() for end, _ in each})
        asked = sorted({name.partition(".")[2] for name in pulled.columns.values() if name.startswith("to.")})
        known = self._read(pulled.linked or "", ends, asked) if asked else {}
        return [
            Row(
                record.modified,
                "-".join(part for part in (record.id, end, label) if part),
                {"id": record.id, "to": end, "label": label,
                 **{f"to.{name}": value for name, value in known.get(end, {}).items()}},
            )
            for record in records
            for end, labels in links.get(record.id, [])
            for label in labels or [""]
        ]  # fmt: skip

    def _read(self, to: str, ids: Sequence[str], names: list[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for asked in _parts(ids, _PAGE):
            body = {"inputs": [{"id": one} for one in asked], "properties": names, "propertiesWithHistory": []}
            told = self._ask("POST", f"/crm/v3/objects/{checked_name(to)}/batch/read", body)
            found |= {str(row.get("id")): _properties(row) for row in listed(told, "results")}
        return found

    def _with_links(self, pulled: PullMapping, records: list[Row]) -> list[Row]:
        """The records with the ids of those they are linked to; refunds as rows of their own."""
        rows = [row._replace(is_deleted=is_out(pulled, row.fields)) for row in records]
        for name in sorted({one for one in pulled.columns.values() if one.startswith(_LINKED)}):
            links = self._links(pulled.to, name.removeprefix(_LINKED), [row.id for row in rows])
            first = {record: min(end for end, _ in each) for record, each in links.items()}
            rows = [row._replace(fields={**row.fields, name: first.get(row.id)}) for row in rows]
        return [one for row in rows for one in (row, *_refund(pulled, row))]


def _same(pulled: PullMapping, after: tuple[str, str], more: Sequence[Any]) -> list[Any]:
    """Filters: of that very time, behind that id."""
    return [
        {"propertyName": pulled.modified, "operator": "EQ", "value": after[0]},
        {"propertyName": "hs_object_id", "operator": "GT", "value": after[1] or "0"},
        *more,
    ]


def _after(pulled: PullMapping, after: tuple[str, str], more: Sequence[Any]) -> list[dict[str, Any]]:
    """Groups of filters: behind that place in the order of (time, id); all records where it has no time."""
    if not after[0]:
        return [{"filters": list(more)}] if more else []
    later = [{"propertyName": pulled.modified, "operator": "GT", "value": after[0]}, *more]
    return [{"filters": later}, {"filters": _same(pulled, after, more)}]


def _refund(pulled: PullMapping, row: Row) -> list[Row]:
    """What was given back of a payment: a row with its negative amount, on the day it was last changed."""
    amount = str(row.fields.get(pulled.refunded or "") or "").strip()
    if not pulled.refunded or not amount.strip("0."):
        return []
    theirs = pulled.columns
    fields = {**row.fields, theirs["amount"]: f"-{amount}", theirs["paid_on"]: mark_of(row.modified, None)[:10]}
    return [Row(row.modified, f"{row.id}-refund", fields, row.is_deleted)]


def listed(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list, empty where there is none."""
    rows = told.get(name, [])
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _properties(row: Mapping[str, Any]) -> dict[str, Any]:
    properties = row.get("properties")
    return properties if isinstance(properties, dict) else {}


def _next(told: Mapping[str, Any]) -> str:
    return str(((told.get("paging") or {}).get("next") or {}).get("after") or "")


def _parts(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    every = iter(ids)
    while part := list(islice(every, size)):
        yield part
