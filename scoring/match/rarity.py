"""How rare the words of names are in a directory, and which pairs share enough of them to be weighed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.hashing import Hashes, Numbers, distinct
from scoring.match.pairs import Pairs
from scoring.match.sides import Column, Side
from scoring.names.buffers import Texts
from scoring.names.text import is_han

if TYPE_CHECKING:
    from scipy import sparse

_SPACE = 32
_MOST_PAIRS = 200_000  # pairs multiplied at a time, to bound memory
# Pairs that share less are weighed only where a key brought them together: of the right ones three in a thousand
# are lost, of all half are saved.
_LEAST_SHARED, _MOST_BEHIND = 0.45, 0.7
# So are those that looks or sounds alone brought together, and that share far less than the best.
_WEAK_KEYS = ("core", "core_place", "slip", "slip_place", "sound", "sound_place")
_MOST_BEHIND_OF_WEAK = 0.8
_ODD = float(np.log1p(1000))  # weight of what one name in so many has


@dataclass(frozen=True)
class Rarity:
    """What a directory says of its names: the weight of each unit (a Han character, a word of another script), and how
    many accounts bear each proper name and each proper name with trade."""

    units: pa.Array
    weights: np.ndarray
    unknown: float
    cores: "Bearers"
    stems: "Bearers"

    @classmethod
    def of(cls, accounts: Side) -> "Rarity":
        """The rarities in this directory."""
        units, frequency = _Units.of(accounts.stem).counted()
        weights = np.log1p(len(accounts) / np.maximum(frequency, 1)).astype(np.float32)
        bearers = (Bearers.of(accounts.core), Bearers.of(accounts.stem))
        return cls(units, weights, float(np.log1p(len(accounts))), *bearers)

    def of_names(self, cores: list[Column], stems: list[Column]) -> "Rarity":
        """The same for these names alone."""
        known = [counts.only(names) for counts, names in ((self.cores, cores), (self.stems, stems))]
        places = [self._places_of(_Units.of(texts).numbers) for texts in stems]
        is_here = np.zeros(len(self.units) + 1, bool)
        for some in places:
            is_here[some] = True
        units = np.flatnonzero(is_here[:-1])
        return Rarity(self.units.take(pa.array(units)), self.weights[units], self.unknown, *known)

    def cores_of(self, texts: Column) -> Any:
        """How many accounts bear each of these proper names."""
        return self.cores.counts_of(texts)

    def stems_of(self, texts: Column) -> Any:
        """How many accounts bear each of these proper names with trade."""
        return self.stems.counts_of(texts)

    def weighed(self, texts: Column) -> "sparse.csr_matrix":
        """One row per text, one column per unit that the directory knows, the last for all others."""
        units = _Units.of(texts)
        columns = self._places_of(units.numbers)
        weights = np.append(self.weights, np.float32(self.unknown))
        from scipy import sparse  # here: a run without new people does without SciPy

        matrix = sparse.csr_matrix((weights[columns], columns, units.bounds), shape=(len(texts), len(weights)))
        matrix.sum_duplicates()
        return matrix

    def are_odd(self, codes: Numbers) -> Any:
        """Characters (code points, 0 for none) that hardly a company of the directory has in its name."""
        which, distinct_codes = np.unique(codes, return_inverse=True)[::-1]
        at = pc.index_in(pa.array([chr(int(code)) for code in distinct_codes], pa.string()), self.units)
        weights = np.append(self.weights, np.float32(self.unknown))[pc.fill_null(at, len(self.weights)).to_numpy()]
        return ((weights >= _ODD) & (distinct_codes > 0))[which]

    def _places_of(self, numbers: Numbers) -> np.ndarray:
        """Where in `units` each of these stands; behind the last where it is unknown."""
        known, places = self._numbers
        if not len(known):
            return np.zeros(len(numbers), np.int32)
        found = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
        return np.where(known[found] == numbers, places[found], len(known)).astype(np.int32)

    @cached_property
    def _numbers(self) -> tuple[Numbers, np.ndarray]:
        """(the units as numbers, rising; where in `units` each stands)."""
        numbers = _Units.of_texts(Texts.of(self.units)).numbers
        order = np.argsort(numbers, kind="stable")
        return numbers[order], order


@dataclass(frozen=True)
class Bearers:
    """How many accounts bear a name, by the name's number; numbers rise."""

    numbers: Numbers
    counts: np.ndarray

    @classmethod
    def of(cls, texts: Column) -> "Bearers":
        """The counts of these names."""
        return cls(*np.unique(_numbers_of(texts), return_counts=True))

    def only(self, names: list[Column]) -> "Bearers":
        """The same for these names alone."""
        found, is_known = self._places(np.concatenate([_numbers_of(texts) for texts in names]))
        kept = distinct(found[is_known])
        return Bearers(self.numbers[kept], self.counts[kept])

    def counts_of(self, texts: Column) -> Any:
        """How many bear each of these names, 0 where nobody does."""
        if not len(self.numbers):
            return np.zeros(len(texts), np.float32)
        found, is_known = self._places(_numbers_of(texts))
        return np.where(is_known, self.counts[found], 0).astype(np.float32)

    def _places(self, numbers: Numbers) -> tuple[np.ndarray, np.ndarray]:
        found: Numbers = np.searchsorted(self.numbers, numbers)
        found = np.where(found == len(self.numbers), 0, found)
        return found, self.numbers[found] == numbers if len(self.numbers) else np.zeros(len(numbers), bool)


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
    """Rows of the pairs that share enough, or that anything but rare pieces and likeness brought together."""
    both = shared.of_given + shared.of_account
    starts = np.flatnonzero(np.diff(pairs.given, prepend=-1))
    sizes = np.diff(starts, append=len(pairs))
    best = np.repeat(np.maximum.reduceat(both, starts), sizes) if len(pairs) else both
    weak, met = (
        np.logical_or.reduce([np.zeros(len(pairs), bool), *(flags for name, flags in pairs.via.items() if is_of(name))])
        for is_of in (_WEAK_KEYS.__contains__, lambda name: name not in _WEAK_KEYS)
    )
    near = (both >= _LEAST_SHARED) & (both >= best - _MOST_BEHIND)
    return np.flatnonzero(met | near | (weak & (both >= best - _MOST_BEHIND_OF_WEAK)))


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


