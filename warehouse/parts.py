"""A model brought up to date in part: the rows of some keys are made anew by the model's own SELECT."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from warehouse.models import Model, build_model, models_by_name

_PART, _PLACES = "model_part", "picked_places"


def update_model(
    con: duckdb.DuckDBPyConnection, name: str, where: str, instead: Mapping[str, str], parameters: dict[str, Any]
) -> int:
    """Replace the rows of a model's table that `where` picks by what it gives over `instead`; gives their number.

    `instead`: table that the SELECT reads → temporary table with those of its rows that the part depends on. Grain and
    checks of the part are verified; that `where` picks every row of the part is the caller's promise.
    """
    rows = build_part(con, name, _PART, instead, parameters)
    con.execute(f"delete from {name} where {where}")
    con.execute(f"insert into {name} by name select * from {_PART}")
    con.execute(f"drop table {_PART}")
    return rows


def pick_part(con: duckdb.DuckDBPyConnection, table: str, where: str, part: str) -> int:
    """The rows of a table that `where` picks, as the temporary table `part`; gives their number.

    They are found by the columns that `where` names and then fetched by their place: a scan of all columns of a wide
    table takes five times as long.
    """
    con.execute(f"create or replace temp table {_PLACES} as select rowid as place from {table} where {where}")
    con.execute(
        f"create or replace temp table {part} as"
        f" select picked.* from {_PLACES} join {table} as picked on picked.rowid = {_PLACES}.place"
    )
    return int(con.execute(f"select count(*) from {_PLACES}").fetchall()[0][0])


def build_part(
    con: duckdb.DuckDBPyConnection, name: str, part: str, instead: Mapping[str, str], parameters: dict[str, Any]
) -> int:
    """What a model gives over `instead`, as the temporary table `part`; gives its rows."""
    model = models_by_name()[name]
    con.execute(f"drop table if exists temp.{part}")
    return build_model(con, replace(model, name=part, kind="temp table", sql=_reading(model, instead)), parameters)


def _reading(model: Model, instead: Mapping[str, str]) -> str:
    """The model's SELECT over other tables, each under the name that the SELECT knows it by."""
    sql = model.sql
    for table, other in instead.items():
        name = table.partition(".")[2]

        def named(found: re.Match[str], other: str = other, name: str = name) -> str:
            return f"{other} as" if found[1] else f"{other} as {name}"

        sql = re.sub(rf"(?<![\w.]){re.escape(table)}\b(\s+as\b)?", named, sql)
    return sql
