"""Industry texts as sections and divisions of GB/T 4754 (2017); those of 2011 and 2002 are led there."""

import re
from functools import cache

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.sensitive import is_sensitive
from scoring.values.tables import load_csv
from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above

_SEPARATORS = r"\s*[-–—>/\\|;；,，]+\s*"
_SECTION_LETTERS = "ABCDEFGHIJKLMNOPQRST"


@cache
def _industries() -> pd.DataFrame:
    """code, section, name, words: one row per section and division."""
    return pd.DataFrame(load_csv("industries"))


def _stem(name: str) -> str:
    """A name without what people leave out: 通用设备制造业 → 通用设备."""
    return re.sub(r"(制造业|服务业|加工业|业|服务|活动)$", "", name.replace("、", "").replace("和", ""))


@cache
def _names() -> dict[str, str]:
    """Name, stem and code, lower case → code; of a section and a division that share one, the division."""
    names: dict[str, str] = {}
    for row in _industries().itertuples():
        for key in (
            row.name,
            row.name.replace("、", ""),
            _stem(row.name),
            row.code.lower(),
            f"{row.section}{row.code}".lower(),
        ):
            if len(key) > 1 or key.upper() in _SECTION_LETTERS:
                names[key] = row.code
    for row in _industries().itertuples():
        names.update(dict.fromkeys(row.words.split("|"), row.code) if row.words else {})
    for old in load_csv("former_industries"):
        for key in (old["name"], old["name"].replace("、", ""), _stem(old["name"])):
            names.setdefault(key, old["now_code"])
    return names


@cache
def _former_codes() -> dict[str, str]:
    """Section letter and division of earlier editions (g62), lower case → code of today; a later edition wins.

    Without its letter a division is read by today's table: 62 is 餐饮业 now and was 软件业 in 2002.
    """
    old = load_csv("former_industries")
    return {f"{row['section']}{row['code']}".lower(): row["now_code"] for row in reversed(old)}


@cache
def _pattern() -> re.Pattern[str]:
    """Any word of the table, longest first; Latin ones only as whole words."""
    words = sorted((key for key in _names() if len(key) > 1 and not key.isdigit()), key=lambda key: (-len(key), key))
    parts = [
        rf"\b{re.escape(word)}" if word.isascii() else re.escape(word)
        for word in words
        if not re.fullmatch(r"[a-t]\d\d", word)
    ]
    return re.compile("|".join(parts))


def _code_of(text: str) -> str | None:
    """The narrowest division (else section) that a text names: whole pieces first, the last piece first; then words."""
    pieces = [piece for piece in re.split(_SEPARATORS, text) if piece]
    found = [code for piece in reversed([*pieces, text]) if (code := _names().get(piece) or _names().get(_stem(piece)))]
    coded = re.match(r"^([a-t])?(\d{2})\d{0,2}\b", text)
    if coded and coded[2] in _names() and (not coded[1] or _section(coded[2]) == coded[1].upper()):
        found.insert(0, coded[2])
    elif coded and coded[1] and (now := _former_codes().get(coded[1] + coded[2])):
        found.insert(0, now)
    if not any(code.isdigit() for code in found):
        found += [_names()[match] for piece in reversed(pieces) for match in _pattern().findall(piece)]
    divisions = [code for code in found if code.isdigit()]
    return next(iter([*divisions, *found]), None)


@cache
def _sections() -> dict[str, str]:
    return {row.code: row.section for row in _industries().itertuples()}


def section_names(language: str) -> pa.Table:
    """section (A to T) and its name: in Chinese that of the standard, else in English."""
    chinese = _industries()[lambda row: row["code"] == row["section"]].set_index("code")["name"]
    english = {row["section"]: row["name_en"] for row in load_csv("industry_sections")}
    names = dict(chinese) if language == "zh" else english
    return pa.table({"section": list(names), "name": list(names.values())})


def _section(code: str) -> str:
    return _sections()[code]


def parse_industries(values: Values) -> pa.Table:
    """Industries: value, industry (clean text), section (A-T), division (two digits, null where only the section is
    known), rule. Texts in English and paths (`制造业-通用设备制造业`) are understood; the text itself is kept.

    Source: spec 02-directory (industry), catalogue V26.
    """
    column = as_column(values)
    text = clean_text(column)
    nothing, sensitive = pc.or_(is_placeholder(text), is_same_as_above(text)), is_sensitive(text)
    text = pc.if_else(pc.or_(nothing, sensitive), pa.scalar(None, pa.string()), text)
    codes = [_code_of(word.lower()) if word else None for word in text.to_pylist()]
    section = pa.array([_section(code) if code else None for code in codes], pa.string())
    division = pa.array([code if code and code.isdigit() else None for code in codes], pa.string())
    rule = first_rule(
        ("text-placeholder", nothing),
        ("text-sensitive", sensitive),
        ("industry-unknown", pc.and_(pc.is_null(section), pc.is_valid(text)))
    )  # fmt: skip
    return pa.table({"value": column, "industry": text, "section": section, "division": division, "rule": rule})
