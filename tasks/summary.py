"""What a run came to, read from the published file: for the end of a command, Prefect's artifacts and the report."""

from typing import Any

import duckdb

Rows = list[dict[str, Any]]


def rows_of(con: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> Rows:
    """A SELECT's rows as dictionaries."""
    return list(con.sql(sql, params=parameters or None).to_arrow_table().to_pylist())


def files_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """One row per landed file and entity: what came in, what was refused."""
    return rows_of(
        con,
        """
        select entity, file_name, rows_in, rows_loaded, rows_quarantined, rows_skipped, status
        from ops.files order by entity, file_name
        """,
    )


def refused_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """One row per entity, column and rule that refused something."""
    return rows_of(
        con,
        """
        select entity, column_name, rule, count(*) as rows, any_value(message) as example
        from quality.quarantine group by all order by rows desc, entity, rule
        """,
    )


def refused_files(con: duckdb.DuckDBPyConnection) -> Rows:
    """One row per file that was refused whole and has not come again in order: its name and why."""
    return rows_of(
        con,
        """
        select distinct file_name, message
        from ops.files as refused
        where status = 'refused' and not exists (
            from ops.files as loaded
            where loaded.file_name = refused.file_name and status = 'loaded' and loaded.landed_on >= refused.landed_on
        )
        order by all
        """,
    )


def refused_by_published_run(con: duckdb.DuckDBPyConnection) -> int:
    """How many rows, and files as a whole, were refused of what the published run itself landed."""
    rows = rows_of(
        con,
        """
        select (select count(*) from quality.quarantine join marts.published using (run_id))
             + (select count(*) from ops.files join marts.published using (run_id) where status = 'refused') as refused
        """,
    )
    return int(rows[0]["refused"])


def quality_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """One row per expectation asked at the doors."""
    return rows_of(
        con,
        """
        select door, expectation, expected, success, observed
        from quality.expectations order by door, success, expectation
        """,
    )


def has_payments(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether any payment is known; without one the ROI on cash is -100 % for every campaign."""
    return bool(rows_of(con, "select exists (from core.payments) as found")[0]["found"])


def best_campaigns(con: duckdb.DuckDBPyConnection, model: str, basis: str, limit: int = 5) -> Rows:
    """The campaigns with the highest ROI by one model and basis, costs and revenue beside it."""
    return rows_of(
        con,
        """
        select r.campaign_id, c.name, c.channel, r.cost, r.attributed_amount, r.roi
        from marts.campaign_roi as r
        join core.campaigns as c using (campaign_id)
        where r.model = $model and r.basis = $basis and r.roi is not null
        order by r.roi desc, r.campaign_id
        limit $limit
        """,
        model=model,
        basis=basis,
        limit=limit,
    )
