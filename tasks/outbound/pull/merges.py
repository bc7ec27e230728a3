"""Records that people merged in the CRM: our ledger's links go along, and the next push finds the one that stays."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from abmloop.run import Run
from tasks.outbound.crm.base import Connector, Page, Standing
from tasks.outbound.crm.walk import line
from tasks.outbound.push.outbox import Journal, Queued, RecordKey
from tasks.outbound.push.plan import digest
from warehouse.ledger import Ledger

Rows = list[dict[str, Any]]


class Links:
    """The ledger's links of one CRM: which of its records bears which of our keys."""

    def __init__(self, ledger: Ledger, run: Run, instance: str) -> None:
        self._ledger = ledger
        self._run = run
        self._instance = instance

    def follow(self, page: Page) -> Page:
        """Move the links of what a page of merges gives up; gives the page with our keys, where we know them.

        A link is moved by one more delivery event of the record's last version: what was before stays on record.
        """
        rows = [json.loads(text) for text in page.body.splitlines()]
        ids = Journal(self._ledger, self._instance).crm_ids() if rows else {}
        bearers: dict[tuple[str, str], str] = {(name, crm_id): key for (name, key), crm_id in sorted(ids.items())}
        told = [self._with_keys(row, bearers) for row in rows]
        self._move([row for row in told if (row["object"], row.get("old_key")) in self._known(told)], ids)
        return replace(page, body=b"".join(line(row) for row in told))

    def _with_keys(self, row: dict[str, Any], bearers: Mapping[tuple[str, str], str]) -> dict[str, Any]:
        name = row["object"]
        found = {"old_key": bearers.get((name, row["old_id"])), "new_key": bearers.get((name, row["new_id"]))}
        return {**{column: key for column, key in found.items() if key}, **row}

    def _known(self, rows: Rows) -> set[RecordKey]:
        """Those of the keys that we ever sent."""
        asked = {(row["object"], row["old_key"]) for row in rows if row.get("old_key")}
        every = ("pending", "sending", "retry", "done", "dead", "held", "cancelled", "superseded")
        known = Journal(self._ledger, self._instance, asked).queued(every) if asked else []
        return {(row.object, row.key) for row in known} & asked

    def _move(self, rows: Rows, ids: Mapping[RecordKey, str]) -> None:
        moved = {(row["object"], row["old_key"]): row for row in rows}
        # A merge that is read again finds the link gone on from there already.
        fresh = {record: row for record, row in moved.items() if ids.get(record) in (None, row["old_id"])}
        if not fresh:
            return
        last: dict[RecordKey, Queued] = {}
        for queued in Journal(self._ledger, self._instance, fresh.keys()).queued(("done",)):
            if (queued.object, queued.key) in fresh:
                last[queued.object, queued.key] = queued
        events = [_event(queued, fresh[record]) for record, queued in sorted(last.items())]
        self._ledger.append("deliveries", events, self._run)


def _event(queued: Queued, row: Mapping[str, Any]) -> dict[str, Any]:
    """The last version stands as it did, in another record."""
    return {
        "delivery_id": digest([queued.outbox_id, "merged", row["old_id"], row["new_id"]])[:32],
        "outbox_id": queued.outbox_id,
        "attempt": queued.attempt,
        "state": queued.state,
        "crm_id": row["new_id"],
        "message": f"merged over there: {row['old_id']} went into {row['new_id']}",
    }


def standing_of(
    connector: Connector, name: str, keys: Iterable[str], ids: Mapping[RecordKey, str]
) -> dict[str, Standing]:
    """Our key → the record that stands for it today, of keys that are found no more; deleted ones are left out."""
    asked = {key: ids[name, key] for key in keys if (name, key) in ids}
    found = connector.standing_for(name, _distinct(asked.values())) if asked else {}
    return {key: found[crm_id] for key, crm_id in asked.items() if crm_id in found}


def _distinct(values: Iterable[str]) -> Sequence[str]:
    return sorted(set(values))
