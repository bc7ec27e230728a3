"""What other rules do to the directory, told before it is published: merged, split and regraded companies."""

from typing import Any

import duckdb

from warehouse.database import published_path
from warehouse.steps import Work

# Companies are compared by the rows that both runs know, so that what is merely new counts as nothing.
_CHANGES = """
with known as (
    select old.account_id as old_id, new.account_id as new_id
    from before.resolved.account_members as old
    join resolved.account_members as new using (row_id)
),
pair as (select distinct old_id, new_id from known)
select (select count(*) from before.resolved.accounts) as before,
       (select count(*) from resolved.accounts) as after,
       (select coalesce(sum(olds - 1), 0) from (select count(*) as olds from pair group by new_id)) as merged,
       (select coalesce(sum(news - 1), 0) from (select count(*) as news from pair group by old_id)) as split,
       (select count(*)
        from before.resolved.account_fit as old
        join resolved.account_fit as new using (account_id)
        where old.grade is distinct from new.grade) as regraded
"""
FIGURES = ("before", "after", "merged", "split", "regraded")


def rule_changes(work: Work) -> dict[str, int]:
    """The figures of a run under other rules than the published ones; empty under the same, or before any publish.

    Source: spec 11-faults E08.
    """
    path = published_path(work.run.root)
    if not path.is_file():
        return {}
    # A second connection: a file cannot be attached inside the step's transaction and detached after it.
    with work.con.cursor() as reader:
        try:
            reader.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as before (read_only)")
        except duckdb.Error:
            return {}
        try:
            found = reader.execute("select config_hash from before.marts.published").fetchall()[0][0]
            return {} if found == work.run.config_hash else _figures(reader)
        finally:
            reader.execute("detach before")


def _figures(reader: Any) -> dict[str, int]:
    values = reader.execute(_CHANGES).fetchall()[0]
    return {name: int(value) for name, value in zip(FIGURES, values, strict=True)}
