"""Accounts get tags, a fit with its log, a grade, and their place on the target list."""

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.fit import fit_columns, grade_accounts, tag_masks, targets_by_rule
from scoring.policies.icp import IcpPolicy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tasks.policies import load_policy
from warehouse.steps import Work, step


def segment(run: Run) -> StepCounts:
    """Tag and grade every account; list the targets, by rule and by hand."""
    tags_policy, icp = load_policy(run, TagsPolicy), load_policy(run, IcpPolicy)
    with step(run, "segment") as work:
        work.replace("rules.tags", tags_policy.as_table())
        work.replace("rules.icp", icp.as_table())
        columns = sorted({"account_id", *tag_columns(tags_policy), *fit_columns(icp)})
        accounts = work.query(f"select {', '.join(columns)} from resolved.accounts order by account_id")
        tags = tag_accounts(accounts, tags_policy)
        work.count(account_tags=work.replace("resolved.account_tags", tags))
        _grade(work, accounts, tags, icp)
        work.build("resolved.target_accounts")
    return work.counts


def _grade(work: Work, accounts: pa.Table, tags: pa.Table, icp: IcpPolicy) -> None:
    masks = tag_masks(accounts["account_id"], tags, icp.conditions)
    fit = grade_accounts(accounts, masks, icp)
    made_by = pa.repeat(pa.scalar(work.run.config_hash), accounts.num_rows)
    work.replace("resolved.account_fit", fit.accounts.append_column("config_hash", made_by))
    work.count(account_fit=accounts.num_rows, fit_log=work.replace("resolved.fit_log", fit.log))
    targets = targets_by_rule(accounts, fit.accounts["grade"], masks, icp)
    work.count(rule_targets=work.replace("resolved.rule_targets", targets))
