"""Where the records of a delimited text begin and end, proven: RFC 4180 quoting checked byte by byte, columnar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTE, LF, CR, TAB = 34, 10, 13, 9
# A record longer than this is a quote that nobody closed: spec F18 refuses cells above 1 MB.
MAX_RECORD_BYTES = 8_000_000
# From this width on, a quoted cell holding a whole line of that many cells is a quote that nobody closed.
TELLING_WIDTH = 4

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Index:
    """Whole records of a block; offsets and lines count from its begin.

    `starts`, `ends` (without line end), `cells` (their number), `lines` (physical lines before the record), `spans`
    (physical lines it takes), `control` (it holds NUL or the like). `stop` is the offset in the data where the next
    record begins, `stop_lines` the physical lines before it. `fault` names what is wrong with the quotes of that next
    record, None where the block is just finished.
    """

    starts: Positions
    ends: Positions
    cells: Positions
    lines: Positions
    spans: Positions
    control: Mask
    stop: int
    stop_lines: int
    fault: str | None


@dataclass(frozen=True)
class _Marks:
    """Offsets of line ends, of delimiters outside quotes, and of control characters."""

    newlines: Positions
    delimiters: Positions
    control: Positions


def index_block(data: bytes, begin: int, size: int, delimiter: int, width: int) -> Index:
    """The whole records in about `size` bytes from `begin`, the start of a record, up to the first broken quote.

    Needs memory of some ten times `size`.
    """
    end = min(len(data), begin + size)
    block = np.frombuffer(data, dtype=np.uint8, count=end - begin, offset=begin)
    at_end = end == len(data)
    following = np.append(block[1:], np.uint8(0 if at_end else data[end]))
    newline: Mask = (block == LF) | ((block == CR) & (following != LF))
    quotes = np.flatnonzero(block == QUOTE)
    inside = (np.cumsum(block == QUOTE, dtype=np.uint8) & 1).astype(bool) if len(quotes) else None
    broken = _first_broken(block, following, quotes, delimiter, at_end)
    closes = np.flatnonzero(newline if inside is None else newline & ~inside)
    unfinished = at_end and broken is None and len(quotes) % 2 == 1
    if broken is not None:
        closes = closes[closes < broken]
    elif at_end and not unfinished and (len(closes) == 0 or closes[-1] != len(block) - 1):
        closes = np.append(closes, len(block))
    newlines, delimiters = np.flatnonzero(newline), np.flatnonzero(block == delimiter)
    swallowed = _first_swallowing(closes, newlines, delimiters, width) if len(quotes) else None
    closes = closes if swallowed is None else closes[:swallowed]
    stop = int(min(closes[-1] + 1, len(block))) if len(closes) else 0
    stuck = stop == 0 and end - begin >= MAX_RECORD_BYTES
    is_faulty = broken is not None or unfinished or swallowed is not None or stuck
    control = (block < 32) & (block != LF) & (block != CR) & (block != TAB) & (block != delimiter)
    free = delimiters if inside is None else delimiters[~inside[delimiters]]
    return _index(block, closes, _Marks(newlines, free, np.flatnonzero(control)), begin, is_faulty)


def _index(block: Bytes, closes: Positions, marks: "_Marks", begin: int, is_faulty: bool) -> Index:
    newlines, delimiters, control = marks.newlines, marks.delimiters, marks.control
    starts = np.concatenate([np.zeros(min(1, len(closes)), dtype=np.int64), closes[:-1] + 1])
    before = block[np.maximum(closes - 1, 0)]
    is_lf = block[np.minimum(closes, len(block) - 1)] == LF
    ends = np.where((before == CR) & is_lf & (closes > starts) & (closes < len(block)), closes - 1, closes)
    first, last = np.searchsorted(newlines, starts), np.searchsorted(newlines, closes)
    done = int(min(closes[-1] + 1, len(block))) if len(closes) else 0
    return Index(
        starts=starts,
        ends=ends,
        cells=np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1,
        lines=first,
        spans=last - first + 1,
        control=np.searchsorted(control, ends) > np.searchsorted(control, starts),
        stop=begin + done,
        stop_lines=int(np.searchsorted(newlines, done)),
        fault=_fault_of(block[done:], newlines[newlines >= done] - done) if is_faulty else None,
    )


def _first_broken(block: Bytes, following: Bytes, quotes: Positions, delimiter: int, at_end: bool) -> int | None:
    """Offset of the first quote that neither opens a cell, closes one, nor stands doubled inside one."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = block[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | np.isin(before, [delimiter, LF, CR, QUOTE])
    after = following[closing]
    shuts = np.isin(after, [delimiter, LF, CR, QUOTE]) | ((closing == len(block) - 1) & at_end)
    wrong = np.concatenate([opening[~opens], closing[~shuts]])
    return int(wrong.min()) if len(wrong) else None


def _first_swallowing(closes: Positions, newlines: Positions, delimiters: Positions, width: int) -> int | None:
    """The first record with a quoted cell that holds whole lines of the file's own width."""
    if width < TELLING_WIDTH or len(newlines) < 2:
        return None
    starts = np.concatenate([[0], closes[:-1] + 1])
    first, last = np.searchsorted(newlines, starts), np.searchsorted(newlines, closes)
    in_line = np.diff(np.searchsorted(delimiters, newlines))
    whole = np.concatenate([[0], np.cumsum(in_line == width - 1)])
    top = len(whole) - 1
    swallowing = np.flatnonzero(whole[np.clip(last - 1, 0, top)] > whole[np.clip(first, 0, top)])
    return int(swallowing[0]) if len(swallowing) else None


def _fault_of(rest: Bytes, newlines: Positions) -> str:
    """What is wrong with the quotes of the line that `rest` begins with."""
    line = rest[: int(newlines[0])] if len(newlines) else rest[:MAX_RECORD_BYTES]
    text = line.tobytes()
    if b'\\"' in text:
        return "backslash_escape"
    return "unterminated_quote" if text.count(b'"') % 2 else "quote_in_field"
