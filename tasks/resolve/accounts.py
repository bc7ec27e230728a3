"""Directory rows become accounts: clusters by shared evidence, one golden record each, hierarchy, history."""

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.policies.directory import DirectoryPolicy
from scoring.resolve.hierarchy import make_hierarchy
from tasks.code import code_hash
from tasks.policies import load_policy
from tasks.resolve import reach
from tasks.resolve.decisions import account_decisions
from tasks.resolve.linking import cluster_links, link_among, link_rows
from warehouse.changes import Changes
from warehouse.steps import Work, step

# With more of the directory changed than this share, resolving all of it anew is the shorter way.
_MOST_IN_PART = 0.2
_FORMER_HIERARCHY, _REMADE = "former_hierarchy", "remade_accounts"


def resolve(run: Run) -> StepCounts:
    """Make accounts of the directory's rows; rows that nothing tells apart are counted, and stay in staging.

    Where little changed, only the accounts that the change reaches are made anew; they come out as if all were.
    """
    policy = load_policy(run, DirectoryPolicy)
    with step(run, "resolve") as work:
        work.replace("rules.directory", pa.table({name: [value] for name, value in policy.as_row().items()}))
        decisions = account_decisions(work.ledger.read("decisions", run))
        rules = code_hash("resolved", "scoring/resolve", "scoring/policies", "tasks/resolve") + run.config_hash
        changes = work.changed("staging.companies", rules)
        if _is_small(work, changes):
            _resolve_part(work, policy, changes.table, decisions)
        else:
            work.replace("resolved.account_decisions", decisions)
            _resolve_all(work, policy)
        work.build("resolved.account_redirects", "resolved.account_sources")
        work.build("resolved.account_history", "resolved.domain_accounts", "resolved.phone_accounts")
        work.build("resolved.company_mentions", "resolved.deal_accounts")
        _count(work)
    return work.counts


def _is_small(work: Work, changes: Changes) -> bool:
    rows = work.execute("select count(*) from staging.companies").fetchall()[0][0]
    return not changes.is_all and changes.rows <= rows * _MOST_IN_PART


def _resolve_all(work: Work, policy: DirectoryPolicy) -> None:
    """Every account anew."""
    work.build("resolved.row_keys", "resolved.judged_rows")
    link_rows(work, policy)
    cluster_links(work)
    work.build("resolved.account_members", "resolved.merged_rows", "resolved.merged_accounts")
    _arrange(work)
    work.build("resolved.accounts")
    work.note_changes("resolved.accounts")


def _resolve_part(work: Work, policy: DirectoryPolicy, changed: str, decisions: pa.Table) -> None:
    """The accounts that changed rows, or decisions that were made or undone, reach."""
    _take_decisions(work, decisions)
    reach.note_changed(work, changed, "changed_decisions")
    reach.gather(work, reach.CHANGED)
    work.part("resolved.row_keys", "part_keys", {"staging.companies": reach.COMPANIES})
    reach.begin(work, policy, "part_keys")
    reach.take_keys(work, policy, "part_keys")
    work.build("resolved.judged_rows")
    link_among(work, policy, reach.AFFECTED)
    reach.finish(work)
    cluster_links(work, reach.REACHED)
    _remake_members(work)
    _remake_accounts(work)


def _take_decisions(work: Work, decisions: pa.Table) -> None:
    """resolved.account_decisions as they stand now; `changed_decisions`: row_id of each that is new or was undone."""
    work.execute("create or replace temp table former_decisions as from resolved.account_decisions")
    work.replace("resolved.account_decisions", decisions)
    work.execute(
        "create or replace temp table changed_decisions as select distinct row_id from ("
        " (from resolved.account_decisions anti join former_decisions using (decision_id))"
        " union all (from former_decisions anti join resolved.account_decisions using (decision_id)))"
    )


def _remake_members(work: Work) -> None:
    """resolved.account_members of the reached rows, then the merged records of their accounts, former and present."""
    reached = f"select r from {reach.REACHED}"
    reach.gather(work, reach.REACHED)
    work.execute(
        "create or replace temp table part_links as from resolved.links"
        f" where one_r in ({reached}) and other_r in ({reached})"
    )
    work.execute(f"create or replace temp table part_clusters as from resolved.clusters where r in ({reached})")
    of_reached = f"hash(row_id) in ({reached})"
    former = f"select distinct account_id from resolved.account_members where {of_reached}"
    work.execute(f"create or replace temp table {_REMADE} as {former}")
    work.update(
        "resolved.account_members",
        of_reached,
        {
            "staging.companies": reach.COMPANIES,
            "resolved.links": "part_links",
            "resolved.clusters": "part_clusters",
        },
    )
    work.execute(f"insert into {_REMADE} select account_id from ({former}) anti join {_REMADE} using (account_id)")
    _part_of_members(work)
    is_remade = f"account_id in (select account_id from {_REMADE})"
    part = {"staging.companies": reach.COMPANIES, "resolved.account_members": "part_members"}
    work.update("resolved.merged_rows", is_remade, part)
    work.execute(f"create or replace temp table part_merged_rows as from resolved.merged_rows where {is_remade}")
    work.update("resolved.merged_accounts", is_remade, part | {"resolved.merged_rows": "part_merged_rows"})


def _part_of_members(work: Work) -> None:
    """`part_members`: the rows of the accounts that are made anew, which only grow in number."""
    work.execute("create temp table if not exists part_members as from resolved.account_members limit 0")
    work.execute(
        f"insert into part_members from resolved.account_members semi join {_REMADE} using (account_id)"
        " where account_id not in (select account_id from part_members)"
    )


def _remake_accounts(work: Work) -> None:
    """resolved.accounts of the accounts that were made anew, or that came to stand elsewhere in the hierarchy."""
    work.execute(f"create or replace temp table {_FORMER_HIERARCHY} as from resolved.hierarchy")
    _arrange(work)
    work.execute(
        f"insert into {_REMADE} select account_id from ("
        f"(from resolved.hierarchy except from {_FORMER_HIERARCHY})"
        f" union (from {_FORMER_HIERARCHY} except from resolved.hierarchy)) anti join {_REMADE} using (account_id)"
    )
    _part_of_members(work)
    work.execute("create or replace temp table part_rows as select hash(row_id) as r from part_members")
    reach.gather(work, "part_rows")
    work.execute(
        "create or replace temp table part_merged as"
        f" from resolved.merged_accounts semi join {_REMADE} using (account_id)"
    )
    part = {
        "staging.companies": reach.COMPANIES,
        "resolved.account_members": "part_members",
        "resolved.merged_accounts": "part_merged",
    }
    work.update("resolved.accounts", f"account_id in (select account_id from {_REMADE})", part)
    work.note_changes("resolved.accounts", f"select account_id from {_REMADE}")


def _arrange(work: Work) -> None:
    """Which account belongs to which."""
    work.build("resolved.parent_claims")
    hierarchy = make_hierarchy(work.table("resolved.parent_claims"))
    work.replace("resolved.hierarchy", hierarchy.accounts)
    work.replace("resolved.hierarchy_cuts", hierarchy.cuts)


def _count(work: Work) -> None:
    """Rows in are rows of accounts and rows that nothing tells apart."""
    rows, members, cuts = work.execute(
        "select (select count(*) from staging.companies),"
        " (select count(*) from resolved.account_members),"
        " (select count(*) from resolved.account_history where event = 'kept_apart')"
    ).fetchall()[0]
    work.count(rows_in=rows, rows_without_name_or_code=rows - members, rows_kept_apart_for_review=cuts)
