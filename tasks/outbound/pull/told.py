"""What a CRM told before, as it was landed: its records, which of them it no longer has, and which came back."""

import json
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from tasks.land.entities import entities
from tasks.land.plans import CRM_PAGE, CRM_TIME
from tasks.outbound.crm.base import Page
from tasks.outbound.crm.walk import line
from warehouse.steps import Work

# Entities of which a record that is gone must leave the totals.
RECONCILED = ("deals", "deal_contacts", "orders", "invoices", "payments")
# A mark of ours: known to be gone by its absence, and so back as soon as it is there.
_ABSENT = "known_by_absence"
# More that vanish at once are no deletions but a permission that was lost: spec 11-faults B02.
MOST_GONE = 20
MOST_GONE_SHARE = 0.1
# Of so few it cannot be said what most of them are; all of them are all.
LEAST_FOR_MOST = 3
_LAST = """
    select * from raw.{entity}
    where starts_with(file_name, $folder) and {key} is not null
    qualify row_number() over (
        partition by {key}
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
"""


class Known(NamedTuple):
    """The ids of an entity that were told: those alive, and those that we marked as gone because they were absent."""

    alive: frozenset[str]
    absent: frozenset[str]


class Told:
    """The landed pages of one CRM. `at`: the instant of this reading, in ISO form, which orders what it finds."""

    def __init__(self, work: Work, prefix: str, at: str) -> None:
        self._work = work
        self._prefix = prefix
        self._at = at

    def known(self, entity: str) -> Known:
        """What the last word on each record was."""
        rows = self._last(entity, "id, deleted, absent")
        alive = frozenset(row["id"] for row in rows if not row["deleted"])
        return Known(alive, frozenset(row["id"] for row in rows if row["absent"]))

    def of_parents(self, entity: str, parent: str, values: Collection[str]) -> frozenset[str]:
        """The living ids whose column `parent` is one of these, or a deal that was merged into one of these."""
        asked = sorted({*values, *self._former(values)})
        rows = self._last(entity, "id, deleted", f"list_contains($values, {parent})", values=asked)
        return frozenset(row["id"] for row in rows if not row["deleted"])

    def page(self, entity: str, gone: Collection[str], back: Collection[str], cursor: str = "") -> Page:
        """The records as they were told last, marked as gone or as there again."""
        names = [name for name in entities()[entity].column_names if name != "is_deleted"]
        rows = self._last(entity, ", ".join(["id", *names]), "list_contains($ids, id)", ids=sorted({*gone, *back}))
        lost = frozenset(gone)
        told = [{name: row[name] for name in names if row[name] is not None} for row in rows]
        marks = [
            {"is_deleted": "true", _ABSENT: "true"} if row["id"] in lost else {"is_deleted": "false"} for row in rows
        ]
        lines = [line({**row, **mark, CRM_TIME: self._at}) for row, mark in zip(told, marks, strict=True)]
        return Page(entity, f"{entity}-reconciled", ".ndjson", b"".join(lines), cursor)

    def _former(self, values: Collection[str]) -> list[str]:
        if not self._is_there("merges"):
            return []
        found = self._work.query(
            "select distinct old_id from raw.merges where starts_with(file_name, $folder) and object = 'deals' "
            "and list_contains($values, new_id)",
            folder=f"merges/{self._prefix}",
            values=sorted(values),
        )
        return list(found["old_id"].to_pylist())

    def _is_there(self, entity: str) -> bool:
        tables = "select 1 from information_schema.tables where table_schema = 'raw' and table_name = $entity"
        return bool(self._work.query(tables, entity=entity).num_rows)

    def _last(self, entity: str, columns: str, where: str = "true", **values: Any) -> list[dict[str, Any]]:
        if not self._is_there(entity):
            return []
        key = key_of(entity)
        is_true = "lower({}) in ('true', '1', 'yes', '是')"
        last = _LAST.format(entity=entity, key=key)
        sql = (
            f"with last as ({last}), told as (select *, {key} as id, "
            f"coalesce({is_true.format('is_deleted')}, false) as deleted, "
            f"deleted and coalesce(contains(extra, '{_ABSENT}'), false) as absent "
            f"from last) select {columns} from told where {where} order by id"
        )
        found = self._work.query(sql, folder=f"{entity}/{self._prefix}", **values)
        return list(found.to_pylist())


def key_of(entity: str) -> str:
    """The column that names a record of an entity."""
    return entities()[entity].keys[0][0]


def ids_of(page: Page) -> frozenset[str]:
    """The records that a page tells."""
    key = key_of(page.entity)
    return frozenset(str(json.loads(text).get(key)) for text in page.body.splitlines())


def is_too_many(gone: Collection[str], alive: Collection[str]) -> bool:
    """Whether so many vanished at once that they were hidden rather than deleted; in a small account most, or all."""
    is_most = len(alive) >= LEAST_FOR_MOST and 2 * len(gone) > len(alive)
    is_all = bool(gone) and len(gone) == len(alive)
    return is_all or is_most or len(gone) > max(MOST_GONE, MOST_GONE_SHARE * len(alive))


def every(pages: Iterable[Iterable[str]]) -> frozenset[str]:
    """All ids of a list that comes page by page."""
    return frozenset(one for page in pages for one in page)


def page_prefix(instance: str) -> str:
    """How the pages of an account are named in the inbox."""
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in instance)
    return f"{CRM_PAGE}{plain}-"
