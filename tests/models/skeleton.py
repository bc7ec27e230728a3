"""An empty warehouse with just the tables that one SQL model reads, made by their own declarations."""

from datetime import date, datetime
from typing import Any

import duckdb

from abmloop.refusals import patterns
from tasks.land.entities import raw_tables
from warehouse.models import all_models, build_model
from warehouse.tables import SCHEMAS, TableSpec, declared_tables, parse_spec

PARAMETERS: dict[str, Any] = {
    "as_of": date(2026, 10, 31),
    "at": datetime(2026, 10, 31, 15, 59, 59),
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "fiscal_month": 1,
    **patterns(),
    "inner_pad": bytes([0x36] * 64),
    "outer_pad": bytes([0x5C] * 64),
}


class Skeleton:
    """Makes tables on demand: declared ones empty, models by building them on what they read."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute("set timezone = 'UTC'")
        self.made: set[str] = set()
        self.raw: dict[str, TableSpec] = {name: parse_spec(name, said) for name, said in raw_tables().items()}
        for schema in SCHEMAS:
            self.con.execute(f"create schema {schema}")

    def ensure(self, name: str) -> None:
        """Have the table `name`, empty, with everything it is built from."""
        if name in self.made:
            return
        self.made.add(name)
        spec = declared_tables().get(name) or self.raw.get(name)
        if spec is not None:
            self.con.execute(spec.ddl())
            return
        model = all_models()[name]
        for read in sorted(model.reads):
            self.ensure(read)
        build_model(self.con, model, PARAMETERS)

    def fill(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Put rows into a table; columns not given are null."""
        self.ensure(name)
        if name in all_models() and all_models()[name].kind == "view":
            columns = self.con.execute(f"describe {name}").fetchall()
            self.con.execute(f"drop view {name}")
            self.con.execute(f"create table {name} ({', '.join(f'{row[0]} {row[1]}' for row in columns)})")
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            self.con.execute(f"insert into {name} ({names}) values ({marks})", list(row.values()))

    def build(self, name: str, parameters: dict[str, Any], where: str = "true") -> list[dict[str, Any]]:
        """The model's rows that `where` picks."""
        model = all_models()[name]
        for read in sorted(model.reads):
            self.ensure(read)
        build_model(self.con, model, {**PARAMETERS, **parameters})
        return list(self.con.sql(f"select * from {name} where {where}").to_arrow_table().to_pylist())
