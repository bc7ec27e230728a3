"""One step, one transaction: its rows and its record are committed together or not at all."""

import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.errors import AbmError
from abmloop.faultpoint import fault_point
from abmloop.messages import said
from abmloop.refusals import patterns
from abmloop.run import Run, StepCounts
from abmloop.settings import load_settings
from warehouse.changes import Changes, note_changes, note_everything, take_changes
from warehouse.database import Limits, connect
from warehouse.lease import assert_lease
from warehouse.ledger import Ledger
from warehouse.models import all_models, build_models, models_by_name, verify_table
from warehouse.parts import build_part, pick_part, update_model
from warehouse.secret import hash_parameters
from warehouse.tables import TableSpec, declared_tables, quote

_NEW = "incoming_rows"
_PART = "incoming_part"


@dataclass
class Work:
    """What a step works with: the warehouse inside its transaction, the ledger, and its counts."""

    run: Run
    step: str
    con: duckdb.DuckDBPyConnection
    ledger: Ledger
    counted: dict[str, int] = field(default_factory=dict)
    declared: dict[str, TableSpec] = field(default_factory=dict)
    fiscal_month: int = 1

    @property
    def parameters(self) -> dict[str, Any]:
        """What SQL may name.

        $as_of, $at (UTC, naive), $timezone, $currency, $fiscal_month, what keyed hashes need, how refusals read.
        """
        at = self.run.at.astimezone(UTC).replace(tzinfo=None)
        told = {"as_of": self.run.as_of, "at": at, "timezone": self.run.timezone, "currency": self.run.currency}
        told |= {"fiscal_month": self.fiscal_month, **patterns()}
        return {**told, **hash_parameters(self.run.root)}

    @property
    def counts(self) -> StepCounts:
        """What was counted so far."""
        return StepCounts(self.step, dict(self.counted))

    def count(self, **numbers: int) -> None:
        """Add to the step's counts."""
        for name, number in numbers.items():
            self.counted[name] = self.counted.get(name, 0) + int(number)

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run SQL inside the step's transaction."""
        return self.con.execute(sql, parameters)

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        """A SELECT's rows as an Arrow table."""
        return self.con.sql(sql, params=parameters or None).to_arrow_table()

    def table(self, name: str) -> pa.Table:
        """A whole table."""
        return self.query(f"select * from {name}")

    def build(self, *names: str) -> None:
        """Make these SQL models anew, with their grains and checks verified."""
        for name, rows in build_models(self.con, names, self.parameters).items():
            if models_by_name()[name].kind != "view":  # nobody has counted a view's rows
                self.counted[name.partition(".")[2]] = rows

    def update(self, name: str, where: str, instead: dict[str, str]) -> None:
        """Make those rows of a model's table anew that `where` picks, from the parts of its tables in `instead`."""
        self.counted[name.partition(".")[2]] = update_model(self.con, name, where, instead, self.parameters)

    def part(self, name: str, table: str, instead: dict[str, str]) -> int:
        """What a model gives over the parts of its tables in `instead`, as a temporary table; gives its rows."""
        return build_part(self.con, name, table, instead, self.parameters)

    def pick(self, table: str, where: str, part: str) -> int:
        """The rows of a table that `where` picks, as a temporary table; gives their number."""
        return pick_part(self.con, table, where, part)

    def build_zone(self, zone: str) -> None:
        """Make all SQL models of a zone anew."""
        self.build(*(model.name for model in all_models().values() if model.zone == zone))

    def note_changes(self, table: str, keys: str | None = None) -> None:
        """Note that rows of a table changed, for the steps that build on it; `keys` is a SELECT, None means any row."""
        if keys is None:
            note_everything(self.con, table)
        else:
            note_changes(self.con, table, keys)

    def changed(self, table: str, rules: str = "") -> Changes:
        """What of a table changed since this step took it last, under the same `rules` (a hash)."""
        return take_changes(self.con, table, self.step, rules)

    def ensure(self, spec: TableSpec) -> None:
        """Have a table that is declared elsewhere than in warehouse/tables (the raw ones). Raises AbmError on drift."""
        self.con.execute(spec.ddl())
        known = {row[0] for row in self.con.execute(f"describe {spec.name}").fetchall()}
        if known != set(spec.columns):
            changed = ", ".join(sorted(known ^ set(spec.columns)))
            raise AbmError(said("warehouse_other_columns", table=spec.name, columns=changed))
        self.declared[spec.name] = spec

    def replace(self, name: str, rows: pa.Table, where: str = "true") -> int:
        """The declared table's rows that `where` picks are exactly these from now on; gives the table's rows."""
        spec = self._spec(name)
        if where == "true":
            self._insert(name, rows, f"create or replace table {name} as select {self._columns(spec)} from {_NEW}")
            return verify_table(self.con, name, spec.grain, ())
        self.con.execute(f"delete from {name} where {where}")
        if rows.num_rows:
            self._insert(
                name, rows, f"create or replace temp table {_PART} as select {self._columns(spec)} from {_NEW}"
            )
            verify_table(self.con, _PART, spec.grain, ())
            self.con.execute(f"insert into {name} by name select * from {_PART}")
        return int(self.con.execute(f"select count(*) from {name}").fetchall()[0][0])

    def append(self, name: str, rows: pa.Table) -> int:
        """Add rows to the declared table; gives their number."""
        if rows.num_rows:
            self._hold_to_declared(name, rows)
            # Not registered: what is registered stays in memory until the transaction ends.
            self.con.from_arrow(rows).project(self._columns(self._spec(name))).insert_into(name)
        return int(rows.num_rows)

    def _spec(self, name: str) -> TableSpec:
        spec = self.declared.get(name) or declared_tables().get(name)
        if spec is None:
            raise AbmError(f"{name} is not declared; add it to warehouse/tables/")
        return spec

    @staticmethod
    def _columns(spec: TableSpec) -> str:
        return ", ".join(f"{quote(name)}::{kind} as {quote(name)}" for name, (kind, _) in spec.columns.items())

    def _hold_to_declared(self, name: str, rows: pa.Table) -> None:
        wanted, given = set(self._spec(name).columns), set(rows.column_names)
        if wanted != given:
            raise AbmError(
                f"{name}: missing columns {sorted(wanted - given)}, columns not declared {sorted(given - wanted)}"
            )

    def _insert(self, name: str, rows: pa.Table, sql: str) -> None:
        self._hold_to_declared(name, rows)
        self.con.register(_NEW, rows)
        try:
            self.con.execute(sql)
        finally:
            self.con.unregister(_NEW)

    def quarantine(self, rows: pa.Table) -> int:
        """Add rows to quality.quarantine; gives their number."""
        return self.append("quality.quarantine", rows)

    def repairs(self, rows: pa.Table) -> int:
        """Add rows to quality.repairs; gives their number."""
        return self.append("quality.repairs", rows)


