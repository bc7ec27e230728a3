"""Directory rows become accounts: clusters by shared evidence, one golden record each, hierarchy, history."""

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.policies.directory import DirectoryPolicy
from scoring.resolve.hierarchy import make_hierarchy
from tasks.policies import load_policy
from tasks.resolve.decisions import account_decisions
from tasks.resolve.linking import cluster_links, link_rows
from warehouse.steps import Work, step


def resolve(run: Run) -> StepCounts:
    """Make accounts of the directory's rows; rows that nothing tells apart are counted, and stay in staging."""
    policy = load_policy(run, DirectoryPolicy)
    with step(run, "resolve") as work:
        work.replace("rules.directory", pa.table({name: [value] for name, value in policy.as_row().items()}))
        work.replace("resolved.account_decisions", account_decisions(work.ledger.read("decisions", run)))
        _cluster(work, policy)
        _arrange(work)
        work.build("resolved.accounts", "resolved.account_sources", "resolved.account_redirects")
        work.build("resolved.account_history", "resolved.domain_accounts", "resolved.phone_accounts")
        work.build("resolved.company_mentions", "resolved.deal_accounts")
        work.note_changes("resolved.accounts")
        _count(work)
    return work.counts


def _cluster(work: Work, policy: DirectoryPolicy) -> None:
    """Which rows are one company, and the field values of those that are several."""
    work.build("resolved.row_keys", "resolved.judged_rows")
    link_rows(work, policy)
    cluster_links(work)
    work.build("resolved.account_members", "resolved.merged_rows", "resolved.merged_accounts")


def _arrange(work: Work) -> None:
    """Which account belongs to which."""
    work.build("resolved.parent_claims")
    hierarchy = make_hierarchy(work.table("resolved.parent_claims"))
    work.replace("resolved.hierarchy", hierarchy.accounts)
    work.replace("resolved.hierarchy_cuts", hierarchy.cuts)


def _count(work: Work) -> None:
    """Rows in are rows of accounts and rows that nothing tells apart."""
    rows, unnamed, cuts = work.execute(
        "select (select count(*) from staging.companies),"
        " (select count(*) from staging.companies anti join resolved.account_members using (row_id)),"
        " (select count(*) from resolved.account_history where event = 'kept_apart')"
    ).fetchall()[0]
    work.count(rows_in=rows, rows_without_name_or_code=unnamed, rows_kept_apart_for_review=cuts)
