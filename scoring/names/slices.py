"""Heads and tails of many texts at once, cut at characters, on the bytes of the column."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_CONTINUATION = 0x80  # the two top bits of a byte inside a UTF-8 character
_TOP_BITS = 0xC0


def heads(texts: pa.Array, cuts: pa.Array) -> pa.Array:
    """Each text up to its own cut (in characters, within the text)."""
    offsets, data, at = _cut_bytes(texts, cuts)
    return _gathered(data, offsets[:-1], at)


def tails(texts: pa.Array, cuts: pa.Array) -> pa.Array:
    """Each text from its own cut on (in characters, within the text)."""
    offsets, data, at = _cut_bytes(texts, cuts)
    return _gathered(data, at, offsets[1:])


def _cut_bytes(texts: pa.Array, cuts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(offsets, bytes, byte at which each text is cut)."""
    filled = pc.fill_null(texts, "")
    _, offset_buffer, data_buffer = filled.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[filled.offset : filled.offset + len(filled) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer or b"", np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    first_bytes = np.flatnonzero((data & _TOP_BITS) != _CONTINUATION)
    lengths = pc.utf8_length(filled).to_numpy(zero_copy_only=False)
    first_character = np.cumsum(lengths) - lengths
    at = np.append(first_bytes, len(data))[first_character + cuts.to_numpy(zero_copy_only=False)]
    return offsets, data, at


def _gathered(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    steps = np.zeros(len(data) + 1, np.int8)
    filled = ends > starts
    np.add.at(steps, starts[filled], 1)
    np.add.at(steps, ends[filled], -1)
    kept = data[np.cumsum(steps[:-1], dtype=np.int8).astype(bool)]
    offsets = np.concatenate(([0], np.cumsum(ends - starts))).astype(np.int32)
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(kept.tobytes()))
