"""Letters of other scripts that look like Latin ones (А, Ο), read as those where they stand among Latin letters."""

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.buffers import Codes, Flags, Texts
from scoring.names.text import is_han

# Unicode confusables of single letters, each above its twin. Lower-case forms of capitals that look alike are here too:
# a list that was put into lower case after it was typed has those.
_TWINS = (
    ("АВЕКМНОРСТУХЅІЈҮԌԚԜаеорсухѕіјһԁԛԝѵүквмнт", "ABEKMHOPCTYXSIJYGQWaeopcyxsijhdqwvykbmht"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναικρτυχ", "ABEZHIKMNOPTYXovaikptux"),
    ("ՕՍօհոսցզ", "OUohnugq"),
    ("ɑɡɩ", "agi"),
)
_FOREIGN = (0x370, 0x590)  # Greek, Cyrillic, Armenian
_LATIN = ((0x41, 0x5B), (0x61, 0x7B), (0xC0, 0x250), (0x250, 0x2B0))
_FIRST_BYTES = (0xC9, 0xD6)  # of those scripts and of IPA letters in UTF-8; bytes inside a character are below
_CODE_POINTS = 0x110000


def straight_letters(values: pa.Array) -> pa.Array:
    """Texts with look-alike letters as Latin ones, in words that hold Latin letters and, in texts of Latin or Chinese
    letters and look-alikes only, in other words. Names in Greek, Cyrillic or Armenian stay.
    """
    rows = rows_with_foreign_letters(values)
    if not len(rows):
        return values
    texts = Texts.of(values.take(pa.array(rows)))
    straight = Texts(np.where(_is_read_as_latin(texts), _twins()[texts.codes], texts.codes), texts.bounds)
    is_row = np.zeros(len(values), bool)
    is_row[rows] = True
    return pc.replace_with_mask(values, pa.array(is_row), straight.column())


def rows_with_foreign_letters(values: pa.Array) -> np.ndarray:
    """Texts that hold letters of those scripts, by the bytes: hardly one does, and none of the others is decoded."""
    _, offset_buffer, data = values.buffers()
    if data is None:
        return np.zeros(0, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int32)[values.offset : values.offset + len(values) + 1]
    codes = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    found = np.flatnonzero(codes - np.uint8(_FIRST_BYTES[0]) <= _FIRST_BYTES[1] - _FIRST_BYTES[0])
    return np.unique(np.searchsorted(offsets - offsets[0], found, side="right") - 1)


def _is_read_as_latin(texts: Texts) -> Flags:
    twin = _twins()[texts.codes]
    is_alike = twin != texts.codes
    is_latin = _is_latin(texts.codes)
    is_other = (texts.codes >= _FOREIGN[0]) & (texts.codes < _FOREIGN[1]) & ~is_alike
    word = _words(texts, is_latin | is_alike | is_other)
    in_latin_word = _holds(word, is_latin)
    line = np.repeat(np.arange(len(texts)), texts.lengths)
    in_foreign_text = _holds(line, is_other)
    in_latin_text = _holds(line, (is_latin & ~is_alike) | is_han(texts.codes))
    flags: Flags = is_alike & (in_latin_word | (in_latin_text & ~in_foreign_text))
    return flags


def _words(texts: Texts, is_letter: Flags) -> Codes:
    """The number of the run of letters, or of other characters, in which each code point stands."""
    begins = np.diff(is_letter, prepend=False)
    begins[texts.starts[texts.lengths > 0]] = True
    return np.cumsum(begins)


def _holds(groups: Codes, flags: Flags) -> Flags:
    """For each place whether its group has a flagged one."""
    held: Flags = np.bincount(groups, weights=flags)[groups] > 0
    return held


def _is_latin(codes: Codes) -> Flags:
    flags: Flags = np.logical_or.reduce([(codes >= first) & (codes < last) for first, last in _LATIN])
    return flags


@lru_cache(maxsize=1)
def _twins() -> Codes:
    table = np.arange(_CODE_POINTS, dtype=np.uint32)
    for alike, latin in _TWINS:
        table[[ord(char) for char in alike]] = [ord(char) for char in latin]
    return table
