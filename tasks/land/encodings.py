"""Bytes to text: by BOM, then strict UTF-8, then GB18030, then the others; never by dropping what does not fit."""

import re
from dataclasses import dataclass, field

from tasks.land.faults import Refused

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SAMPLE_BYTES = 400_000
_HAN = re.compile("[\u4e00-\u9fff]")
_LONE_HIGH_BYTE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_TWO_HAN_IN_UTF_8 = re.compile(rb"[\xe4-\xe9][\x80-\xbf]{2}[^\n]{0,2000}?[\xe4-\xe9][\x80-\xbf]{2}")
_NOT_ASCII_LINE = re.compile(rb"(?m)^[\x00-\x09\x0b-\x7f]*[\x80-\xff][^\n]*")


@dataclass(frozen=True)
class BadLine:
    """A line in another encoding than its file: physical line and byte in it, both from 1."""

    line: int
    byte: int
    raw: str


@dataclass(frozen=True)
class Decoded:
    """A file's text as UTF-8 bytes without BOM. Lines that do not decode are empty in it and listed."""

    data: bytes
    encoding: str
    confidence: float
    bad_lines: list[BadLine] = field(default_factory=list)
    inner_boms: int = 0


def decode(raw: bytes, declared: str | None = None) -> Decoded:
    """The text of a file. Raises Refused where no encoding fits at all."""
    if declared:
        return _finish(_decode_lines(raw, declared, 1.0) if _by_line(declared) else _whole(raw, declared, 1.0))
    for bom, encoding in BOMS:
        if raw.startswith(bom):
            if encoding == "utf-8-sig":
                return _finish(_decode_lines(raw[len(bom) :], "utf-8", 1.0))
            return _finish(_whole(raw, encoding, 1.0))
    wide = _utf_16_without_bom(raw)
    if wide:
        return _finish(_whole(raw, wide, 0.9))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _finish(_not_utf_8(raw))
    if _is_gbk_by_its_letters(raw):
        return _finish(_decode_lines(raw, "gb18030", 0.6))
    return _finish(Decoded(raw, "utf-8", 1.0))


def _is_gbk_by_its_letters(raw: bytes) -> bool:
    """Whether a file that decodes as UTF-8 holds no Han there, but nothing except frequent Han as GB18030.

    Pairs of bytes such as C4 BF are a letter in UTF-8 and 目 in GBK: a small file may hold only such.
    """
    sample = b"\n".join(_NOT_ASCII_LINE.findall(raw[:SAMPLE_BYTES]))
    if not sample or _HAN.search(sample.decode("utf-8", errors="ignore")):
        return False
    return len(_HAN.findall(sample.decode("gb18030", errors="ignore"))) >= 4 and _score(sample, "gb18030") == 1.0


def _by_line(encoding: str) -> bool:
    """Whether a line feed byte is a line feed in that encoding, so that lines can be decoded one by one."""
    return not encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))


def _whole(raw: bytes, encoding: str, confidence: float) -> Decoded:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused("encoding_broken", encoding=encoding, byte=error.start + 1) from error
    return Decoded(text.removeprefix("\ufeff").encode("utf-8"), encoding, confidence)


def _utf_16_without_bom(raw: bytes) -> str | None:
    """UTF-16 told by its NUL bytes, all at even or all at odd places."""
    sample = raw[:4000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) < 4 or max(even, odd) < len(sample) / 8 or min(even, odd) > max(even, odd) / 20:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _not_utf_8(raw: bytes) -> Decoded:
    """A file with at least one line that is no UTF-8: the encoding of most lines; the others are listed."""
    utf_8, lines = _utf_8_lines(raw), len(_NOT_ASCII_LINE.findall(raw))
    if utf_8 > lines / 2:
        return _decode_lines(raw, "utf-8", utf_8 / lines)
    sample = b"\n".join(_NOT_ASCII_LINE.findall(raw[: 4 * SAMPLE_BYTES]) or _NOT_ASCII_LINE.findall(raw))[:SAMPLE_BYTES]
    lone = len(_LONE_HIGH_BYTE.findall(sample)) / max(1, len(_HIGH_BYTE.findall(sample)))
    scores = {encoding: _score(sample, encoding) for encoding in ("gb18030", "big5")}
    if lone > 0.8:
        return _decode_lines(raw, "cp1252", 0.5)
    best = "big5" if scores["big5"] > 0.85 and scores["gb18030"] < 0.7 else "gb18030"
    if scores[best] == 0 and _HAN.search(sample.decode(best, "replace")):
        raise Refused("encoding_unknown")
    return _decode_lines(raw, best, round(max(scores[best], 0.3), 2), refuse_utf_8=utf_8 > 0)


