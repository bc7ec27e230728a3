"""Text that was decoded with the wrong encoding: flagged, never repaired, never a key (catalogue F05)."""

import pyarrow as pa
import pyarrow.compute as pc

_BROKEN = (
    "\ufffd|锟斤拷|烫烫烫|屯屯屯|ï¿½|â€"
    "|Ã[\u0080-\u00bf]|Â[\u0080-\u00bf]|å[\u0080-\u00bf\u2018-\u203a]|ç[\u0080-\u00bf]"
)
_MIN_HAN = 2


def is_mojibake(names: pa.Array) -> pa.Array:
    """True for replacement characters, UTF-8 read as Latin-1, and UTF-8 read as GB18030 (鐢佃瘽 for 电话)."""
    broken = pc.match_substring_regex(names, _BROKEN)
    suspects = pc.indices_nonzero(pc.match_substring_regex(names, _first_characters()))
    turned = [
        row
        for row, name in zip(suspects.to_pylist(), names.take(suspects).to_pylist(), strict=True)
        if _reads_as_utf8(name)
    ]
    flags = [False] * len(names)
    for row in turned:
        flags[row] = True
    return pc.or_(broken, pa.array(flags, pa.bool_()))


def _first_characters() -> str:
    """Names that begin as Han text in UTF-8 begins when read as GB18030: lead byte E4–E9, then 80–BF."""
    firsts = []
    for lead in range(0xE4, 0xEA):
        for trail in range(0x80, 0xC0):
            try:
                firsts.append(bytes((lead, trail)).decode("gb18030"))
            except UnicodeDecodeError:
                continue
    return f"^[{''.join(firsts)}]"


def _reads_as_utf8(name: str) -> bool:
    """The bytes of a name in GB18030 are whole Han characters in UTF-8 (the last character may be cut)."""
    try:
        data = name.encode("gb18030")
    except UnicodeEncodeError:
        return False
    text = data.decode("utf-8", "ignore")
    lost = len(data) - len(text.encode("utf-8"))
    return lost <= 2 and sum("\u4e00" <= char <= "\u9fff" for char in text) >= _MIN_HAN
