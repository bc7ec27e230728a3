"""What a what-if works with: the last run's tables and rules, and room in memory for what other rules make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from abmloop.calendar import end_of_local_day
from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.policy import Policy, PolicyT, parse_policy
from abmloop.refusals import patterns
from abmloop.settings import Settings, load_settings
from tasks.policies import read_rules
from warehouse.database import Limits
from warehouse.ledger import Ledger
from warehouse.models import all_models, build_model
from warehouse.replay import make_room, play_warehouse
from warehouse.secret import hash_parameters
from warehouse.tables import declared_tables

_LAST = "select run_id, as_of, config_hash from ops.steps order by started_at desc limit 1"
_GIVEN = "given_rows"


@dataclass(frozen=True)
class History:
    """The tables as the last run left them. `as_of` and `at` (UTC, aware) are that run's; `texts` its rules' files."""

    con: duckdb.DuckDBPyConnection
    root: Path
    settings: Settings
    as_of: date
    at: datetime
    texts: dict[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """What SQL may name, as in a step of the loop."""
        at = self.at.astimezone(UTC).replace(tzinfo=None)
        told = {"as_of": self.as_of, "at": at, "timezone": self.settings.timezone, "currency": self.settings.currency}
        told |= {"fiscal_month": self.settings.fiscal_year_starts_in, **patterns()}
        return {**told, **hash_parameters(self.root)}

    def policy(self, cls: type[PolicyT]) -> PolicyT:
        """The rules under which the last run judged."""
        return parse_policy(self.texts.get(cls.file_name, "{}"), cls)

    def query(self, sql: str, **parameters: Any) -> pa.Table:
        """A SELECT's rows as an Arrow table."""
        return self.con.sql(sql, params=parameters or None).to_arrow_table()

    def table(self, name: str) -> pa.Table:
        """A whole table."""
        return self.query(f"select * from {name}")

    def replace(self, name: str, rows: pa.Table) -> None:
        """From now on the table has these rows, here in memory."""
        make_room(self.con, name)
        self.con.register(_GIVEN, rows)
        try:
            self.con.execute(f"create or replace table {name} as select * from {_GIVEN}")
        finally:
            self.con.unregister(_GIVEN)

    def empty(self, name: str) -> None:
        """From now on the declared table is here in memory, without rows."""
        make_room(self.con, name)
        self.con.execute(f"drop table if exists {name}")
        self.con.execute(declared_tables()[name].ddl())

    def build(self, *names: str) -> None:
        """Make these models anew, here in memory, in their order."""
        for model in all_models().values():
            if model.name in names:
                make_room(self.con, model.name)
                build_model(self.con, model, self.parameters)


@contextmanager
def open_history(root: Path) -> Iterator[History]:
    """The past of the workspace in `root`. Raises BadUsage where there is none, Busy while a run is at work."""
    settings = load_settings(root)
    with play_warehouse(root, Limits(settings.memory_limit, settings.threads)) as con:
        last = next(iter(con.execute(_LAST).fetchall()), None)
        if last is None:
            raise BadUsage(said("usage_no_history", root=root))
        run_id, as_of, config_hash = last
        with Ledger.of(root, settings.ledger_url) as ledger:
            texts = json.loads(ledger.config(config_hash))
            noted = ledger.read("runs").to_pylist()
        told = [row["at"] for row in noted if row["run_id"] == run_id and row["at"] is not None]
        at = told[0].replace(tzinfo=UTC) if told else end_of_local_day(as_of, settings.timezone)
        yield History(con, root, settings, as_of, at, texts)


def other_rules(
    history: History, cls: type[PolicyT], config: Path | None, rules: Path | None, changes: dict[str, str]
) -> PolicyT:
    """The rules to try: the file `rules`, else that of the folder `config`, else the workspace's; then the changes.

    `changes`: dotted key → value as YAML writes it; items of a list are named by their id or place, as in
    `engagement.rules.form_submitted.points`. Raises BadPolicy naming each wrong key, BadUsage for a missing file.
    """
    return parse_policy(_text(history, cls, config, rules), cls, changes=changes)


def _text(history: History, cls: type[Policy], config: Path | None, rules: Path | None) -> str:
    if rules is not None:
        if not rules.is_file():
            raise BadUsage(said("option_no_file", option="--rules", path=rules))
        return rules.read_text(encoding="utf-8")
    if config is not None and not config.is_dir():
        raise BadUsage(said("option_no_folder", option="--config", path=config))
    return read_rules(config or history.root / "config").get(cls.file_name, "{}")
