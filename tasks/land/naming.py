"""What a file's name says where config/sources.yaml is silent: the list it is an edition of, its day, its version."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

_SEPARATOR = r"[\s_\-.~+]{0,5}"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TIME = r"(?:[\sT_\-]?(?:[01]\d|2[0-3])[:：.时\-]?[0-5]\d(?:[:：.分\-]?[0-5]\d秒?)?)?"
# 20260301, 2026-03-01, 2026年3月1日, each with or without a time of day; then months, quarters, years, parts of dates.
_WHOLE_DAY = re.compile(
    rf"(?<!\d)(?P<year>{_YEAR})(?:(?P<mark>[-_./])?(?P<month>0[1-9]|1[0-2])(?(mark)(?P=mark))(?P<day>0[1-9]|[12]\d|3[01])"
    rf"|[-_./年](?P<month2>{_MONTH})[-_./月](?P<day2>{_DAY})日?){_TIME}(?!\d)"
)
_PARTS_OF_DATES = re.compile(
    rf"(?<!\d){_YEAR}[-_./年]?(?:0[1-9]|1[0-2])(?!\d)月?|(?<!\d){_YEAR}年?(?:{_MONTH}月(?:{_DAY}[日号])?|[Qq][1-4]|第?[一二三四1-4]季度|[上下]半年)?(?!\d)"
    rf"|(?<!\d){_MONTH}月(?:{_DAY}[日号])?|(?<!\d)1\d{{9}}(?:\d{{3}})?(?!\d)"
)
# Editions of one list: a download once more, a corrected version, the next of a series of days, weeks or batches.
_COPY = re.compile(r"[(\[]\s?(\d{1,3})\s?[)\]]\s*$")
_VERSION = re.compile(
    rf"{_SEPARATOR}(?<![A-Za-z])(?:v|ver|version|rev|版本)[\s_.]?(\d{{1,3}}(?:\.\d{{1,3}})?)\s*$", re.IGNORECASE
)
_SERIES = re.compile(
    rf"{_SEPARATOR}(?:(?<![A-Za-z])(?:day|week|wk)[\s_\-]?(\d{{1,3}})|第\s?(\d{{1,3}})\s?(?:天|周|期|批|次|版))",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"{_SEPARATOR}(?:副本|复件|拷贝|修正版?|更正版?|修订版?|更新版?|最新版?|最终版?|终版|新版|(?<![A-Za-z])(?:copy|final|corrected|fixed|updated|latest))\s*$",
    re.IGNORECASE,
)
_LEAD_COPY = re.compile(r"^(?:copy of|副本|复件)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """`list_name` without dates and editions, empty where nothing else is in the name; `version` sorts as text."""

    list_name: str
    day: date | None
    version: str | None


def read_name(file_name: str) -> Named:
    """What the name of a file or folder says; its suffixes (.csv, .gz) are left out."""
    stem = unicodedata.normalize("NFKC", PurePosixPath(file_name).name)
    stem = re.sub(r"(?:\.[A-Za-z]{2,8}){1,2}$", "", stem)
    day, numbers = _day_of(stem), []
    rest = _LEAD_COPY.sub("", _WHOLE_DAY.sub("", stem))
    rest, before = _PARTS_OF_DATES.sub("", rest), None
    while rest != before:
        before = rest
        for pattern in (_COPY, _VERSION, _SERIES, _WORDS):
            found = pattern.search(rest)
            if found:
                numbers += [float(group) for group in found.groups() if group]
                numbers += [0.5] if pattern is _WORDS else []
                rest = (rest[: found.start()] + rest[found.end() :]).strip(" _-.~+")
    return Named(re.sub(r"[:\s]+", "_", rest).strip("_-.~+()[]")[:100], day, _version(numbers))


def _version(numbers: list[float]) -> str | None:
    """Larger editions sort later as text."""
    return "".join(f"{number:08.3f}" for number in reversed(numbers)) or None


def _day_of(stem: str) -> date | None:
    """The one whole day in a name; None where there is none, or more than one."""
    found = [
        (int(each["year"]), int(each["month"] or each["month2"]), int(each["day"] or each["day2"]))
        for each in _WHOLE_DAY.finditer(stem)
    ]
    if len(set(found)) != 1:
        return None
    try:
        return date(*found[0])
    except ValueError:
        return None
