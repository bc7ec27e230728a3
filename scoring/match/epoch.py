"""What depends on the whole directory, counted once and then left as it is for a while.

How rare a gram or a character is decides which accounts become candidates. Were that counted anew every day, one
company more could change the match of another; so it is counted for an *epoch*, and everything matched within one is
matched by the same counts, whether all at once or day by day.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from scoring.match.abbreviations import count_characters
from scoring.match.grams import GramCounts, Grams
from scoring.match.hashing import Numbers
from scoring.match.sides import Column

_GRAM, _CHARACTER, _SIZE = "gram", "character", "size"
_SIZES = ("bits", "names", "accounts", "code_points")


@dataclass(frozen=True)
class Epoch:
    """Counts over the directory as it was: grams of its names, characters of its whole names, accounts."""

    grams: GramCounts
    characters: Numbers
    accounts: int

    @classmethod
    def of(cls, grams: Grams, bits: int, keys: Column) -> "Epoch":
        """The counts of this directory."""
        return cls(grams.counts(bits), count_characters(keys), len(keys))

    def rows(self) -> pa.Table:
        """One row per count that is not 0: kind, number, count."""
        sizes = np.array([self.grams.bits, self.grams.names, self.accounts, len(self.characters)], np.int64)
        found = [(_SIZE, np.arange(len(sizes)), sizes)]
        for kind, counts in ((_GRAM, self.grams.frequency), (_CHARACTER, self.characters)):
            numbers = np.flatnonzero(counts)
            found.append((kind, numbers, counts[numbers].astype(np.int64)))
        kinds = pa.concat_arrays([pa.repeat(pa.scalar(kind, pa.string()), len(numbers)) for kind, numbers, _ in found])
        return pa.table(
            {
                "kind": kinds,
                "number": np.concatenate([numbers for _, numbers, _ in found]).astype(np.int64),
                "count": np.concatenate([counts for _, _, counts in found]),
            }
        )

    @classmethod
    def from_rows(cls, rows: pa.Table) -> "Epoch":
        """The inverse of `rows`."""
        kinds, numbers, counts = (np.asarray(rows[name].to_numpy()) for name in ("kind", "number", "count"))
        size = dict(zip(numbers[kinds == _SIZE].tolist(), counts[kinds == _SIZE].tolist(), strict=True))
        bits, names, accounts, code_points = (size[place] for place in range(len(_SIZES)))
        frequency, characters = np.zeros(1 << bits, np.int32), np.zeros(code_points, np.int64)
        frequency[numbers[kinds == _GRAM]] = counts[kinds == _GRAM]
        characters[numbers[kinds == _CHARACTER]] = counts[kinds == _CHARACTER]
        return cls(GramCounts(bits, names, frequency), characters, accounts)
