"""A workspace of company lists for the fault tests: drop a list, sync a day, ask the warehouse."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from abmloop.run import Person
from abmloop.settings import load_settings
from tasks.land import land
from tasks.parse import parse
from tasks.resolve import resolve, segment
from tasks.runs import open_run
from warehouse.database import Limits, connect, held_open, warehouse_path
from warehouse.ledger import Ledger

# Valid codes (GB 32100-2015) of invented companies.
CODE_A, CODE_B = "91440300MA5ABCDE1H", "91440300MA5ABCDF4U"


class DirectoryWorld:
    """Lists by source; each sync lands what was dropped and resolves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "config").mkdir(exist_ok=True)

    def drop(self, source: str, *rows: dict[str, Any], entity: str = "companies") -> None:
        """A CSV of that source; columns as the rows name them."""
        folder = self.root / "inbox" / entity
        folder.mkdir(parents=True, exist_ok=True)
        columns = sorted({name for row in rows for name in row})
        with (folder / f"{source}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)

    def sync(self, day: date = date(2026, 10, 1)) -> dict[str, int]:
        """Land, parse, resolve, segment as of that day; gives what resolving counted."""
        with open_run(self.root, day) as run, held_open(self.root, Limits()):
            land(run)
            parse(run)
            counts = resolve(run).counts
            segment(run)
        return counts

    def decide(self, day: date = date(2026, 10, 1), **decision: Any) -> None:
        """A person's decision in the ledger."""
        blank = {"verdict": decision["kind"], "actor": "li", "payload": None, "reason": "looked", "undoes": None}
        with Ledger.of(self.root, load_settings(self.root).ledger_url) as ledger:
            ledger.append("decisions", [{**blank, **decision}], Person("person:li", day))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with duckdb.connect(str(warehouse_path(self.root)), read_only=True) as con:
            return con.execute(sql).fetchall()

    @contextmanager
    def look(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse as what is published after it: the marts that tell of an account are there, empty."""
        with connect(self.root) as con:
            amounts = "pipeline_amount decimal(18, 2), won_amount decimal(18, 2)"
            numbers = "people bigint, touches bigint, open_deals bigint, won_deals bigint"
            con.execute(f"create table if not exists marts.account_360 (account_id varchar, {numbers}, {amounts})")
            con.execute(
                "create table if not exists marts.account_review (account_id varchar, since date, evidence varchar)"
            )
            yield con

    def companies(self) -> set[frozenset[str]]:
        """The clusters, by the ids the sources give."""
        rows = self.ask("select list(source_key) from resolved.account_members group by account_id")
        return {frozenset(keys) for (keys,) in rows}
