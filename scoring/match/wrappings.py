"""What is pasted around a company's name: labels, quotation marks, sentences, remarks; taken off before it is read."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column = Any  # a NumPy array of objects

_NAMED = (
    "公司|单位|企业|机构|客户|供应商|供货商|雇主|商户|厂商|厂家|买方|卖方|购方|销方|需方|供方|甲方|乙方|"
    "合作方|付款方|收款方|购买方|销售方|开票|收件|收货|付款|收款|投标|参展|参会|申请|工作|所在|任职|就职|签约|合同"
)
_LABELS = (
    rf"(?:{_NAMED})(?:公司|单位|方|企业)?(?:名称|全称|简称|名字|名|抬头)?|名称|全称|抬头|发票抬头|户名|开户名称|账户名称|"
    "贵司|贵公司|我司|我公司|本公司|所属公司|所属单位|"
    "(?:company|employer|organi[sz]ation|account|firm|customer|client|supplier|vendor|bill to|ship to)(?: name)?|name"
)
_SPOKEN = "(?:我|本人|我们|他|她)(?:现在|目前|现)?"
_SPOKEN_FIRST = rf"(?:{_SPOKEN}|现在|目前|现)?"
_ADDRESSED = "贵司|贵公司|我司|我公司|本公司|我们公司"  # said of a company without a colon as well
_REMARKS = (
    "盖章|公章|签章|全称|简称|收|启|转|(?:已)?离职|在职|前员工|(?:老|新|大|重点|重要|潜在|意向)?客户|供应商|合作伙伴|合作方|待确认|待核实|"
    "已确认|同名|重复|测试|新增|甲方|乙方|总部|former|customer|client|supplier|vendor|ex-employee|prospect|duplicate|tbc"
)
_DETAILS = (
    "(?:联系|办公)?(?:电话|手机|联系人|联系方式|地址|邮编|邮箱|税号|传真|"
    "统一社会信用代码|信用代码|职位|职务)(?:号码|号)?"
)
_LATIN_DETAILS = "tel|phone|mobile|fax|contact|attn|e-?mail|address"
_COMPANY_ENDS = "公司|厂|店|院|校|社|行|部|中心|集团|大学|局|所|有限"
_OPENERS, _CLOSERS = r"《〈「『“‘\"'【\[<{`", r"》〉」』”’\"'】\]>}`"
_DECOR = r"*_=~·•●○■□◆◇★☆※→>#@|/\\^+\-—–\s"
_WRAPPED = rf"^[{_OPENERS}]+\s*([^{_OPENERS}{_CLOSERS}]*[^\s{_OPENERS}{_CLOSERS}])\s*[{_CLOSERS}]+$"
_BRACKETED = r"^\(([^()]*(?:\([^()]*\)[^()]*)*)\)$"
# One after the other, and again while something was taken off: wrappings stand in each other. Texts are cleaned
# (`names.text`), so that marks of full width are plain ones.
_STEPS = (
    (rf"^[{_DECOR}]+", ""),
    (r"(?:[\s。,;!?、:*_=~•●■◆★※→<#|/\\^+—–-]|\.\.)+$", ""),
    (r"^(?:\(\d{1,3}\)|\d{1,3}[.)])\s+([^\s\d].*)$", r"\1"),
    (r"^(?:\(?\d{1,3}[.)、]|no\.?\s*\d{1,3}[:.)、])\s*(\p{Han}.*)$", r"\1"),
    (_WRAPPED, r"\1"),
    (_BRACKETED, r"\1"),
    (rf"^[{_OPENERS}]([^{_OPENERS}{_CLOSERS}]*)$", r"\1"),
    (rf"^([^{_OPENERS}{_CLOSERS}]*)[{_CLOSERS}]$", r"\1"),
    (rf"(?i)^[(\[【](?:{_REMARKS}|{_LABELS})[)\]】]\s*(\S.*)$", r"\1"),
    (rf"(?i)^[{_OPENERS}]((?:{_LABELS})\s*:.*?)[{_CLOSERS}]+$", r"\1"),
    (rf"(?i)^(?:{_LABELS})\s*(?::+|\s-+\s|[-—–|>=]+)\s*(\S.*)$", r"\1"),
    (rf"^(?:{_ADDRESSED}|公司|单位)(?:是|叫|名为)\s*(\S.+)$", r"\1"),
    (rf"^(?:{_ADDRESSED})\s*(\S.{{3,}})$", r"\1"),
    (
        rf"^{_SPOKEN_FIRST}(?:在|(?:就职|任职|供职)于?)\s*(\S.+?)\s*(?:上班|工作|任职|就职|做事|做销售|做采购)(?:的|了)?$",
        r"\1",
    ),
    (rf"^{_SPOKEN}(?:在|来自|是)\s*(\S.{{2,}}?)(?:的(?:员工|人)?)?$", r"\1"),
    (rf"^{_SPOKEN_FIRST}(?:就职于|任职于|供职于)\s*(\S.+)$", r"\1"),
    (
        r"(?i)^(?:(?:i|i'm|am|currently)\s+){0,3}(?:work|working|employed)\s+(?:at|for|with)\s+(\S.*)$",
        r"\1",
    ),
    (rf"^(.{{3,}}?)[\s,;|/]*(?:{_DETAILS})\s*(?:[:=]|\d).*$", r"\1"),
    (rf"(?i)^(.{{3,}}?)[\s,;|/]+(?:{_LATIN_DETAILS})\s*[:=].*$", r"\1"),
    (rf"(?i)^(.{{2,}}?)\s*[(\[【](?:{_REMARKS})[)\]】]$", r"\1"),
    (rf"^(.{{2,}}(?:{_COMPANY_ENDS}))\s*(?:收|启|的|谢谢)$", r"\1"),
)
_MOST_ROUNDS = 4
# Only texts that hold one of these are looked at further.
_SIGNS = (
    rf"^[{_DECOR}]|[\s。,;!?、:*_=~•●■◆★※→<#|/\\^+—–-]$|\.\.$|^\(|[.)、:|=>]|^[{_OPENERS}]|[{_CLOSERS}]$|{_ADDRESSED}|"
    rf"^(?:{_SPOKEN}|现|目前|在|就职|任职|供职|公司|单位)|(?:收|启|的|谢)$|(?i)^(?:{_LABELS})\s*[-—–]|work|employed|(?:{_DETAILS})"
)


def unwrapped(names: Column) -> Column:
    """Names without what was pasted around them (公司名称：杭州云帆 → 杭州云帆); what has nothing around it stays."""
    if not len(names):
        return names
    bare = names.copy()
    rows = np.flatnonzero(pc.match_substring_regex(pa.array(names, pa.string()), _SIGNS).to_numpy(zero_copy_only=False))
    for _ in range(_MOST_ROUNDS):
        found = _taken_off(bare[rows])
        changed = np.flatnonzero(found != bare[rows])
        if not len(changed):
            break
        bare[rows[changed]] = found[changed]
        rows = rows[changed]
    return bare


def _taken_off(names: Column) -> Column:
    """One round; a text of which nothing would be left stays."""
    texts = pa.array(names, pa.string())
    for pattern, kept in _STEPS:
        shorter = pc.replace_substring_regex(texts, pattern, kept)
        texts = pc.if_else(pc.equal(shorter, ""), texts, shorter)
    return np.asarray(texts.to_numpy(zero_copy_only=False), object)
