"""R6 at its size: a thousand records change, vanish and are merged over there while we page through all of them."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.outbound.crm.base import Page
from tasks.outbound.crm.mapping import load_mapping
from tasks.outbound.crm.salesforce import SalesforceConnector
from tests.contract.server.account import CrmServer
from tests.contract.vendors import DIALECTS, VendorWorld

pytestmark = pytest.mark.slow
SEED, RECORDS, MUTATED, AT_ONCE = 6, 2_500, 1_000, 250
# Of these the CRM itself says which are gone; of the others a list of all ids does (test_crm_pull.py).
TELL_DELETED = ("hubspot", "salesforce")
# A record merged away is a deleted one there; the others tell merges by other means.
MERGED_IS_DELETED = ("salesforce",)


class Moving:
    """Deals that were all saved in one moment, and 250 at a time that change in one moment while somebody reads."""

    def __init__(self, world: VendorWorld) -> None:
        self.world = world
        self.columns = load_mapping(world.dialect).pull["deals"].columns
        rows = [{self.columns["stage"]: "open", self.columns["amount"]: str(one)} for one in range(RECORDS)]
        self.object = load_mapping(world.dialect).pull["deals"].to
        self.ids: list[str] = world.fake.ask("plant", object=self.object, records=rows)
        drawn = random.Random(SEED)
        self._turns = iter([drawn.sample(self.ids, AT_ONCE) for _ in range(MUTATED // AT_ONCE)])
        self.gone: set[str] = set()

    def mutate(self) -> None:
        """The next 250: four of five change, the others are deleted or merged into one that stays."""
        turn = [one for one in next(self._turns, []) if one not in self.gone]
        self.world.fake.sleep(1)
        tells = self.world.dialect in TELL_DELETED
        lost = set(turn[: len(turn) // 5]) if tells else set()
        stays = next((one for one in self.ids if one not in self.gone | lost), "")
        changes: list[dict[str, Any]] = []
        for number, one in enumerate(turn):
            if one not in lost:
                changes.append({"id": one, "fields": {self.columns["stage"]: "won"}})
            elif number % 2 or self.world.dialect not in MERGED_IS_DELETED:
                changes.append({"id": one, "deleted": True})
            else:
                changes.append({"id": one, "deleted": True, "merged_into": stays})
        self.world.fake.ask("change", records=changes)
        self.gone |= lost

    def expected(self) -> dict[str, tuple[str, bool]]:
        """Each deal's stage and whether it is gone, by the fake's dump."""
        stage = self.columns["stage"]
        held = [one for one in self.world.fake.dump() if one["object"] == self.object]
        return {one["id"]: (one["fields"][stage], one["is_deleted"]) for one in held}


def _read(moving: Moving, cursor: str | None, pages: list[Page]) -> str:
    """One reading, disturbed after every fifth page; gives where the next begins."""
    for number, page in enumerate(moving.world.connector().changes_since("deals", cursor)):
        pages.append(page)
        if number % 5 == 1:
            moving.mutate()
    return pages[-1].cursor


def _latest(pages: list[Page]) -> dict[str, tuple[str, bool]]:
    rows = [json.loads(line) for page in pages for line in page.body.splitlines()]
    return {row["deal_id"]: (row["stage"], row.get("is_deleted") == "true") for row in rows}


@pytest.fixture
def begin(tmp_path: Path, crm_server: CrmServer) -> Callable[[str], Moving]:
    return lambda dialect: Moving(VendorWorld.begin(tmp_path, crm_server, dialect, 1))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_r6_a_thousand_records_change_vanish_and_merge_while_we_page(
    begin: Callable[[str], Moving], dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moving, pages = begin(dialect), list[Page]()
    cursor = _read(moving, None, pages)
    _read(moving, cursor, pages)
    expected, seen = moving.expected(), _latest(pages)
    missed = {key for key, held in expected.items() if seen.get(key) != held}
    invented = seen.keys() - expected.keys()
    with capsys.disabled():
        told = f"{RECORDS:,} deals of one moment, {MUTATED:,} mutated 250 at a time while paging"
        gone = f"{len(moving.gone)} of them deleted or merged"
        print(f"\nR6 {dialect}: seed {SEED}, {told}, {gone}: {len(missed)} missed, {len(invented)} doubled")
    assert sum(stage == "won" or gone for stage, gone in expected.values()) > 800
    assert (missed, invented) == (set(), set())


def test_r6_control_a_cursor_of_times_alone_misses_records(
    begin: Callable[[str], Moving], capsys: pytest.CaptureFixture[str]
) -> None:
    moving = begin("salesforce")
    connector, seen, after = moving.world.connector(), set[str](), "1970-01-01T00:00:00Z"
    assert isinstance(connector, SalesforceConnector)
    select = f"SELECT Id, SystemModstamp FROM {moving.object} WHERE SystemModstamp > {{}} ORDER BY SystemModstamp, Id"
    while rows := connector._query(f"{select.format(after)} LIMIT 100", deleted=True):
        seen |= {row["Id"] for row in rows}
        after = str(rows[-1]["SystemModstamp"]).replace("+0000", "Z")
    missed = len(moving.expected().keys() - seen)
    with capsys.disabled():
        print(f"\nR6 control, a cursor of times alone: {missed:,} of {RECORDS:,} missed")
    assert missed > 1_000
