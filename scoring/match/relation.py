"""What the account taken is to the company that was named: the company itself, or another of its house."""

from typing import Any

import numpy as np

from scoring.match.sides import Column, Side

SAME, BRANCH, PARENT = "same", "branch", "parent"


def relations(given: Side, bare_key: Column, account: Side, pairs: tuple[np.ndarray, np.ndarray]) -> Any:
    """`same`, `branch` or `parent` per pair (row in given, row in account).

    `branch`: the account is a branch of what was named, another branch, or a company of the group named; `parent`: it
    is the head office or the group of what was named. What is not said tells nothing: a name without a legal form is
    the company's own. Source: spec 03-matching (traps).
    """
    one, other = pairs
    branch, account_branch = given.branch[one], account.branch[other]
    is_group, is_account_group = _is_group(given.form[one]), _is_group(account.form[other])
    is_said = (given.form[one] != "") & (account.form[other] != "") & (given.core[one] == account.core[other])
    is_same_name = (bare_key[one] == account.key[other]) | (given.key[one] == account.key[other])
    return np.select(
        [
            is_same_name,
            (account_branch != "") & (branch != account_branch),
            (branch != "") & (account_branch == ""),
            is_said & is_group & ~is_account_group,
            is_said & ~is_group & is_account_group,
        ],
        [SAME, BRANCH, PARENT, BRANCH, PARENT],
        SAME,
    ).astype(object)


def _is_group(forms: Column) -> Any:
    return np.char.startswith(forms.astype(str), "集团")
