"""Many texts in one buffer of code points, so that whole columns are read by array operations, not text by text."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Codes = Any  # a NumPy array of code points
Positions = Any  # a NumPy array of places in the buffer
Flags = Any  # a NumPy array of booleans

_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = 0x80, 0x800, 0x10000  # first code point that needs so many bytes in UTF-8


@dataclass(frozen=True)
class Texts:
    """Text i is codes[bounds[i] : bounds[i + 1]]."""

    codes: Codes
    bounds: Positions

    @classmethod
    def of(cls, column: pa.Array) -> "Texts":
        """The texts of an Arrow column; a null is an empty text."""
        filled = pc.fill_null(column, "")
        bounds = np.zeros(len(filled) + 1, np.int64)
        np.cumsum(pc.utf8_length(filled).to_numpy(zero_copy_only=False), out=bounds[1:])
        _, offset_buffer, data = filled.buffers()
        offsets = np.frombuffer(offset_buffer, np.int32)[filled.offset : filled.offset + len(filled) + 1]
        text = memoryview(data or b"")[offsets[0] : offsets[-1]].tobytes().decode()
        return cls(np.frombuffer(text.encode("utf-32-le"), np.uint32), bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def starts(self) -> Positions:
        return self.bounds[:-1]

    @property
    def ends(self) -> Positions:
        return self.bounds[1:]

    @property
    def lengths(self) -> Positions:
        return np.diff(self.bounds)

    def rows_of(self, positions: Positions) -> Positions:
        """The text in which each code point stands."""
        return np.searchsorted(self.bounds, positions, side="right") - 1

    def without(self, positions: Positions) -> "Texts":
        """The texts without these code points, which are given in order."""
        if not len(positions):
            return self
        stays = np.ones(len(self.codes), bool)
        stays[positions] = False
        return Texts(self.codes[stays], self.bounds - np.searchsorted(positions, self.bounds))

    def slices(self, starts: Positions, ends: Positions) -> "Texts":
        """Pieces of the buffer as texts of their own."""
        return Texts(self.codes[positions(starts, ends)], np.concatenate(([0], np.cumsum(ends - starts))))

    def counts(self, flags: Flags) -> Positions:
        """How many flagged code points each text has; quick where they are few."""
        return np.diff(self._before(flags))

    def column(self) -> pa.Array:
        """The texts as an Arrow column."""
        data = self.codes.tobytes().decode("utf-32-le").encode()
        shorter = self._before(self.codes < _THREE_BYTES) + self._before(self.codes < _TWO_BYTES)
        offsets = 3 * self.bounds - shorter + self._before(self.codes >= _FOUR_BYTES)
        return pa.StringArray.from_buffers(len(self), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data))

    def _before(self, flags: Flags) -> Positions:
        """How many flagged code points stand before each text."""
        return np.searchsorted(np.flatnonzero(flags), self.bounds)


def positions(starts: Positions, ends: Positions) -> Positions:
    """All positions from each start up to its end."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    found = np.repeat(starts - before, lengths)
    found += np.arange(len(found))
    return found


def is_one_of(codes: Codes, characters: str) -> Flags:
    """True for code points that are one of a few characters."""
    wanted = np.array([ord(char) for char in characters], codes.dtype)
    flags: Flags = np.isin(codes, wanted)
    return flags
