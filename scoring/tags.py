"""Tags of accounts by rule: fields, keywords, groups of which an account bears one."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.conditions import Mask, columns_asked, evidence, has_words, holds, matched_word
from scoring.policies.conditions import Condition
from scoring.policies.tags import TagRule, TagsPolicy

_COLUMNS = ("account_id", "tag_id", "tag_group", "rule_id", "evidence")
TAGS = pa.schema([(name, pa.string()) for name in _COLUMNS])


def tag_columns(policy: TagsPolicy) -> list[str]:
    """The columns of resolved.accounts that the tag rules read."""
    conditions = [condition for rule in policy.rules for condition in rule.when]
    over = [Condition(field=field, missing=True) for rule in policy.rules if rule.keywords for field in rule.over]
    return columns_asked(conditions + over)


def tag_accounts(accounts: pa.Table, policy: TagsPolicy) -> pa.Table:
    """The tags of the accounts: account_id, tag_id, tag_group, rule_id, evidence; one row per account and tag.

    The first rule that gives a tag is its reason; in an exclusive group the first rule that holds is the only one.

    Source: spec 02-directory (segment, tag, grade).
    """
    nothing = np.zeros(accounts.num_rows, dtype=bool)
    taken: dict[str, Mask] = {}
    found = [TAGS.empty_table()]
    for rule in policy.rules:
        shared = f"group {rule.group}" if policy.groups[rule.group].exclusive else f"tag {rule.tag}"
        mask = rule_holds(rule, accounts) & ~taken.get(shared, nothing)
        taken[shared] = taken.get(shared, nothing) | mask
        found.append(_tagged(rule, accounts.filter(pa.array(mask))))
    return pa.concat_tables(found)


def rule_holds(rule: TagRule, accounts: pa.Table) -> Mask:
    """Where all conditions of the rule hold and one of its keywords is found."""
    masks = [holds(condition, accounts, {}) for condition in rule.when]
    if rule.keywords:
        masks.append(np.logical_or.reduce([has_words(accounts, field, rule.keywords) for field in rule.over]))
    return np.asarray(np.logical_and.reduce(masks), dtype=bool)


def _tagged(rule: TagRule, accounts: pa.Table) -> pa.Table:
    """The rows of one rule for the accounts it holds for."""
    shown = [evidence(condition, accounts) for condition in rule.when]
    if rule.keywords:
        words = [(field, matched_word(accounts, field, rule.keywords)) for field in rule.over]
        shown.append(pc.coalesce(*[pc.binary_join_element_wise(field, word, " ") for field, word in words]))
    texts = pc.binary_join_element_wise(*shown, "; ") if shown else pa.nulls(accounts.num_rows, pa.string())
    same = (pa.repeat(pa.scalar(text), accounts.num_rows) for text in (rule.tag, rule.group, rule.id))
    return pa.table([accounts["account_id"], *same, texts], schema=TAGS)
