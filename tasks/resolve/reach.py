"""How far a change of directory rows reaches: the rows whose links, and then whose accounts, may become others.

A row is affected where it changed, or bears a key of a changed row that brings rows together, before or after; the
links of two rows can change only where both are affected. From there the accounts that links tie to affected rows are
reached, before or after. So a part judged alone comes out as it does when everything is judged.
"""

from scoring.policies.directory import DirectoryPolicy
from warehouse.steps import Work

CHANGED, AFFECTED, REACHED = "changed_rows", "affected_rows", "reached_rows"
COMPANIES = "part_companies"

# Those of the touched keys that bring rows together; a code always does.
_BEARERS = """
insert into affected_rows
with joining as (
    select kind, key_hash
    from borne_keys
    group by kind, key_hash
    having kind = 'code'
           or count(*) <= {keys_up_to}
              and not (kind in ('phone', 'email', 'domain', 'address')
                       and greatest(count(distinct named_hash), count(distinct code_hash)) >= {shared_from})
)
select distinct r from borne_keys semi join joining using (kind, key_hash) where r not in (select r from affected_rows)
"""
_TIED = """
insert into reached_rows
select distinct r
from (
    select other_r as r from resolved.links where verdict > 0 and one_r in (select r from reached_rows)
    union all
    select one_r from resolved.links where verdict > 0 and other_r in (select r from reached_rows)
)
where r not in (select r from reached_rows)
"""


def note_changed(work: Work, changed_keys: str, decided_rows: str) -> None:
    """The changed rows, as the temporary table `changed_rows`.

    `changed_keys`: table of the changed rows' ids (column key); `decided_rows`: of the ids of rows that a decision
    named which was made or undone (column row_id).
    """
    work.execute(
        f"create or replace temp table {CHANGED} as"
        f" select hash(key) as r from {changed_keys} union select hash(row_id) from {decided_rows}"
    )
    # A decision holds between all the rows it names.
    work.execute(
        f"insert into {CHANGED} select distinct hash(row_id) from resolved.account_decisions"
        " where decision_id in ("
        f"select decision_id from resolved.account_decisions where hash(row_id) in (select r from {CHANGED}))"
        f" and hash(row_id) not in (select r from {CHANGED})"
    )


def gather(work: Work, rows: str) -> None:
    """Add the rows of `rows` (a table of r) to the temporary table `part_companies`, each once.

    They are found by their ids and then fetched by their place, since a scan of a wide table takes much longer.
    """
    work.execute(f"create temp table if not exists {COMPANIES} as from staging.companies limit 0")
    work.execute(
        "create or replace temp table more_places as select rowid as place from staging.companies"
        f" where hash(row_id) in (select r from {rows}) and row_id not in (select row_id from {COMPANIES})"
    )
    work.execute(
        f"insert into {COMPANIES} select company.* from more_places"
        " join staging.companies as company on company.rowid = place"
    )


def begin(work: Work, policy: DirectoryPolicy, new_keys: str) -> None:
    """What the change reached before it: call this while keys and links are still the old ones.

    `new_keys`: table of the keys that the changed rows will have. A key that one of them gains counts already: with one
    bearer more it may bring nobody together any longer.
    """
    work.execute(
        "create or replace temp table touched_keys as select kind, key_hash from resolved.row_keys"
        f" where r in (select r from {CHANGED}) union select kind, key_hash from {new_keys}"
    )
    work.execute(
        "create or replace temp table borne_keys as"
        " select row_keys.* from resolved.row_keys semi join touched_keys using (kind, key_hash)"
    )
    work.execute(f"create or replace temp table {AFFECTED} as select r from {CHANGED}")
    _note_bearers(work, policy)
    work.execute(f"create or replace temp table {REACHED} as select r from {AFFECTED}")
    _follow_links(work)


def take_keys(work: Work, policy: DirectoryPolicy, new_keys: str) -> None:
    """Bring the keys up to date, and note who bears the touched ones now: call this before the links are made."""
    for table in ("resolved.row_keys", "borne_keys"):
        work.execute(f"delete from {table} where r in (select r from {CHANGED})")
        work.execute(f"insert into {table} by name select * from {new_keys}")
    _note_bearers(work, policy)


def _note_bearers(work: Work, policy: DirectoryPolicy) -> None:
    work.execute(_BEARERS.format(keys_up_to=policy.keys_up_to, shared_from=policy.shared_from))


def finish(work: Work) -> None:
    """All rows of accounts that may become others: call this when the links are up to date."""
    work.execute(f"insert into {REACHED} select r from {AFFECTED} where r not in (select r from {REACHED})")
    _follow_links(work)


def _follow_links(work: Work) -> None:
    count = f"select count(*) from {REACHED}"
    known = -1
    while known != (known := work.execute(count).fetchall()[0][0]):
        work.execute(_TIED)