def _utf_8_lines(raw: bytes) -> int:
    """How many lines are UTF-8 beyond chance; only lines with two Han characters' bytes are looked at closely."""
    found, end = 0, -1
    for match in _TWO_HAN_IN_UTF_8.finditer(raw):
        if match.start() < end:
            continue
        begin, end = raw.rfind(b"\n", 0, match.start()) + 1, raw.find(b"\n", match.end())
        end = end if end >= 0 else len(raw)
        found += _is_utf_8_text(raw[begin:end])
    return found


def _is_utf_8_text(line: bytes) -> bool:
    """Whether a line is UTF-8 beyond chance: GBK pairs that decode give other letters, hardly two Han characters."""
    try:
        return len(_HAN.findall(line.decode("utf-8"))) >= 2
    except UnicodeDecodeError:
        return False


def _score(sample: bytes, encoding: str) -> float:
    """Share of frequent characters (level 1 of GB 2312 or of Big5) among the Han characters read in that encoding."""
    text = sample.decode(encoding, errors="replace")
    han = _HAN.findall(text)
    if not han or text.count("\ufffd") > len(text) / 20:
        return 0.0
    first, last, charset = (0xB0, 0xD7, "gb2312") if encoding == "gb18030" else (0xA4, 0xC6, "big5")
    known = [char.encode(charset, errors="ignore")[:1] for char in han]
    return sum(1 for lead in known if lead and first <= lead[0] <= last) / len(han)


def _decode_lines(raw: bytes, encoding: str, confidence: float, refuse_utf_8: bool = False) -> Decoded:
    """Decode at one go where all of it fits, else line by line with the lines that do not fit listed."""
    if not refuse_utf_8:
        try:
            return Decoded(raw.decode(encoding).encode("utf-8"), encoding, confidence)
        except UnicodeDecodeError:
            pass
    good: list[bytes] = []
    bad: list[BadLine] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        at = _fault_at(line, encoding, refuse_utf_8)
        if at is None:
            good.append(line.decode(encoding).encode("utf-8"))
        else:
            good.append(b"")
            bad.append(BadLine(number, at, line.decode("utf-8" if refuse_utf_8 else encoding, "backslashreplace")))
    if len(bad) > len(good) / 2:
        raise Refused("encoding_unknown")
    return Decoded(b"\n".join(good), encoding, confidence, bad)


def _fault_at(line: bytes, encoding: str, refuse_utf_8: bool) -> int | None:
    """The byte, from 1, where a line stops being text of that encoding; None where it is."""
    if line.isascii():
        return None
    if refuse_utf_8 and _is_utf_8_text(line):
        return next(place for place, byte in enumerate(line, start=1) if byte > 127)
    try:
        line.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start + 1
    return None


def _finish(decoded: Decoded) -> Decoded:
    """Without the BOMs that concatenating files leaves inside; a header glued to the last line gets its own."""
    mark = "\ufeff".encode()
    data = decoded.data.removeprefix(mark)
    inner = data.count(mark)
    if inner:
        header = data.partition(b"\n")[0].rstrip(b"\r")
        data = data.replace(b"\n" + mark, b"\n").replace(mark + header, b"\n" + header).replace(mark, b"")
    return Decoded(data, decoded.encoding, decoded.confidence, decoded.bad_lines, inner)
