"""Text of many names at once: cleaned for display, folded for comparison, by code-point tables over one buffer."""

import unicodedata
from functools import lru_cache

import numpy as np
import opencc
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.buffers import Codes, Flags, Texts, is_one_of

_CODE_POINTS = 0x110000
_BMP = 0x10000
_DELETE = 0
_ODD = 0xFFFFFFFF
_SPACE, _DOT, _OPEN, _CLOSE = 32, ord("."), ord("("), ord(")")
_CLINGING = "():[]《》【】“”"
_OPENERS, _CLOSERS = "([{<【〔〈《「『〖", ")]}>】〕〉》」』〗"
_HAN_RANGES = (  # of the Unicode script property
    (0x2E80, 0x2FD5),
    (0x3005, 0x3005),
    (0x3007, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303B),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAD9),
    (0x20000, 0x323AF),
)
_DRY = ord("乾")  # traditional for 干, but in names (乾元, 乾安县) a character of its own in both scripts
_NOT_DECOMPOSED = {"ø": "o", "ß": "s", "ł": "l", "æ": "a", "œ": "o", "đ": "d", "ı": "i", "ð": "d"}


def clean_texts(values: pa.Array) -> Texts:
    """Names for display: NFKC, no control or zero-width characters, runs of space folded; empty for null.

    The script stays as it is (traditional characters are kept).
    """
    texts = Texts.of(values)
    codes = _display_table()[texts.codes]
    odd = np.flatnonzero(codes == _ODD)
    if len(odd):
        is_row = np.zeros(len(texts), bool)
        is_row[texts.rows_of(odd)] = True
        mask = pa.array(is_row)
        normal = [unicodedata.normalize("NFKC", text) for text in values.filter(mask).to_pylist()]
        texts = Texts.of(pc.replace_with_mask(values, mask, pa.array(normal, pa.string())))
        codes = _display_table()[texts.codes]
        codes = np.where(codes == _ODD, texts.codes, codes)
    return _tidy(Texts(codes, texts.bounds))


def fold_texts(names: Texts) -> Texts:
    """Names for comparison: lower case, no accents, simplified characters, punctuation as a space.

    Brackets of every kind become ( and ), & stays; a dot inside an abbreviation (S.A.) goes, between words it is a
    space.
    """
    codes = _comparison_table()[names.codes]
    dots = np.flatnonzero(codes == _DOT)
    if len(dots):
        rows = names.rows_of(dots)
        inside = (dots - 2 >= names.starts[rows]) & (dots + 1 < names.ends[rows])
        near = dots[inside]
        between_words = _is_letter(codes[near - 2]) & _is_letter(codes[near - 1]) & _is_letter(codes[near + 1])
        codes[dots] = _DELETE
        codes[near[between_words]] = _SPACE
    return _tidy(Texts(codes, names.bounds))


def simplified(names: Texts) -> Texts:
    """Chinese characters in simplified script; all else as it is."""
    return Texts(np.where(is_han(names.codes), _comparison_table()[names.codes], names.codes), names.bounds)


def unspaced_han(names: Texts) -> Texts:
    """Without the spaces that say nothing: between Chinese characters, brackets and colons."""
    spaces = np.flatnonzero(names.codes == _SPACE)
    inside = spaces[(spaces > 0) & (spaces + 1 < len(names.codes))]
    before, behind = names.codes[inside - 1], names.codes[inside + 1]
    one, other = is_han(before), is_han(behind)
    dense = (one | is_one_of(before, _CLINGING)) & (other | is_one_of(behind, _CLINGING)) & (one | other)
    return names.without(inside[dense])


def fold_names(names: list[str]) -> list[str]:
    """The same for a list of names."""
    folded: list[str] = fold_texts(Texts.of(pa.array(names, pa.string()))).column().to_pylist()
    return folded


def _is_letter(codes: np.ndarray) -> np.ndarray:
    return np.logical_and(codes >= ord("a"), codes <= ord("z"))


def _tidy(texts: Texts) -> Texts:
    """Without what is to be deleted; one space between words, none at either end."""
    texts = texts.without(np.flatnonzero(texts.codes == _DELETE))
    spaces = np.flatnonzero(texts.codes == _SPACE)
    leads = (texts.codes[spaces - 1] == _SPACE) | (spaces == texts.starts[texts.rows_of(spaces)])
    texts = texts.without(spaces[leads])
    last = texts.ends[texts.ends > texts.starts] - 1
    return texts.without(last[texts.codes[last] == _SPACE])


@lru_cache(maxsize=1)
def _display_table() -> np.ndarray:
    """Code point to code point; _ODD for those that only a full normalisation of their text gets right."""
    table = np.arange(_CODE_POINTS, dtype=np.uint32)
    for code in range(_BMP):
        char = chr(code)
        category = unicodedata.category(char)
        normal = unicodedata.normalize("NFKC", char)
        if category in ("Zs", "Zl", "Zp") or code in (9, 10, 11, 12, 13, 0x85):
            table[code] = _SPACE
        elif category in ("Cc", "Cf", "Cs"):
            table[code] = _DELETE
        elif category == "Mn" or len(normal) != 1:
            table[code] = _ODD
        else:
            table[code] = ord(normal)
    table[_BMP:0xE0000] = _ODD
    table[0xE0000:0xE1000] = _DELETE  # tags and variation selectors
    return table


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
    table[_DRY] = _DRY
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


def is_han(codes: Codes) -> Flags:
    """True for Chinese characters."""
    return _han_table()[codes]


@lru_cache(maxsize=1)
def _han_table() -> np.ndarray:
    table = np.zeros(_CODE_POINTS, bool)
    for first, last in _HAN_RANGES:
        table[first : last + 1] = True
    return table
