"""Where the branch of a company begins in its name (…有限公司北京分公司)."""

from functools import lru_cache

import numpy as np

from scoring.names.buffers import Flags, Positions, Texts, is_one_of
from scoring.names.text import fold_names
from scoring.names.tries import Trie
from scoring.names.words import load_words

_SHORTEST_HEAD = 2  # characters of a company's name before its form
_LONGEST_BRANCH = 24  # characters before the word for a branch
_COMPANIES = ("公司", "银行", "集团", "信用社", "供销社", "厂")
_SURE_BRANCHES = ("分公司", "支公司", "办事处", "代表处", "支行", "分行")


def split_branches(names: Texts) -> Positions:
    """The position at which each name's branch begins: after the first full legal form, after a word for a company
    where the name ends in a word for a branch, or at a sure word for a branch; the name's end where it has none.
    """
    words, nowhere = load_words(), np.zeros(len(names), np.int64)
    at = _after(names, words.full_forms, names.ends)
    is_full = (at < names.ends) | (_full_forms().longest(names.codes, names.starts, names.ends).length > 0)
    soft = _after(names, words.forms_before_branch, np.where(is_full, nowhere, names.ends))
    partners = _partnerships().longest(names.codes, soft, names.ends)
    at = np.where(is_full, at, soft + partners.length)
    is_open = at == names.ends
    branch = _suffixes().longest(names.codes, names.starts + _SHORTEST_HEAD, np.where(is_open, names.ends, 0))
    last = np.where(branch.length > 0, names.ends - branch.length, 0)
    company = _after(names, _COMPANIES, last, names.ends - branch.length - _LONGEST_BRANCH)
    at = np.where(is_open, company, at)
    sure = _sure().longest(names.codes, names.starts + _SHORTEST_HEAD, np.where(at == names.ends, names.ends, 0))
    return np.where(sure.length > 0, names.ends - sure.length, at)


def are_sure(names: Texts, branch_at: Positions) -> Flags:
    """Branches that say by their last word that they are one."""
    return _sure().longest(names.codes, branch_at, names.ends).length > 0


def _after(names: Texts, words: tuple[str, ...], last: Positions, first: Positions | None = None) -> Positions:
    """The end of the first of the words in each name, before its end and from `first` to `last`; else its end."""
    is_last_character = is_one_of(names.codes, "".join(sorted({word[-1] for word in words})))
    filled = names.ends > names.starts
    is_last_character[names.ends[filled] - 1] = False
    behind = np.flatnonzero(is_last_character) + 1
    rows = names.rows_of(behind - 1)
    fits = (behind <= last[rows]) & (behind >= (names.starts if first is None else first)[rows])
    behind, rows = behind[fits], rows[fits]
    found = _backward(words).longest(names.codes, names.starts[rows] + _SHORTEST_HEAD, behind)
    behind, rows = behind[found.length > 0], rows[found.length > 0]
    rows, earliest = np.unique(rows, return_index=True)
    ends = names.ends.copy()
    ends[rows] = behind[earliest]
    return ends


def _backward(words: tuple[str, ...]) -> Trie:
    return Trie.backward(dict.fromkeys(fold_names(list(words)), 0))


@lru_cache(maxsize=1)
def _full_forms() -> Trie:
    return _backward(load_words().full_forms)


@lru_cache(maxsize=1)
def _partnerships() -> Trie:
    return Trie.forward(dict.fromkeys(fold_names(list(load_words().partnership_words)), 0))


@lru_cache(maxsize=1)
def _suffixes() -> Trie:
    return _backward(load_words().branch_suffixes)


@lru_cache(maxsize=1)
def _sure() -> Trie:
    return _backward(_SURE_BRANCHES)