def _numbers_of(texts: Column) -> Numbers:
    return Hashes(Texts.of(pa.array(texts, pa.string()))).wholes()


@dataclass(frozen=True)
class _Units:
    """The units of texts as numbers, in their order: text i has numbers[bounds[i] : bounds[i + 1]]."""

    numbers: Numbers
    bounds: np.ndarray
    pieces: tuple[Texts, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, texts: Column) -> "_Units":
        return cls.of_texts(Texts.of(pa.array(texts, pa.string())))

    @classmethod
    def of_texts(cls, texts: Texts) -> "_Units":
        """A Han character is its code point, a word the hash of its letters."""
        han = is_han(texts.codes)
        inside = ~han & (texts.codes != _SPACE)
        first, last = np.ones(len(texts.codes), bool), np.ones(len(texts.codes), bool)
        first[1:], last[:-1] = ~inside[:-1], ~inside[1:]
        filled = texts.lengths > 0
        first[texts.starts[filled]] = last[texts.ends[filled] - 1] = True
        starts, ends = np.flatnonzero(han | (inside & first)), np.flatnonzero(han | (inside & last)) + 1
        numbers = texts.codes[starts].astype(np.uint64)
        words = np.flatnonzero(~han[starts])
        numbers[words] = Hashes(texts).pieces(starts[words], ends[words])
        before = np.zeros(len(texts.codes) + 1, np.int64)
        np.cumsum(han | (inside & first), out=before[1:])
        return cls(numbers, before[texts.bounds], (texts, starts, ends))

    def counted(self) -> tuple[pa.Array, np.ndarray]:
        """(the distinct units as texts, how often each stands there), in an order that hangs on the units alone."""
        texts, starts, ends = self.pieces
        characters = np.bincount(texts.codes[is_han(texts.codes)])
        one = np.flatnonzero(characters)
        words = np.flatnonzero(~is_han(texts.codes[starts]))
        _, where, counts = np.unique(self.numbers[words], return_index=True, return_counts=True)
        alone = Texts(one.astype(np.uint32), np.arange(len(one) + 1))
        several = texts.slices(starts[words[where]], ends[words[where]])
        return pa.concat_arrays([alone.column(), several.column()]), np.concatenate([characters[one], counts])
