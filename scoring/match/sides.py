"""The two sides of a match as columns: what is given of a contact's company, and what is known of each account."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.wrappings import unwrapped
from scoring.names import parse_names
from scoring.names.buffers import Texts
from scoring.names.confusables import rows_with_foreign_letters, straight_letters
from scoring.names.text import clean_texts, fold_names, simplified, unspaced_han
from scoring.names.words import load_words

Column = Any  # a NumPy array of objects
_PARSED = ("name_key", "region_code", "core", "industry_word", "form", "branch")


@dataclass(frozen=True)
class Side:
    """One side: object arrays of equal length, "" where nothing is known.

    `stem` is the name without region, form and branch; `place` the region code of the row's own fields, `region` that
    in its name; `town` the folded city text, for places outside China; `apart` the comparison key of accounts that a
    rehearsed contact is not to meet.
    """

    ids: Column
    names: Column
    key: Column
    stem: Column
    core: Column
    region: Column
    form: Column
    branch: Column
    place: Column
    town: Column
    code: Column
    crm_id: Column
    domain: Column
    phone: Column
    apart: Column

    def __len__(self) -> int:
        return len(self.ids)


def given_side(contacts: pa.Table) -> tuple[Side, Column]:
    """(contacts, their comparison keys without what is pasted around them and without the department)."""
    names = _text(contacts, "company_name")
    plain = plainly_written(names)
    bare = without_department(unwrapped(plain))
    changed = np.flatnonzero(bare != plain)
    parsed = _parsed(contacts, plain, plain != names)
    original_key = parsed["name_key"].copy()
    again = _parsed(None, bare[changed], changed)
    for part in _PARSED:
        parsed[part][changed] = np.where(again["name_key"] != "", again[part], parsed[part][changed])
    side = _side(contacts, names, parsed, "contact_id")
    return _with_key(side, original_key), parsed["name_key"]


def account_side(accounts: pa.Table) -> Side:
    """The directory's side; a table may bring parts of names (name_key, core, … where
    `is_parsed`), which are then not parsed again."""
    names = _text(accounts, "name")
    straight = _straight(names)
    return _side(accounts, names, _parsed(accounts, straight, straight != names), "account_id")


def _with_key(side: Side, key: Column) -> Side:
    return Side(**{**side.__dict__, "key": key})


def _side(table: pa.Table, names: Column, parsed: dict[str, Column], id_column: str) -> Side:
    core, industry = parsed["core"], parsed["industry_word"]
    stem = np.array(
        [one if word and one.endswith(word) else one + word for one, word in zip(core, industry, strict=True)], object
    )
    place = _text(table, "district_code")
    for wider in ("city_code", "province_code"):
        place = np.where(place == "", _text(table, wider), place)
    return Side(
        ids=_text(table, id_column),
        names=names,
        key=parsed["name_key"],
        stem=stem,
        core=core,
        region=parsed["region_code"],
        form=parsed["form"],
        branch=parsed["branch"],
        place=place.astype(object),
        town=_folded(_text(table, "city")),
        code=_text(table, "uscc"),
        crm_id=_text(table, "crm_account_id"),
        domain=_text(table, "domain"),
        phone=_text(table, "phone"),
        apart=_text(table, "apart"),
    )


def plainly_written(names: Column) -> Column:
    """Names in one width and script: no control characters, Latin letters for look-alikes, simplified characters with
    no space between two of them, line breaks as spaces.
    """
    cleaned = clean_texts(pa.array(names, pa.string())).column()
    texts = simplified(Texts.of(straight_letters(cleaned)))
    return np.asarray(unspaced_han(texts).column().to_numpy(zero_copy_only=False), object)


def _straight(names: Column) -> Column:
    rows = rows_with_foreign_letters(pa.array(names, pa.string()))
    straight = names.copy()
    straight[rows] = straight_letters(pa.array(names[rows], pa.string())).to_numpy(zero_copy_only=False)
    return straight


def _parsed(table: pa.Table | None, names: Column, is_new: Column) -> dict[str, Column]:
    """Parts of the names: those the table has for rows that are `is_parsed` and whose names are not `is_new` to it, the
    others read now, each name once.
    """
    known = np.zeros(len(names), bool)
    if table is not None and "is_parsed" in table.column_names:
        known = np.asarray(table["is_parsed"].to_numpy(zero_copy_only=False), bool) & ~is_new
    rows = np.flatnonzero(~known)
    distinct = pa.array(names[rows], pa.string()).dictionary_encode()
    parts = parse_names(distinct.dictionary)
    parsed = {part: np.full(len(names), "", object) if table is None else _text(table, part) for part in _PARSED}
    for part, column in parsed.items():
        column[rows] = _text(parts, part)[distinct.indices.to_numpy()]
    return parsed


def _text(table: pa.Table, column: str) -> Column:
    """A text column with "" for null; all "" where the table has no such column."""
    if column not in table.column_names:
        return np.full(table.num_rows, "", object)
    filled = pc.fill_null(pc.cast(table[column], pa.string()), "")
    distinct = (filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled).dictionary_encode()
    # One object per distinct text: a column of a million legal forms is then a million references.
    return np.array(distinct.dictionary.to_numpy(zero_copy_only=False), object)[distinct.indices.to_numpy()]


def _folded(texts: Column) -> Column:
    return np.array(fold_names(texts.tolist()), object) if len(texts) else texts


@lru_cache(maxsize=1)
def _department_pattern() -> str:
    words = load_words()
    chinese = "|".join(sorted(words.department_words, key=len, reverse=True))
    latin = "|".join(sorted(words.latin_department_words, key=len, reverse=True))
    return rf"(?i)^(?P<company>.*\S)(?:\s*[(（]?(?:{chinese})[)）]?|\s*(?:-\s*|\(|\s)(?:{latin})\)?)\s*$"


def without_department(names: Column) -> Column:
    """Names of employers without the department typed after them (… 采购部, … - Marketing)."""
    if not len(names):
        return names
    company = pc.struct_field(pc.extract_regex(pa.array(names, pa.string()), _department_pattern()), 0)
    return np.asarray(pc.coalesce(company, pa.array(names, pa.string())).to_numpy(zero_copy_only=False), object)
