"""What tagging and grading every account costs, part by part, on a synced workspace.

    python -m benchmarks.segment_bench WORKSPACE

Reads the warehouse of the workspace and writes beside it, in memory; prints CPU seconds, and how many fits are not the
sum of their criteria, beside the control: of the same criteria without their caps.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from abmloop.policy import read_policy
from scoring.fit import fit_columns, grade_accounts, targets_by_rule
from scoring.policies.icp import IcpPolicy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tasks.policies import DEFAULTS
from warehouse.database import warehouse_path

_UNEVEN = "select count(*) from fit where abs(fit_points - coalesce(list_sum(criterion_points), 0)) > 1e-9"
_UNCAPPED = """
select count(*)
from fit
join (
    select account_id, sum(icp.points) as points
    from (select account_id, unnest(criteria) as position from fit)
    join icp using (position)
    group by account_id
) as uncapped using (account_id)
where abs(fit_points - uncapped.points) > 1e-9
"""


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Print the CPU seconds of the block."""
    started = time.process_time()
    yield
    print(f"  {name:<28} {time.process_time() - started:6.2f} CPU-s")


def segment(warehouse: Path) -> None:
    """Tag, grade, list and write the accounts of a warehouse."""
    tags, icp = read_policy(DEFAULTS / TagsPolicy.file_name, TagsPolicy), read_policy(DEFAULTS / "icp.yaml", IcpPolicy)
    columns = sorted({"account_id", *tag_columns(tags), *fit_columns(icp)})
    with duckdb.connect() as con:
        con.execute(f"attach '{warehouse}' as given (read_only)")
        with timed("all of it"):
            with timed("gather"):
                accounts = con.sql(f"select {', '.join(columns)} from given.resolved.accounts").to_arrow_table()
            with timed("tag"):
                tagged = tag_accounts(accounts, tags)
            with timed("grade"):
                fit = grade_accounts(accounts, tagged.masks, icp)
            with timed("list by rule"):
                targets = targets_by_rule(accounts, fit["grade"], tagged.masks, icp)
            with timed("write"):
                for name, rows in (("tags", tagged.rows), ("fit", fit), ("targets", targets)):
                    con.register("incoming", rows)
                    con.execute(f"create table {name} as from incoming")
        con.register("icp", icp.as_table())
        uneven, uncapped = (con.execute(query).fetchall()[0][0] for query in (_UNEVEN, _UNCAPPED))
    print(f"{accounts.num_rows:,} accounts, {tagged.rows.num_rows:,} tags, {targets.num_rows:,} targets by rule")
    print(f"fits that are not the sum of their criteria: {uneven:,}; control without caps: {uncapped:,}")


def main() -> None:
    """Measure on the workspace named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    segment(warehouse_path(parser.parse_args().workspace))


if __name__ == "__main__":
    main()
