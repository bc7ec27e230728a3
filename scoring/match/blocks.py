"""Contacts with their pairs in blocks that are judged apart: what is said of a contact hangs on its own pairs alone."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.match.model import MatchModel
from scoring.match.pairs import Pairs
from scoring.match.rarity import Rarity
from scoring.match.sides import Column, Side
from scoring.policies.match import MatchPolicy

_MOST_PAIRS = 100_000


@dataclass(frozen=True)
class Block:
    """Some contacts, their pairs, and of the directory no more than these need; rows are those of the block's sides.

    `rarity`: that of the whole directory; None counts it in the accounts of the block. `model`: None is the one that
    ships.
    """

    pairs: Pairs
    given: Side
    bare_key: Column
    accounts: Side
    ties: dict[str, np.ndarray]
    policy: MatchPolicy
    rarity: Rarity | None
    model: MatchModel | None


def in_blocks(whole: Block, workers: int) -> list[Block]:
    """The block in parts with about as many pairs each, at least one a worker; contacts stay in their order.

    What is measured of all pairs at once takes two kilobytes a pair, so that parts have no more than `_MOST_PAIRS`.
    """
    count = workers * -(-len(whole.pairs) // (workers * _MOST_PAIRS))
    if count <= 1 or len(whole.given) < count:
        return [whole]
    rarity = whole.rarity or Rarity.of(whole.accounts)
    cuts = whole.pairs.given[np.arange(1, count) * len(whole.pairs) // count]
    bounds = [0, *cuts.tolist(), len(whole.given)]
    return [_part(whole, rarity, first, last) for first, last in pairwise(bounds)]


def _part(whole: Block, rarity: Rarity, first: int, last: int) -> Block:
    """The contacts from `first` up to `last`."""
    start, end = np.searchsorted(whole.pairs.given, [first, last])
    pairs = whole.pairs.taken(np.arange(start, end))
    rows, account = np.unique(pairs.account, return_inverse=True)
    given, accounts = _taken(whole.given, np.arange(first, last)), _taken(whole.accounts, rows)
    return Block(
        Pairs(pairs.given - first, account.astype(np.int64), pairs.via, pairs.cosine),
        given,
        whole.bare_key[first:last],
        accounts,
        {name: column[rows] for name, column in whole.ties.items()},
        whole.policy,
        rarity.of_names([given.core, accounts.core], [given.stem, accounts.stem]),
        whole.model,
    )


def _taken(side: Side, rows: np.ndarray) -> Side:
    return Side(**{name: column[rows] for name, column in side.__dict__.items()})
