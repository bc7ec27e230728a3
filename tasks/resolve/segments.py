"""Accounts get tags, a fit with its log, a grade, and their place on the target list."""

import pyarrow as pa

from abmloop.run import Run, StepCounts
from scoring.fit import fit_columns, grade_accounts, targets_by_rule
from scoring.policies.icp import IcpPolicy
from scoring.policies.tags import TagsPolicy
from scoring.tags import tag_accounts, tag_columns
from tasks.code import code_hash
from tasks.policies import load_policy
from tasks.resolve.decisions import list_decisions
from warehouse.steps import step

_CHUNK_ACCOUNTS = 300_000  # bounds the memory of what is found out about each


def segment(run: Run) -> StepCounts:
    """Tag and grade the accounts that changed, all of them under other rules; list the targets, by rule and by hand."""
    tags_policy, icp = load_policy(run, TagsPolicy), load_policy(run, IcpPolicy)
    with step(run, "segment") as work:
        work.replace("rules.tags", tags_policy.as_table())
        work.replace("rules.icp", icp.as_table())
        code = code_hash("resolved", "scoring/fit.py", "scoring/tags.py", "scoring/conditions.py", "scoring/policies")
        changes = work.changed("resolved.accounts", code + run.config_hash)
        which = "true" if changes.is_all else f"account_id in (select key from {changes.table})"
        columns = ", ".join(judged_columns(tags_policy, icp))
        tags, fit, targets = judge_accounts(
            work.query(f"select {columns} from resolved.accounts where {which}"), tags_policy, icp
        )
        made_by = pa.repeat(pa.scalar(run.config_hash), fit.num_rows)
        work.count(
            account_tags=work.replace("resolved.account_tags", tags, where=which),
            account_fit=work.replace("resolved.account_fit", fit.append_column("config_hash", made_by), where=which),
            rule_targets=work.replace("resolved.rule_targets", targets, where=which),
        )
        work.note_changes("resolved.account_fit", None if changes.is_all else f"select key from {changes.table}")
        work.replace("resolved.list_decisions", list_decisions(work.ledger.read("decisions", run)))
        work.build("resolved.fit_log", "resolved.target_accounts", "resolved.successions")
    return work.counts


def judged_columns(tags_policy: TagsPolicy, icp: IcpPolicy) -> list[str]:
    """The columns of resolved.accounts that accounts are judged by."""
    return sorted({"account_id", *tag_columns(tags_policy), *fit_columns(icp)})


def judge_accounts(accounts: pa.Table, tags_policy: TagsPolicy, icp: IcpPolicy) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The tags of these accounts, their fit, and the targets among them by rule."""
    starts = range(0, max(accounts.num_rows, 1), _CHUNK_ACCOUNTS)
    judged = [_judge(accounts.slice(start, _CHUNK_ACCOUNTS), tags_policy, icp) for start in starts]
    tags, fit, targets = (pa.concat_tables(parts) for parts in zip(*judged, strict=True))
    return tags, fit, targets


def _judge(accounts: pa.Table, tags_policy: TagsPolicy, icp: IcpPolicy) -> tuple[pa.Table, pa.Table, pa.Table]:
    tags = tag_accounts(accounts, tags_policy)
    fit = grade_accounts(accounts, tags.masks, icp)
    return tags.rows, fit, targets_by_rule(accounts, fit["grade"], tags.masks, icp)
