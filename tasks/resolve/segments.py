"""Accounts get tags, a fit with its log, a grade, and their place on the target list."""

from collections.abc import Mapping

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.conditions import Mask
from scoring.fit import fit_columns, grade_accounts, targets_by_rule
from scoring.policies.icp import IcpPolicy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tasks.code import code_hash
from tasks.policies import load_policy
from tasks.resolve.decisions import list_decisions
from warehouse.steps import Work, step


def segment(run: Run) -> StepCounts:
    """Tag and grade the accounts that changed, all of them under other rules; list the targets, by rule and by hand."""
    tags_policy, icp = load_policy(run, TagsPolicy), load_policy(run, IcpPolicy)
    with step(run, "segment") as work:
        work.replace("rules.tags", tags_policy.as_table())
        work.replace("rules.icp", icp.as_table())
        code = code_hash("resolved", "scoring/fit.py", "scoring/tags.py", "scoring/conditions.py", "scoring/policies")
        changes = work.changed("resolved.accounts", code + run.config_hash)
        which = "true" if changes.is_all else f"account_id in (select key from {changes.table})"
        columns = sorted({"account_id", *tag_columns(tags_policy), *fit_columns(icp)})
        accounts = work.query(f"select {', '.join(columns)} from resolved.accounts where {which}")
        tags = tag_accounts(accounts, tags_policy)
        work.count(account_tags=work.replace("resolved.account_tags", tags.rows, where=which))
        _grade(work, accounts, tags.masks, icp, which)
        work.note_changes("resolved.account_fit", None if changes.is_all else f"select key from {changes.table}")
        work.replace("resolved.list_decisions", list_decisions(work.ledger.read("decisions", run)))
        work.build("resolved.fit_log", "resolved.target_accounts", "resolved.successions")
    return work.counts


def _grade(work: Work, accounts: pa.Table, tags: Mapping[str, Mask], icp: IcpPolicy, which: str) -> None:
    fit = grade_accounts(accounts, tags, icp)
    made_by = pa.repeat(pa.scalar(work.run.config_hash), accounts.num_rows)
    fitted = fit.append_column("config_hash", made_by)
    work.count(account_fit=work.replace("resolved.account_fit", fitted, where=which))
    targets = targets_by_rule(accounts, fit["grade"], tags, icp)
    work.count(rule_targets=work.replace("resolved.rule_targets", targets, where=which))
