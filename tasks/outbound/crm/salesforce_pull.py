"""What Salesforce tells of changes: queries by time, deleted rows among them; merged ones name their master."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from abmloop.errors import CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import Standing
from tasks.outbound.crm.mapping import MergeMapping, RefusalMapping
from tasks.outbound.crm.network import checked_name
from tasks.outbound.crm.walk import Fetch, Reading, Row, is_out

_MERGES_IN_A_ROW = 20
Query = Callable[[str], list[dict[str, Any]]]


class SalesforceChanges:
    """The readings of one org. `query_all` asks for deleted and archived rows too."""

    def __init__(self, query_all: Query) -> None:
        self._query_all = query_all

    def reading(self, pulled: PullMapping) -> Reading:
        """How an entity's records are read; what was never activated counts as deleted."""
        names = {*pulled.columns.values(), *pulled.where}

        def told(rows: list[Row]) -> list[Row]:
            return [row._replace(is_deleted=row.is_deleted or is_out(pulled, row.fields)) for row in rows]

        return Reading(lambda after, size: self._after(pulled, names, after, size), told)

    def _after(
        self, pulled: PullMapping, names: Iterable[str], after: tuple[str, str], size: int, only: str = ""
    ) -> list[Row]:
        columns = sorted({*names, "Id", pulled.modified, "IsDeleted"} - {"id"})
        time, record_id = zone(after[0]).replace("+00:00", "Z"), after[1]
        same = f" OR ({pulled.modified} = {time} AND Id > '{checked_id(record_id)}')" if record_id else ""
        later = f"({pulled.modified} > {time}{same})" if time else ""
        where = " AND ".join(part for part in (only, later) if part)
        order = f" ORDER BY {pulled.modified}, Id LIMIT {size}"
        soql = f"SELECT {', '.join(columns)} FROM {checked_name(pulled.to)}{f' WHERE {where}' if where else ''}{order}"
        rows = [_flat(row) for row in self._query_all(soql)]
        return [
            Row(zone(row.get(pulled.modified)), str(row.get("Id")), row, bool(row.get("IsDeleted"))) for row in rows
        ]

    def merges(self, name: str, merged: MergeMapping) -> Reading:
        """Rows of merges: a record that was merged away is a deleted one that names its master."""
        pulled = PullMapping(to=merged.to, modified=merged.modified, id="Id", columns={})
        key = merged.key or ""
        names = {merged.field, *([key] if key else [])}

        def spread(rows: list[Row]) -> list[Row]:
            masters = sorted({str(row.fields.get(merged.field)) for row in rows})
            bears = self.standing_for(merged.to, key, masters) if key and masters else {}
            return [_merge(name, row, str(row.fields.get(merged.field)), key, bears) for row in rows]

        only = f"IsDeleted = true AND {merged.field} != null"
        return Reading(lambda after, size: self._after(pulled, names, after, size, only), spread)

    def flagged(self, refused: RefusalMapping, flag: str) -> Fetch:
        """Records of which that flag is set, deleted ones among them: who refused has refused."""
        pulled = PullMapping(to=refused.to, modified=refused.modified, id="Id", columns={})
        names = {checked_name(one) for one in (flag, *refused.columns.values())}
        return lambda after, size: self._after(pulled, names, after, size, f"{flag} = true")

    def standing_for(self, to: str, key: str, ids: Sequence[str]) -> dict[str, Standing]:
        """Ids → the records that stand for them, over any number of merges, and our keys on them."""
        standing: dict[str, Standing] = {}
        waiting = {one: one for one in ids}
        columns = f"Id, {checked_name(key)}, IsDeleted, MasterRecordId"
        for _ in range(_MERGES_IN_A_ROW):
            if not waiting:
                break
            listed = ", ".join(f"'{checked_id(one)}'" for one in sorted(set(waiting.values())))
            told = self._query_all(f"SELECT {columns} FROM {checked_name(to)} WHERE Id IN ({listed})")
            rows = {str(row.get("Id")): row for row in told}
            found = {one: rows[now] for one, now in waiting.items() if now in rows}
            here = {one: row for one, row in found.items() if not row.get("IsDeleted")}
            standing |= {one: Standing(str(row["Id"]), row.get(key) or None) for one, row in here.items()}
            masters = {one: row.get("MasterRecordId") for one, row in found.items() if one not in here}
            waiting = {one: str(master) for one, master in masters.items() if master}
        return standing


def _merge(name: str, row: Row, master: str, key: str, bears: Mapping[str, Standing]) -> Row:
    told = {"object": name, "new_id": master, "old_key": row.fields.get(key), "merged_at": row.modified}
    return Row(row.modified, row.id, {**told, "new_key": bears[master].key if master in bears else None})


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a related record under their dotted names: {"Contact": {"Email": …}} → Contact.Email."""
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for name, value in row.items():
        if isinstance(value, dict) and name != "attributes":
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
    return flat


def zone(time: Any) -> str:
    """Salesforce's zone +0000 with the colon that ISO asks for."""
    text = str(time or "")
    return f"{text[:-2]}:{text[-2:]}" if re.search(r"[+-]\d{4}$", text) else text


def checked_id(record_id: str) -> str:
    """An id that may stand in a query as it is."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,18}", record_id):
        raise CrmUnreachable(said("crm_no_record_id"))
    return record_id
