"""Tags of accounts by rule: fields, keywords, groups of which an account bears one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.conditions import Mask, columns_asked, evidence, find_pattern, holds, matched_word, word_patterns
from scoring.policies.conditions import Condition
from scoring.policies.tags import TagRule, TagsPolicy

Ints = npt.NDArray[np.int64]
# Column and whether Latin words are meant → the places of accounts with any keyword there, and their texts.
Worded = dict[tuple[str, bool], tuple[Ints, pa.ChunkedArray]]
_COLUMNS = ("account_id", "tag_id", "tag_group", "rule_id", "evidence")
TAGS = pa.schema([(name, pa.string()) for name in _COLUMNS])


@dataclass(frozen=True)
class Tagged:
    """`rows`: account_id, tag_id, tag_group, rule_id, evidence; one row per account and tag.
    `masks`: tag → which of the accounts, in the order given, bear it."""

    rows: pa.Table
    masks: dict[str, Mask]


def tag_columns(policy: TagsPolicy) -> list[str]:
    """The columns of resolved.accounts that the tag rules read."""
    return sorted({column for rule in policy.rules for column in _columns_of(rule)})


def _columns_of(rule: TagRule) -> list[str]:
    over = [Condition(field=field, missing=True) for field in rule.over if rule.keywords]
    return columns_asked([*rule.when, *over])


def tag_accounts(accounts: pa.Table, policy: TagsPolicy) -> Tagged:
    """The tags of the accounts; each is judged by itself, so any subset of accounts gives the same rows.

    The first rule that gives a tag is its reason; in an exclusive group the first rule that holds is the only one.

    Source: spec 02-directory (segment, tag, grade).
    """
    nothing = np.zeros(accounts.num_rows, dtype=bool)
    worded = _worded(accounts, policy)
    taken: dict[str, Mask] = {}
    given: dict[str, Mask] = {}
    found = [TAGS.empty_table()]
    for rule in policy.rules:
        shared = f"group {rule.group}" if policy.groups[rule.group].exclusive else f"tag {rule.tag}"
        mask = rule_holds(rule, accounts, worded) & ~taken.get(shared, nothing)
        taken[shared] = taken.get(shared, nothing) | mask
        given[rule.tag] = given.get(rule.tag, nothing) | mask
        found.append(_tagged(rule, accounts.select(["account_id", *_columns_of(rule)]).filter(pa.array(mask))))
    return Tagged(pa.concat_tables(found), given)


def _worded(accounts: pa.Table, policy: TagsPolicy) -> Worded:
    """Where any keyword of any rule stands: all that a single rule need look at."""
    found: Worded = {}
    for field in sorted({field for rule in policy.rules if rule.keywords for field in rule.over}):
        words = {word for rule in policy.rules if field in rule.over for word in rule.keywords or ()}
        for key, pattern in word_patterns(field, sorted(words)).items():
            mask = find_pattern(accounts[key[0]], pattern)
            found[key] = np.flatnonzero(mask), accounts[key[0]].filter(pa.array(mask))
    return found


def rule_holds(rule: TagRule, accounts: pa.Table, worded: Worded) -> Mask:
    """Where all conditions of the rule hold and one of its keywords is found."""
    masks = [holds(condition, accounts, {}) for condition in rule.when]
    if rule.keywords:
        has_keyword = np.zeros(accounts.num_rows, dtype=bool)
        for key, pattern in (item for field in rule.over for item in word_patterns(field, rule.keywords).items()):
            places, texts = worded[key]
            has_keyword[places[find_pattern(texts, pattern)]] = True
        masks.append(has_keyword)
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
