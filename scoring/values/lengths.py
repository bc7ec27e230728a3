"""Texts cut to the length another system takes: never within a character as people see it."""

import re
import unicodedata

_SENTENCE_END = re.compile(r"[。！？!?；;\n]|[.](?=\s)")
# A word that was cut through: Latin letters and digits up to the end, with the blank before them.
_LAST_WORD = re.compile(r"\s+[A-Za-z0-9_'-]{1,40}$")
_JOINER = "\u200d"
ELLIPSIS = "…"


def too_long(text: str, characters: int | None, size: int | None) -> bool:
    """Whether a text has more than so many characters (UTF-16 units, as CRMs count) or bytes of UTF-8."""
    return bool(
        (characters is not None and _units(text) > characters) or (size is not None and len(text.encode()) > size)
    )


def surely_fits(characters: int | None, size: int | None) -> int:
    """The length in Python's characters up to which a text keeps both limits, whatever it is of."""
    return min((characters or 1_000_000_000) // 2, (size or 1_000_000_000) // 4)


def cut_text(text: str, characters: int | None, size: int | None) -> str:
    """The text as it is where it fits; else whole graphemes from its start with … behind, so that both limits hold.

    A grapheme keeps its combining marks, its variation selector, its skin tone and what a zero-width joiner ties to it;
    flags keep their two letters. Source: catalogue V29.
    """
    if not too_long(text, characters, size):
        return text
    kept, units, octets = "", _units(ELLIPSIS), len(ELLIPSIS.encode())
    # No character takes less than one of either: what stands behind that many cannot fit.
    most = max(0, min(limit for limit in (characters, size) if limit is not None))
    for grapheme in graphemes(text[:most]):
        units, octets = units + _units(grapheme), octets + len(grapheme.encode())
        if (characters is not None and units > characters) or (size is not None and octets > size):
            break
        kept += grapheme
    whole = kept.rstrip() + ELLIPSIS
    return "" if too_long(whole, characters, size) else whole


def graphemes(text: str) -> list[str]:
    """The characters as people see them, in order."""
    found: list[str] = []
    for char in text:
        if found and (_extends(char) or found[-1].endswith(_JOINER) or _second_flag_letter(found[-1], char)):
            found[-1] += char
        else:
            found.append(char)
    return found


def _extends(char: str) -> bool:
    return char == _JOINER or unicodedata.category(char) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= char <= "\U0001f3ff"


def _second_flag_letter(before: str, char: str) -> bool:
    return len(before) == 1 and all("\U0001f1e6" <= letter <= "\U0001f1ff" for letter in (before, char))


def cut_sentences(text: str, characters: int | None, size: int | None, rest: str) -> str:
    """The text as it is where it fits; else what fits before `rest`, which says where the remainder is to be read.

    It is cut after a line or a sentence where one ends in the second half of what fits, else after a word or, in
    Chinese, a character, with … behind.
    """
    if not too_long(text, characters, size):
        return text
    left = None if characters is None else characters - _units(rest)
    bytes_left = None if size is None else size - len(rest.encode())
    kept = cut_text(text, left, bytes_left).removesuffix(ELLIPSIS)
    ends = [found.end() for found in _SENTENCE_END.finditer(kept) if found.end() * 2 >= len(kept)]
    if ends:
        return kept[: ends[-1]].rstrip() + rest
    words = _LAST_WORD.sub("", kept)
    return (words if len(words) * 2 >= len(kept) else kept).rstrip() + ELLIPSIS + rest


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
