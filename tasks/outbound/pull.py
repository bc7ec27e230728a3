"""What the CRM says back comes in by the front door: its pages become files of the inbox, landed like any other."""

import hashlib
import os
import re
from pathlib import Path

from abmloop.errors import CrmRefused
from abmloop.faultpoint import fault_point
from abmloop.messages import said
from abmloop.run import Run, StepCounts
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector, Page
from tasks.outbound.crm.connectors import open_connector
from tasks.outbound.crm.files import PULLED_ENTITIES
from tasks.policies import load_policy
from warehouse.ledger import Ledger
from warehouse.steps import step


def pull(run: Run) -> StepCounts:
    """Put what changed in the CRM into the inbox; the same content twice is one file. Counts new files by entity.

    Raises CrmRefused where another account answers than crm.yaml names.
    """
    with step(run, "pull") as work:
        policy = load_policy(run, CrmPolicy)
        connector = open_connector(run.root, policy, run.as_of)
        work.count(**pull_pages(run.root, connector, Cursors(work.ledger, run, policy.instance)))
        if notes := connector.describe().notes:
            work.count(not_taken=len(notes))
    return work.counts


class Cursors:
    """Up to where each entity of one account was read; in the ledger, so that it is never newer than what landed."""

    def __init__(self, ledger: Ledger, run: Run, instance: str) -> None:
        self.instance = instance
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


def pull_pages(root: Path, connector: Connector, cursors: Cursors) -> dict[str, int]:
    """New files per entity. A page that comes again is no new file: its content names it."""
    there = connector.describe().instance
    if there.partition(":")[0] != "files" and there != cursors.instance:
        raise CrmRefused(said("crm_read_other_instance", wanted=cursors.instance, found=there))
    instance = re.sub(r"[^A-Za-z0-9]+", "-", there)
    new: dict[str, int] = {}
    for entity in PULLED_ENTITIES:
        for page in connector.changes_since(entity, cursors.place(entity)):
            if _place(root, page, instance):
                new[entity] = new.get(entity, 0) + 1
            cursors.note(entity, page.cursor)
    return new


def _place(root: Path, page: Page, instance: str) -> bool:
    """Write the page into the inbox under a name of our own making; False where it is there already."""
    folder = root / "inbox" / page.entity
    name = f"crm-{instance}-{hashlib.sha256(page.body).hexdigest()[:16]}{page.suffix}"
    path = folder / name
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}.tmp"
    with draft.open("wb") as file:
        file.write(page.body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    fault_point("crm:after_pull")
    return True
