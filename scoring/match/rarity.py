"""How rare the words of names are in a directory, and which pairs share enough of them to be weighed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.pairs import Pairs
from scoring.match.sides import Column, Side

if TYPE_CHECKING:
    from scipy import sparse

_MOST_PAIRS = 200_000  # pairs multiplied at a time, to bound memory
# Pairs that share less are weighed only where a key brought them together: of the right ones three in a thousand
# are lost, of all half are saved.
_LEAST_SHARED, _MOST_BEHIND = 0.45, 0.7


@dataclass(frozen=True)
class Rarity:
    """What a directory says of its names: the weight of each unit (a Han character, a word of another script), and how
    many accounts bear each proper name and each proper name with trade."""

    units: pa.Array
    weights: np.ndarray
    unknown: float
    cores: pd.Series
    stems: pd.Series

    @classmethod
    def of(cls, accounts: Side) -> "Rarity":
        """The rarities in this directory."""
        units, _ = _units(accounts.stem)
        counted = pc.value_counts(units)
        frequency = counted.field(1).to_numpy()
        weights = np.log1p(len(accounts) / np.maximum(frequency, 1)).astype(np.float32)
        return cls(
            counted.field(0), weights, float(np.log1p(len(accounts))), _counts(accounts.core), _counts(accounts.stem)
        )

    def of_names(self, cores: list[Column], stems: list[Column]) -> "Rarity":
        """The same for these names alone."""
        known = [
            counts[counts.index.isin(np.concatenate(names))]
            for counts, names in ((self.cores, cores), (self.stems, stems))
        ]
        return Rarity(self.units, self.weights, self.unknown, *known)

    def cores_of(self, texts: Column) -> Any:
        """How many accounts bear each of these proper names."""
        return _looked_up(self.cores, texts)

    def stems_of(self, texts: Column) -> Any:
        """How many accounts bear each of these proper names with trade."""
        return _looked_up(self.stems, texts)

    def weighed(self, texts: Column) -> "sparse.csr_matrix":
        """One row per text, one column per unit that the directory knows, the last for all others."""
        units, starts = _units(texts)
        known = pc.index_in(units, self.units)
        columns = pc.fill_null(known, len(self.units)).to_numpy(zero_copy_only=False).astype(np.int32)
        weights = np.append(self.weights, np.float32(self.unknown))
        from scipy import sparse  # here: a run without new people does without SciPy

        matrix = sparse.csr_matrix((weights[columns], columns, starts), shape=(len(texts), len(weights)))
        matrix.sum_duplicates()
        return matrix


@dataclass(frozen=True)
class Shared:
    """Pair by pair: weight of the shared units over that of what is given, and over that of the account's."""

    of_given: np.ndarray
    of_account: np.ndarray

    def taken(self, rows: np.ndarray) -> "Shared":
        """Those rows."""
        return Shared(self.of_given[rows], self.of_account[rows])


def shared_units(pairs: Pairs, given: Side, accounts: Side, rarity: Rarity) -> Shared:
    """How much each pair shares, by rarity."""
    rows, of_account = np.unique(pairs.account, return_inverse=True)
    one, other = rarity.weighed(given.stem), rarity.weighed(accounts.stem[rows])
    shared = _products(one, _presence(other), pairs.given, of_account)
    covered = _products(_presence(one), other, pairs.given, of_account)
    return Shared(
        (shared / np.maximum(_sums(one)[pairs.given], 1e-6)).astype(np.float32),
        (covered / np.maximum(_sums(other)[of_account], 1e-6)).astype(np.float32),
    )


def worth_weighing(pairs: Pairs, shared: Shared) -> np.ndarray:
    """Rows of the pairs that share enough, or that anything but rare pieces brought together."""
    both = shared.of_given + shared.of_account
    starts = np.flatnonzero(np.diff(pairs.given, prepend=-1))
    sizes = np.diff(starts, append=len(pairs))
    best = np.repeat(np.maximum.reduceat(both, starts), sizes) if len(pairs) else both
    met = np.logical_or.reduce([np.zeros(len(pairs), bool), *pairs.via.values()])
    return np.flatnonzero(met | ((both >= _LEAST_SHARED) & (both >= best - _MOST_BEHIND)))


def _counts(texts: Column) -> pd.Series:
    return pd.Series(texts, dtype=object).value_counts()


def _looked_up(counts: pd.Series, texts: Column) -> Any:
    which, distinct = pd.factorize(texts)
    return counts.reindex(distinct).fillna(0).to_numpy(np.float32)[which]


def _presence(matrix: "sparse.csr_matrix") -> "sparse.csr_matrix":
    presence = matrix.copy()
    presence.data[:] = 1
    return presence


def _sums(matrix: "sparse.csr_matrix") -> np.ndarray:
    return np.asarray(matrix.sum(axis=1)).ravel()


def _products(
    one: "sparse.csr_matrix", other: "sparse.csr_matrix", first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Sum of the products of row `first` of one and row `second` of the other."""
    parts = [np.zeros(0, np.float32)]
    for start in range(0, len(first), _MOST_PAIRS):
        here = slice(start, start + _MOST_PAIRS)
        parts.append(np.asarray(one[first[here]].multiply(other[second[here]]).sum(axis=1)).ravel())
    return np.concatenate(parts)


def _units(texts: Column) -> tuple[pa.Array, np.ndarray]:
    """(the units of all texts in order, where each text's begin)."""
    spaced = pc.replace_substring_regex(pa.array(texts, pa.string()), r"(\p{Han})", r" \1 ")
    lists = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(spaced))
    offsets = lists.offsets.to_numpy().astype(np.int64)
    units = lists.values.slice(offsets[0], offsets[-1] - offsets[0])
    is_empty = pc.equal(units, "").to_numpy(zero_copy_only=False)
    if is_empty.any():  # a text without a unit still has an empty one
        before = np.append(0, np.cumsum(is_empty))
        units, starts = units.filter(pa.array(~is_empty)), offsets - offsets[0]
        return units, starts - before[starts]
    return units, offsets - offsets[0]
