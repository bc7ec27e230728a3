"""Where the branch of a company begins in its name (…有限公司北京分公司)."""

from functools import lru_cache

import numpy as np

from scoring.names.buffers import Positions, Texts, is_one_of
from scoring.names.text import fold_names
from scoring.names.tries import Trie
from scoring.names.words import load_words

_SHORTEST_HEAD = 2  # characters of a company's name before its form
_LONGEST_BRANCH = 24  # characters before the word for a branch
_FULL_FORMS = ("有限责任公司", "股份有限公司")
_COMPANIES = ("公司", "银行", "集团", "信用社", "厂")
_SURE_BRANCHES = ("分公司", "支公司", "办事处", "代表处", "支行", "分行")


def split_branches(names: Texts) -> Positions:
    """The position at which each name's branch begins: after the first full legal form, after a word for a company
    where the name ends in a word for a branch, or at a sure word for a branch; the name's end where it has none.
    """
    at = _after(names, (*_FULL_FORMS, *load_words().forms_before_branch), names.ends)
    is_open = at == names.ends
    branch = _suffixes().longest(names.codes, names.starts + _SHORTEST_HEAD, np.where(is_open, names.ends, 0))
    last = np.where(branch.length > 0, names.ends - branch.length, 0)
    company = _after(names, _COMPANIES, last, names.ends - branch.length - _LONGEST_BRANCH)
    at = np.where(is_open, company, at)
    sure = _sure().longest(names.codes, names.starts + _SHORTEST_HEAD, np.where(at == names.ends, names.ends, 0))
    return np.where(sure.length > 0, names.ends - sure.length, at)


def _after(names: Texts, words: tuple[str, ...], last: Positions, first: Positions | None = None) -> Positions:
    """The end of the first of the words in each name, before its end and from `first` to `last`; else its end."""
    folded = fold_names(list(words))
    is_last_character = is_one_of(names.codes, "".join(word[-1] for word in folded))
    filled = names.ends > names.starts
    is_last_character[names.ends[filled] - 1] = False
    behind = np.flatnonzero(is_last_character) + 1
    rows = names.rows_of(behind - 1)
    fits = (behind <= last[rows]) & (behind >= (names.starts if first is None else first)[rows])
    behind, rows = behind[fits], rows[fits]
    found = Trie.backward(dict.fromkeys(folded, 0)).longest(names.codes, names.starts[rows] + _SHORTEST_HEAD, behind)
    behind, rows = behind[found.length > 0], rows[found.length > 0]
    rows, earliest = np.unique(rows, return_index=True)
    ends = names.ends.copy()
    ends[rows] = behind[earliest]
    return ends


@lru_cache(maxsize=1)
def _suffixes() -> Trie:
    return Trie.backward(dict.fromkeys(fold_names(list(load_words().branch_suffixes)), 0))


@lru_cache(maxsize=1)
def _sure() -> Trie:
    return Trie.backward(dict.fromkeys(fold_names(list(_SURE_BRANCHES)), 0))
