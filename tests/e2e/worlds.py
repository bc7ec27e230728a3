"""Small worlds for the end-to-end tests: written once, synced, compared by hash and with what is true of them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.world import SMALL, write_world
from tasks.loop import run_steps
from tasks.runs import open_run
from warehouse.database import connect_published, warehouse_path
from warehouse.hashes import table_hashes
from warehouse.quality import gate

AS_OF = date(2026, 10, 31)
SEED = 11


def world_of(root: Path) -> Path:
    """Where the world of the workspace `root` was written: its inbox, and its truth."""
    return root.parent / f"{root.name}-world"


def write_small_world(root: Path, seed: int = SEED) -> Path:
    """A workspace in `root` with a small world in its inbox; gives `root`."""
    world = world_of(root)
    write_world(world, SMALL, seed)
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(world / "inbox", root / "inbox", dirs_exist_ok=True)
    (root / "config").mkdir(exist_ok=True)
    # Files of a test are written at once: no need to wait whether they still grow.
    (root / "config" / "sources.yaml").write_text("settle_seconds: 0\n", encoding="utf-8")
    (root / "abmloop.yaml").write_text("name: small world\n", encoding="utf-8")
    return root


def unsynced(synced: Path, root: Path) -> Path:
    """A workspace in `root` with the same input, rules and key as one that was synced; gives `root`."""
    for name in ("inbox", "config"):
        shutil.copytree(synced / name, root / name)
    shutil.copy(synced / "abmloop.yaml", root)
    (root / "ledger").mkdir()
    shutil.copy(synced / "ledger" / "suppression.key", root / "ledger")
    return root


def sync(root: Path, as_of: date = AS_OF) -> None:
    """The whole loop, in this process."""
    with open_run(root, as_of) as run:
        run_steps(run)


def remember_answers(root: Path) -> None:
    """What the gates' suites passed in that workspace need not be asked again in this process."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        known = con.execute("select figures_hash from quality.passed_figures").fetchall()
    gate._PASSED.update(figures_hash for (figures_hash,) in known)


def hashes(root: Path, schemas: tuple[str, ...] = ("core", "marts")) -> dict[str, str]:
    """Table → hash of the warehouse's tables."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        return table_hashes(con, schemas)


def differing(left: dict[str, str], right: dict[str, str]) -> list[str]:
    """The tables that are not the same in both."""
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def ask(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the published file."""
    with connect_published(root) as con:
        return list(con.execute(sql).fetchall())


def exported_records(root: Path) -> dict[str, int]:
    """How often each CRM record was written to the export files: `object:key` → times."""
    index = root / "exports" / "crm"
    found: dict[str, int] = {}
    for path in sorted(index.rglob("*.csv")):
        with duckdb.connect() as con:
            rows = con.execute("select abm_key from read_csv(?, all_varchar = true)", [str(path)]).fetchall()
        for (key,) in rows:
            name = f"{path.name.partition('-')[0]}:{key}"
            found[name] = found.get(name, 0) + 1
    return found


def conservation_faults(root: Path) -> list[str]:
    """What was lost or stands twice: raw rows against the raw store's manifests, files landed twice."""
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        entities = con.execute("select entity, sum(rows_loaded)::bigint from ops.files group by all").fetchall()
        faults = [
            f"{entity}: {loaded} rows loaded, {found} in raw"
            for entity, loaded in entities
            for (found,) in con.execute(f"select count(*) from raw.{entity}").fetchall()
            if found != loaded
        ]
        twice = con.execute("select file_sha, entity from ops.files group by all having count(*) > 1").fetchall()
        unaccounted = con.execute(
            "select file_name from ops.files where rows_in <> rows_loaded + rows_quarantined + rows_skipped"
        ).fetchall()
    return faults + [f"landed twice: {row}" for row in twice] + [f"rows unaccounted for: {row}" for row in unaccounted]


_TRACED = """
create temp view true_{0} as
select truth.* exclude (file, sheet, line), rows.row_id, truth.file, truth.line
from read_parquet('{1}/{0}.parquet') as truth
join ops.files as files on files.file_name = truth.file
join staging.source_rows as rows
    on rows.file_sha = files.file_sha and rows.entity = files.entity and rows.line = truth.line
    and (coalesce(truth.sheet, '') = '' or truth.sheet = rows.sheet)
"""


@contextmanager
def true_world(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only, with the truth of its world as views `true_<table>`.

    `true_company_rows` and `true_contact_rows` bear the row ids of the staging rows that came from there.
    """
    truth = world_of(root) / "truth"
    with duckdb.connect(str(warehouse_path(root)), read_only=True) as con:
        for path in sorted(truth.glob("*.parquet")):
            if path.stem in ("company_rows", "contact_rows"):
                con.execute(_TRACED.format(path.stem, truth))
            else:
                con.execute(f"create temp view true_{path.stem} as from read_parquet('{path}')")
        for path in sorted(truth.glob("*.csv")):
            con.execute(f"create temp view true_{path.stem} as from read_csv('{path}')")
        yield con