def _record(work: Work, started: float, started_cpu: float, started_at: datetime) -> None:
    """The step's own row, in the step's own transaction."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    values = [
        work.run.run_id,
        work.step,
        work.run.as_of,
        started_at,
        round(time.perf_counter() - started, 3),
        round(time.process_time() - started_cpu, 3),
        round(used.ru_maxrss / 1024, 1),
        json.dumps(work.counted),
        work.run.config_hash,
    ]
    work.con.execute(f"insert into ops.steps values ({', '.join('?' * len(values))})", values)


@contextmanager
def step(run: Run, name: str) -> Iterator[Work]:
    """A step's transaction on the warehouse, committed with its record at the end of the block.

    Raises Busy where a newer run has taken the lease; on any error nothing of the step remains in the warehouse.
    """
    started, started_cpu, started_at = time.perf_counter(), time.process_time(), datetime.now(UTC).replace(tzinfo=None)
    settings = load_settings(run.root)
    # The fault tests switch the transaction off to prove that it is what keeps a killed run whole.
    transactional = os.environ.get("ABMLOOP_FAULT_NO_TRANSACTION") != "1"
    with Ledger.of(run.root, settings.ledger_url) as ledger:
        assert_lease(ledger, run)
        con = connect(run.root, Limits(settings.memory_limit, settings.threads))
        try:
            if transactional:
                con.execute("begin")
            work = Work(run, name, con, ledger, fiscal_month=settings.fiscal_year_starts_in)
            fault_point(f"{name}:begin")
            yield work
            _record(work, started, started_cpu, started_at)
            fault_point(f"{name}:before_commit")
            if transactional:
                con.execute("commit")
            fault_point(f"{name}:after_commit")
        except duckdb.OutOfMemoryException as error:
            raise AbmError(said("warehouse_out_of_memory", step=name, problem=error)) from error
        except (duckdb.IOException, OSError) as error:
            if "space" in str(error).lower():
                raise AbmError(said("warehouse_disk_full", step=name, problem=error)) from error
            raise
        finally:
            con.close()
