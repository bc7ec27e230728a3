"""What is pasted around a company's name: labels, quotation marks, brackets, seals; taken off before it is read."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column = Any  # a NumPy array of objects

_LABELS = (
    "公司名称|公司全称|单位名称|企业名称|客户名称|机构名称|公司|单位|工作单位|所在单位|所在公司|任职单位|任职公司|企业|名称|抬头|发票抬头|"
    "贵司|贵公司|我司|我公司|本公司|company name|company|employer|organi[sz]ation|account|firm"
)
_ADDRESSED = "贵司|贵公司|我司|我公司"  # said of a company without a colon as well
_OPENERS, _CLOSERS = r"《〈「『“‘\"'【\[<{", r"》〉」』”’\"'】\]>}"
_WRAPPED = rf"^\s*[{_OPENERS}]+\s*([^{_OPENERS}{_CLOSERS}]*[^\s{_OPENERS}{_CLOSERS}])\s*[{_CLOSERS}]+\s*$"
# One after the other: a label may stand before the marks or inside them.
_STEPS = (
    (_WRAPPED, r"\1"),
    (rf"(?i)^\s*(?:{_LABELS})\s*[:：]+\s*(\S.*)$", r"\1"),
    (rf"^\s*(?:{_ADDRESSED})\s*([^\s:：].{{3,}})$", r"\1"),
    (_WRAPPED, r"\1"),
    (r"^(.{3,}?)\s*[(（](?:盖章|公章|签章|全称|简称)[)）]\s*$", r"\1"),
    (r"^(.{2,}?)[\s。，,；;！!、]+$", r"\1"),
)
# Only texts that hold one of these are looked at further.
_SIGNS = rf"[:：{_OPENERS}{_CLOSERS}。，,；;！!、]|{_ADDRESSED}|[章称][)）]|^\s|\s$"


def unwrapped(names: Column) -> Column:
    """Names without what was pasted around them (公司名称：杭州云帆 → 杭州云帆); what has nothing around it stays."""
    if not len(names):
        return names
    texts = pa.array(names, pa.string())
    rows = np.flatnonzero(pc.match_substring_regex(texts, _SIGNS).to_numpy(zero_copy_only=False))
    some = texts.take(pa.array(rows))
    for pattern, kept in _STEPS:
        some = pc.replace_substring_regex(some, pattern, kept)
    bare = names.copy()
    bare[rows] = np.asarray(some.to_numpy(zero_copy_only=False), object)
    return bare
