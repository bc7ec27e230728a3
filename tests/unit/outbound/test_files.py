"""The files connector: import-ready CSV out, the CRM's exports in."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from abmloop.errors import BadPolicy, CrmRefused
from tasks.outbound.crm.files import FilesConnector, entity_of
from tasks.outbound.pull.step import Cursors, pull_pages
from tests.contract.world import World

MakeWorld = Callable[..., World]


def connector(world: World) -> FilesConnector:
    return FilesConnector(world.root, world.policy, world.as_of)


def pulled(world: World, crm: FilesConnector) -> dict[str, int]:
    return pull_pages(world.root, crm, Cursors(world.ledger, world.new_run(), world.policy.instance))


def rows_of(world: World, pattern: str = "*/leads-*.csv") -> list[dict[str, str]]:
    """All rows of the exported files, file by file."""
    paths = sorted((world.root / "exports" / "crm").glob(pattern))
    return [row for path in paths for row in csv.DictReader(path.open(encoding="utf-8-sig", newline=""))]


def test_one_import_file_with_the_allowed_columns_and_our_key_first(make_world: MakeWorld) -> None:
    world = make_world(2, "files:test")
    world.push(connector(world))
    assert rows_of(world) == [
        {"abm_key": "L00000", "stage": "mql", "name": "人0", "owner_id": "u1"},
        {"abm_key": "L00001", "stage": "mql", "name": "人1", "owner_id": "u1"},
    ]
    assert (world.root / "exports" / "crm" / "2026-10-31").is_dir()


def test_second_push_writes_no_file(make_world: MakeWorld) -> None:
    world = make_world(2, "files:test")
    world.push(connector(world))
    before = sorted((path, path.stat().st_mtime_ns) for path in (world.root / "exports").rglob("*"))
    assert world.push(connector(world)) == {"unchanged": 2}
    assert sorted((path, path.stat().st_mtime_ns) for path in (world.root / "exports").rglob("*")) == before


def test_changes_go_into_a_file_of_their_own_without_what_sales_may_have_typed(make_world: MakeWorld) -> None:
    world = make_world(2, "files:test")
    world.push(connector(world))
    world.fields["L00001"].update(stage="sal", name="another")
    world.push(connector(world))
    assert rows_of(world, "*/leads-changed-*.csv") == [{"abm_key": "L00001", "stage": "sal"}]


def test_imported_files_may_be_deleted(make_world: MakeWorld) -> None:
    world = make_world(2, "files:test")
    world.push(connector(world))
    for path in (world.root / "exports" / "crm").glob("*/*.csv"):
        path.unlink()
    assert world.push(connector(world)) == {"unchanged": 2}
    assert sorted(connector(world).find("leads", ["L00000", "L00001"])) == ["L00000", "L00001"]


def test_s15_what_came_in_as_a_formula_goes_out_as_text(make_world: MakeWorld) -> None:
    world = make_world(1, "files:test")
    world.fields["L00000"]["name"] = '=HYPERLINK("http://x","y")'
    world.push(connector(world))
    assert rows_of(world)[0]["name"] == '\'=HYPERLINK("http://x","y")'


def test_c13_an_exports_folder_of_another_crm_is_refused(make_world: MakeWorld) -> None:
    world = make_world(1, "files:production")
    world.push(connector(world))
    world.policy = world.policy.model_copy(update={"instance": "files:sandbox"})
    with pytest.raises(CrmRefused, match="files:production answers"):
        world.push(connector(world))


@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("deals/whatever.csv", "deals"),
        ("商机_2026-10.xlsx", "deals"),
        ("商机阶段变更.csv", "deal_stages"),
        ("Opportunity Contact Roles.csv", "deal_contacts"),
        ("OpportunityContactRole.csv", "deal_contacts"),
        ("Opportunity Splits.csv", "deal_splits"),
        ("商机分摊.csv", "deal_splits"),
        ("销售订单.xlsx", "orders"),
        ("回款记录.csv", "payments"),
        ("payments-2026.csv.gz", "payments"),
        ("notes.csv", None),
    ],
)
def test_an_export_is_recognised_by_folder_or_name(name: str, entity: str | None) -> None:
    assert entity_of(Path(name)) == entity


def test_pull_lands_each_content_once_whatever_its_name(make_world: MakeWorld) -> None:
    world = make_world(1, "files:test")
    folder = world.root / "crm" / "deals"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"deal_id\r\nD1\r\n")
    (folder / "b.csv").write_bytes(b"deal_id\r\nD1\r\n")
    (folder / "b2.csv").symlink_to(folder / "b.csv")
    assert pulled(world, connector(world)) == {"deals": 1}
    assert pulled(world, connector(world)) == {}
    (folder / "a.csv").write_bytes(b"deal_id\r\nD1\r\nD2\r\n")
    assert pulled(world, connector(world)) == {"deals": 1}
    landed = sorted((world.root / "inbox" / "deals").iterdir())
    assert [path.suffix for path in landed] == [".csv", ".csv"]
    assert {path.name.rpartition("-")[0] for path in landed} == {"crm-files-test"}


def test_a_dropped_file_that_is_not_taken_is_named_with_what_to_do(make_world: MakeWorld) -> None:
    world = make_world(1, "files:test")
    folder = world.root / "crm"
    folder.mkdir()
    (folder / "notes.csv").write_bytes(b"x")
    (folder / "~$orders.xlsx").write_bytes(b"x")
    (folder / "orders.csv").symlink_to(folder / "notes.csv")
    assert pulled(world, connector(world)) == {}
    notes = connector(world).describe().notes
    assert [note.partition(":")[0] for note in notes] == ["notes.csv", "orders.csv"]
    assert "put it into a folder deal_stages" in notes[0]


def test_pull_reads_the_folder_that_crm_yaml_names(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(1, "files:test")
    exports = tmp_path / "crm exports"
    exports.mkdir()
    (exports / "订单.csv").write_bytes(b"order_id\r\nO1\r\n")
    world.policy = world.policy.model_copy(update={"import_folder": str(exports)})
    assert pulled(world, connector(world)) == {"orders": 1}
    world.policy = world.policy.model_copy(update={"import_folder": str(tmp_path / "gone")})
    with pytest.raises(BadPolicy, match=r"import_folder: .*gone is no folder"):
        pulled(world, FilesConnector(world.root, world.policy, date(2026, 10, 31)))
