"""What the CRM says back comes in by the front door: its pages become files of the inbox, landed like any other."""

import hashlib
import logging
import os
from collections import Counter
from pathlib import Path

from abmloop.errors import CrmRefused
from abmloop.faultpoint import fault_point
from abmloop.messages import said, say
from abmloop.run import Run, StepCounts
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import ChannelStopped, Connector, Page
from tasks.outbound.crm.connectors import open_connector
from tasks.outbound.crm.files import PULLED_ENTITIES
from tasks.outbound.pull.merges import Links
from tasks.outbound.pull.told import RECONCILED, Told, every, ids_of, is_too_many, page_prefix
from tasks.policies import load_policy
from warehouse.ledger import Ledger
from warehouse.steps import step

log = logging.getLogger("abmloop")
# Without these a CRM is of use; where its key does not open them, that is told and the rest is read.
_MAY_BE_CLOSED = frozenset(
    {
        "deal_stages",
        "deal_contacts",
        "deal_splits",
        "orders",
        "invoices",
        "payments",
        "activities",
        "merges",
        "consents",
    }
)


def pull(run: Run) -> StepCounts:
    """Put what changed in the CRM into the inbox; the same content twice is one file. Counts new files by entity.

    Raises CrmRefused where another account answers than crm.yaml names.
    """
    with step(run, "pull") as work:
        policy = load_policy(run, CrmPolicy)
        connector = open_connector(run.root, policy, run.as_of)
        cursors = Cursors(work.ledger, run, policy.instance)
        told = Told(work, page_prefix(connector.describe().instance), run.at.isoformat(timespec="microseconds"))
        work.count(**pull_pages(run.root, connector, cursors, told))
        if notes := connector.describe().notes:
            work.count(not_taken=len(notes))
    return work.counts


class Cursors:
    """Up to where each entity of one account was read; in the ledger, so that it is never newer than what landed."""

    def __init__(self, ledger: Ledger, run: Run, instance: str) -> None:
        self.instance = instance
        self.day = run.as_of.isoformat()
        self.language = run.language
        self.links = Links(ledger, run, instance)
        self._ledger = ledger
        self._run = run
        self._numbers: dict[str, int] = {}
        self._places: dict[str, str] = {}
        for row in sorted(ledger.read("epochs").to_pylist(), key=lambda row: row["number"] or 0):
            self._numbers[row["name"]] = row["number"]
            self._places[row["name"]] = row["payload"]

    def _name(self, entity: str) -> str:
        return f"pull:{self.instance}:{entity}"

    def place(self, entity: str) -> str | None:
        """Where the next reading of the entity begins; None: from the start."""
        return self._places.get(self._name(entity))

    def note(self, entity: str, place: str) -> None:
        """Remember how far the entity was read, once what was read stands in the inbox."""
        name = self._name(entity)
        if not place or place == self._places.get(name):
            return
        self._numbers[name] = self._numbers.get(name, 0) + 1
        self._places[name] = place
        self._ledger.append("epochs", [{"name": name, "number": self._numbers[name], "payload": place}], self._run)
        fault_point("crm:after_cursor")


def pull_pages(root: Path, connector: Connector, cursors: Cursors, told: Told | None = None) -> dict[str, int]:
    """New files per entity. A page that comes again is no new file: its content names it.

    `told`: what was landed before; without it nothing is known to be gone but what comes marked.
    """
    there = connector.describe().instance
    if there.partition(":")[0] != "files" and there != cursors.instance:
        raise CrmRefused(said("crm_read_other_instance", wanted=cursors.instance, found=there))
    reader = _Reader(root, connector, cursors, told, page_prefix(there))
    for entity in PULLED_ENTITIES:
        try:
            reader.read(entity)
            reader.reconcile(entity)
        except ChannelStopped as error:
            # What was read once must not fall silent: then somebody has taken the permission away.
            if entity not in _MAY_BE_CLOSED or cursors.place(entity) is not None:
                raise
            reader.counts["not_open"] += 1
            log.warning(say("crm_pull_not_open", cursors.language, entity=entity, why=error.told(cursors.language)))
    return dict(reader.counts)


class _Reader:
    """One reading of one account, entity by entity; counts the new files."""

    def __init__(self, root: Path, connector: Connector, cursors: Cursors, told: Told | None, prefix: str) -> None:
        self._root = root
        self._connector = connector
        self._cursors = cursors
        self._told = told
        self._prefix = prefix
        self.counts: Counter[str] = Counter()

    def read(self, entity: str) -> None:
        """What changed since the last time."""
        for page in self._connector.changes_since(entity, self._cursors.place(entity)):
            # Files that people drop are landed as they are.
            is_ours = entity == "merges" and page.suffix == ".ndjson" and bool(page.cursor)
            page = self._cursors.links.follow(page) if is_ours else page
            self._put(page)
            if page.whole_of and self._told is not None:
                self._part(page, self._told)
            self._cursors.note(entity, page.cursor)

    def _part(self, page: Page, told: Told) -> None:
        """What these parents had before and have no more."""
        gone = told.of_parents(page.entity, page.whole_of, page.whole) - ids_of(page)
        if gone:
            self._put(told.page(page.entity, gone, ()))

    def reconcile(self, entity: str) -> None:
        """Once a day, where deleted records are known by their absence alone: which are gone, and which are back."""
        mark = f"{entity}:listed"
        if self._told is None or entity not in RECONCILED or self._cursors.place(mark) == self._cursors.day:
            return
        pages = self._connector.ids_there(entity)
        known = self._told.known(entity) if pages is not None else None
        if pages is None or known is None or not (known.alive or known.absent):
            return
        there = every(pages)
        gone, back = known.alive - there, known.absent & there
        if is_too_many(gone, known.alive):
            # Deleted, or no longer shown to our key? Nothing is marked: missing is not zero.
            self.counts["not_visible"] += len(gone)
            number = f"{len(gone):,}"
            log.warning(say("crm_pull_not_visible", self._cursors.language, entity=entity, number=number))
            return
        if gone or back:
            self._put(self._told.page(entity, gone, back))
        self._cursors.note(mark, self._cursors.day)

    def _put(self, page: Page) -> None:
        """Write the page into the inbox under a name of our own making, unless it is there already."""
        if not page.body:
            return
        folder = self._root / "inbox" / page.entity
        path = folder / f"{self._prefix}{hashlib.sha256(page.body).hexdigest()[:16]}{page.suffix}"
        if path.exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{path.name}.{os.getpid()}.tmp"
        with draft.open("wb") as file:
            file.write(page.body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self.counts[page.entity] += 1
        fault_point("crm:after_pull")
