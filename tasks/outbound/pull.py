"""What the CRM says back comes in by the front door: its pages become files of the inbox, landed like any other."""

import hashlib
import os
import re
from pathlib import Path

from abmloop.faultpoint import fault_point
from abmloop.run import Run, StepCounts
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import Connector, Page
from tasks.outbound.crm.connectors import open_connector
from tasks.outbound.crm.files import PULLED_ENTITIES
from tasks.policies import load_policy
from warehouse.steps import step


def pull(run: Run) -> StepCounts:
    """Put what changed in the CRM into the inbox; the same content twice is one file. Counts new files by entity."""
    with step(run, "pull") as work:
        policy = load_policy(run, CrmPolicy)
        connector = open_connector(run.root, policy, run.as_of)
        work.count(**pull_pages(run.root, connector))
        if notes := connector.describe().notes:
            work.count(not_taken=len(notes))
    return work.counts


def pull_pages(root: Path, connector: Connector) -> dict[str, int]:
    """New files per entity. Every page is offered again each time: what it holds decides, not when it came."""
    instance = re.sub(r"[^A-Za-z0-9]+", "-", connector.describe().instance)
    new: dict[str, int] = {}
    for entity in PULLED_ENTITIES:
        for page in connector.changes_since(entity, None):
            if _place(root, page, instance):
                new[entity] = new.get(entity, 0) + 1
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
