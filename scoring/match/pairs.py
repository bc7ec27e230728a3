"""Pairs to be judged: contact profiles joined to accounts by exact keys and by rare grams."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.grams import GramRule, find_candidates
from scoring.match.sides import Column, Side

_STEM_TWINS = 30  # a stem that more accounts share says nothing by itself; its grams still bring the nearest ones
_CORE_TWINS = 8


@dataclass(frozen=True)
class KeyTable:
    """Exact keys of accounts that are asked for: key → row of the account; `share` counts the accounts that hold it."""

    keys: Column
    rows: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, keys: Column, rows: np.ndarray, *asked: Column) -> "KeyTable":
        """The table of distinct (key, row) pairs, of the keys asked for only; empty ones are never."""
        wanted = set().union(*(set(column) for column in asked)) - {""}
        kept = np.fromiter((key in wanted for key in keys), bool, len(keys))
        table = pa.table({"key": pa.array(keys[kept], pa.string()), "row": pa.array(rows[kept], pa.int64())})
        table = table.group_by(["key", "row"]).aggregate([])
        share = table.join(table.group_by("key").aggregate([("row", "count")]), "key")
        share = share.sort_by([("key", "ascending"), ("row", "ascending")])
        return cls(_objects(share["key"]), share["row"].to_numpy(), share["row_count"].to_numpy())

    def join(self, given: Column, most_shared: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(row of given, row of account) of equal keys, held by at most `most_shared` accounts."""
        keep = np.ones(len(self.keys), bool) if most_shared is None else self.share <= most_shared
        left = pa.table({"key": pa.array(given, pa.string()), "given": np.arange(len(given))})
        left = left.filter(pc.not_equal(left["key"], ""))
        right = pa.table({"key": pa.array(self.keys[keep], pa.string()), "row": self.rows[keep]})
        joined = left.join(right, "key", join_type="inner")
        return joined["given"].to_numpy(), joined["row"].to_numpy()


@dataclass(frozen=True)
class Directory:
    """The accounts' side; `aliases` and `domains` as (key, row) columns, since an account has several."""

    side: Side
    aliases: tuple[Column, np.ndarray]
    domains: tuple[Column, np.ndarray]


@dataclass(frozen=True)
class Pairs:
    """Rows of the given side (`given`) and of the directory (`account`), each pair once, in their order.

    `via_*` say which exact keys the two share; `cosine` is that of their grams, 0 where they met by a key alone.
    """

    given: np.ndarray
    account: np.ndarray
    via: dict[str, np.ndarray]
    cosine: np.ndarray

    def __len__(self) -> int:
        return len(self.given)


def collect_pairs(given: Side, bare_key: Column, directory: Directory, rule: GramRule, most_shared: int) -> Pairs:
    """All pairs worth judging. Domains and phones held by more than `most_shared` accounts bring none."""
    accounts = directory.side
    rows = np.arange(len(accounts))
    names = KeyTable.of(accounts.key, rows, given.key, bare_key)
    aliases = KeyTable.of(*directory.aliases, given.key, bare_key)
    stems = KeyTable.of(accounts.stem, rows, given.stem)
    cores = KeyTable.of(accounts.core, rows, given.stem, given.core)
    met = {
        "code": KeyTable.of(accounts.code, rows, given.code).join(given.code),
        "crm_id": KeyTable.of(accounts.crm_id, rows, given.crm_id).join(given.crm_id),
        "name": _both(names.join(given.key), names.join(bare_key)),
        "alias": _both(aliases.join(given.key), aliases.join(bare_key)),
        "domain": KeyTable.of(*directory.domains, given.domain).join(given.domain, most_shared),
        "phone": KeyTable.of(accounts.phone, rows, given.phone).join(given.phone, most_shared),
        "stem": _both(stems.join(given.stem, _STEM_TWINS), cores.join(given.stem, _CORE_TWINS)),
        "core": cores.join(given.core, _CORE_TWINS),
    }
    undecided = _distinct_stems(given)
    grams = find_candidates(undecided.stems, accounts.stem, rule)
    return _union(met, undecided.spread(grams), len(accounts))


@dataclass(frozen=True)
class _DistinctStems:
    """The stems to look up once each, and the rows that hold them."""

    stems: Column
    order: np.ndarray
    starts: np.ndarray

    def spread(self, found: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Candidates of stems as candidates of the rows that hold them."""
        stem, account, cosine = found
        holders = self.starts[stem + 1] - self.starts[stem]
        again = np.repeat(np.arange(len(stem)), holders)
        within = np.arange(len(again)) - np.repeat(np.cumsum(holders) - holders, holders)
        return self.order[self.starts[stem][again] + within], account[again], cosine[again]


def _distinct_stems(given: Side) -> _DistinctStems:
    rows = np.flatnonzero(given.stem != "")
    which, stems = pd.factorize(given.stem[rows], sort=True)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(stems) + 1))
    return _DistinctStems(np.asarray(stems, object), rows[order], starts)


def _both(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _union(
    met: dict[str, tuple[np.ndarray, np.ndarray]], grams: tuple[np.ndarray, np.ndarray, np.ndarray], accounts: int
) -> Pairs:
    """Each pair once, with the keys it met by."""
    codes = {name: rows * accounts + account for name, (rows, account) in met.items()}
    gram_codes = grams[0] * accounts + grams[1]
    every = np.unique(np.concatenate([gram_codes, *codes.values()])).astype(np.int64)
    cosine = np.zeros(len(every))
    cosine[np.searchsorted(every, gram_codes)] = grams[2]
    via = {name: np.isin(every, found) for name, found in codes.items()}
    return Pairs(every // max(accounts, 1), every % max(accounts, 1), via, cosine)


def _objects(column: pa.ChunkedArray) -> Column:
    return np.asarray(column.to_numpy(), object)
