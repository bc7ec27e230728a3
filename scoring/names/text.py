"""Text of many names at once: cleaned for display, folded for comparison, by code-point tables over one buffer."""

import unicodedata
from functools import lru_cache

import numpy as np
import opencc
import pyarrow as pa

_CODE_POINTS = 0x110000
_BMP = 0x10000
_DELETE = 0
_NEWLINE, _SPACE, _DOT, _OPEN, _CLOSE = 10, 32, ord("."), ord("("), ord(")")
_OPENERS, _CLOSERS = "([{<【〔〈《「『〖", ")]}>】〕〉》」』〗"
_NOT_DECOMPOSED = {"ø": "o", "ß": "s", "ł": "l", "æ": "a", "œ": "o", "đ": "d", "ı": "i", "ð": "d"}


def clean_names(values: list[str | None]) -> list[str]:
    """Names for display: NFKC, no control or zero-width characters, runs of space folded; "" for null.

    The script stays as it is (traditional characters are kept).
    """
    lines = [(value or "").replace("\n", " ") for value in values]
    codes = _to_codes("\n".join(lines))
    table, is_odd = _display_table()
    odd = np.flatnonzero(is_odd[codes])
    if len(odd):
        for line in np.unique(np.cumsum(codes == _NEWLINE)[odd]).tolist():
            lines[line] = unicodedata.normalize("NFKC", lines[line]).replace("\n", " ")
        codes = _to_codes("\n".join(lines))
    codes = table[codes]
    return _to_text(_fold_spaces(codes[codes != _DELETE])).split("\n")


def fold_names(names: list[str]) -> list[str]:
    """Names for comparison: lower case, no accents, simplified characters, punctuation as a space.

    Brackets of every kind become ( and ), & stays; a dot inside an abbreviation (S.A.) goes, between words it is a
    space.
    """
    codes = _comparison_table()[_to_codes("\n".join(names))]
    before, after = np.roll(codes, 1), np.roll(codes, -1)
    between_words = _is_letter(after) & _is_letter(before) & _is_letter(np.roll(codes, 2))
    codes = np.where(codes == _DOT, np.where(between_words, _SPACE, _DELETE), codes)
    return _to_text(_fold_spaces(codes[codes != _DELETE])).split("\n")


def fold_column(names: pa.Array) -> pa.Array:
    """The same for an Arrow column; null stays null."""
    folded = pa.array(fold_names([name or "" for name in names.to_pylist()]), pa.string())
    return pa.array(folded.to_pylist(), mask=names.is_null().to_numpy(zero_copy_only=False), type=pa.string())


def _is_letter(codes: np.ndarray) -> np.ndarray:
    return np.logical_and(codes >= ord("a"), codes <= ord("z"))


def _to_codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _to_text(codes: np.ndarray) -> str:
    return codes.astype(np.uint32).tobytes().decode("utf-32-le", "replace")


def _fold_spaces(codes: np.ndarray) -> np.ndarray:
    """One space between words, none at either end of a line."""
    is_space = codes == _SPACE
    before = np.r_[np.uint32(_NEWLINE), codes[:-1]]
    codes = codes[~(is_space & ((before == _SPACE) | (before == _NEWLINE)))]
    after = np.r_[codes[1:], np.uint32(_NEWLINE)]
    ends_line = (codes == _SPACE) & (after == _NEWLINE)
    return np.compress(~ends_line, codes)


@lru_cache(maxsize=1)
def _display_table() -> tuple[np.ndarray, np.ndarray]:
    """(code point to code point, code points that only a full normalisation of their text gets right)."""
    table, is_odd = np.arange(_CODE_POINTS, dtype=np.uint32), np.zeros(_CODE_POINTS, bool)
    for code in range(_BMP):
        char = chr(code)
        category = unicodedata.category(char)
        normal = unicodedata.normalize("NFKC", char)
        if category in ("Zs", "Zl", "Zp") or code in (9, 11, 12, 13, 0x85):
            table[code] = _SPACE
        elif category in ("Cc", "Cf", "Cs"):
            table[code] = _DELETE
        elif category == "Mn" or len(normal) != 1:
            is_odd[code] = True
        else:
            table[code] = ord(normal)
    table[_NEWLINE] = _NEWLINE
    table[0xE0000:0xE1000] = _DELETE  # tags and variation selectors
    is_odd[_BMP:0xE0000] = True
    return table, is_odd


@lru_cache(maxsize=1)
def _comparison_table() -> np.ndarray:
    table = np.arange(_CODE_POINTS, dtype=np.uint32)
    for code in range(_BMP):
        table[code] = _compared_as(chr(code))
    table[0x1F000:0x1FB00] = _SPACE  # emoji and pictographs
    for first, last in ((0x3400, 0xA000), (0xF900, 0xFB00)):
        han = [chr(code) for code in range(first, last)]
        simple = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
        table[first:last] = [ord(new) if len(new) == 1 else ord(old) for old, new in zip(han, simple, strict=True)]
    table[_NEWLINE] = _NEWLINE
    return table


def _compared_as(char: str) -> int:
    if char in _OPENERS:
        return _OPEN
    if char in _CLOSERS:
        return _CLOSE
    if char in "&.":
        return ord(char)
    if char in "'’`´":
        return _DELETE
    category = unicodedata.category(char)
    if category == "Mn":
        return _DELETE
    if category[0] not in "LN" and category != "Co":
        return _SPACE
    lower = char.lower()[0]
    base = unicodedata.normalize("NFD", lower)[0] if ord(lower) < 0x2000 else lower
    return ord(_NOT_DECOMPOSED.get(base, base))
