"""The rows of a file for an ad platform: its columns, each value normalised and hashed as it asks, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.yaml_text import load_yaml
from scoring.audiences.identifiers import (
    google_emails,
    google_names,
    google_phones,
    google_postcodes,
    linkedin_emails,
    md5_hex,
    sha256_hex,
    tencent_phones,
)
from scoring.policies.audiences import ListRule
from scoring.policies.consent import Channel

# European Economic Area, ISO 3166.
EEA = frozenset(
    (
        "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IS", "IE", "IT", "LV", "LI",
        "LT", "LU", "MT", "NL", "NO", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
    )
)  # fmt: skip
COMPANY_HEADER = (
    "companyname", "companywebsite", "companyemaildomain", "linkedincompanypageurl", "stocksymbol", "industry", "city",
    "state", "companycountry", "zipcode",
)  # fmt: skip
_NONE = pa.scalar(None, pa.string())
_DOUBLE_NAMES = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|"
    "皇甫|宗政|濮阳|公冶|申屠|公孙|慕容|令狐|司徒|轩辕"
)
_HAN_NAME = rf"^(?P<last>{_DOUBLE_NAMES}|[\x{{3400}}-\x{{9fff}}])(?P<first>[\x{{3400}}-\x{{9fff}}]{{1,3}})$"
_LATIN_NAME = r"^(?P<first>\pL[^\d@]*?)\s+(?P<last>\pL[^\s\d@]*)$"
_POSTCODE = r"^[A-Za-z0-9][A-Za-z0-9 -]{1,10}[A-Za-z0-9]$"


@dataclass(frozen=True)
class Platform:
    """What a platform takes; `region` is where the data goes, `header` the columns of its file (empty: none)."""

    region: str
    keys: tuple[str, ...]
    minimum: int
    maximum: int
    eea: tuple[Channel, ...]
    header: tuple[str, ...]
    source: str


@cache
def platforms() -> Mapping[str, Platform]:
    """The platforms by name."""
    told: dict[str, dict[str, Any]] = load_yaml(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    lists = ("keys", "eea", "header")
    return {name: Platform(**said | {key: tuple(said[key]) for key in lists}) for name, said in told.items()}


def platform_rows(rule: ListRule, people: pa.Table) -> pa.Table:
    """The rows of a file for the platform of `rule`, its columns in order.

    people: email and mobile (null where they are not to be used), name, country, postcode. Rows that come out without
    any key are left out.
    """
    rows = _ROWS[str(rule.platform)](rule, people)
    keys = rows.columns[: len(platforms()[str(rule.platform)].keys)]
    mask = pc.is_valid(keys[0])
    for column in keys[1:]:
        mask = pc.or_(mask, pc.is_valid(column))
    return rows.filter(mask)


def company_rows(companies: pa.Table) -> pa.Table:
    """LinkedIn's list of companies: name (the English one where there is one), domain, industry, place; no person."""
    empty = pa.nulls(companies.num_rows, pa.string())
    given = {
        "companyname": pc.coalesce(companies["name_en"], companies["name"]),
        "companywebsite": companies["domain"],
        "companyemaildomain": companies["domain"],
        "industry": companies["industry"],
        "city": companies["city"],
        "state": companies["province"],
        "companycountry": companies["country"],
    }
    return pa.table({name: given.get(name, empty) for name in COMPANY_HEADER})


def split_names(names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """First and last names: 欧阳 | 明 and Mary Ann | Smith; null where a name is neither or has one part only."""
    han, latin = pc.extract_regex(names, _HAN_NAME), pc.extract_regex(names, _LATIN_NAME)
    first = pc.coalesce(pc.struct_field(han, "first"), pc.struct_field(latin, "first"))
    last = pc.coalesce(pc.struct_field(han, "last"), pc.struct_field(latin, "last"))
    return first, last


def _google(_rule: ListRule, people: pa.Table) -> pa.Table:
    """Mail and number hashed; the postal part only where it is whole, since Google matches nothing less."""
    first, last = split_names(people["name"].combine_chunks())
    country = people["country"].combine_chunks()
    postcode = google_postcodes(people["postcode"].combine_chunks(), country)
    is_whole = pc.and_(pc.and_(pc.is_valid(first), pc.is_valid(last)), pc.match_substring_regex(postcode, _POSTCODE))
    is_whole = pc.fill_null(pc.and_(is_whole, pc.match_substring_regex(country, "^[A-Z]{2}$")), False)
    columns = {
        "Email": sha256_hex(google_emails(people["email"].combine_chunks())),
        "Phone": sha256_hex(google_phones(people["mobile"].combine_chunks())),
        "First Name": pc.if_else(is_whole, sha256_hex(google_names(first)), _NONE),
        "Last Name": pc.if_else(is_whole, sha256_hex(google_names(last)), _NONE),
        "Country": pc.if_else(is_whole, country, _NONE),
        "Zip": pc.if_else(is_whole, postcode, _NONE),
    }
    return pa.table(columns)


def _linkedin(_rule: ListRule, people: pa.Table) -> pa.Table:
    """Mail only; the other columns of its template stand empty, for the hash alone finds the member."""
    empty = pa.nulls(people.num_rows, pa.string())
    hashed = sha256_hex(linkedin_emails(people["email"].combine_chunks()))
    header = platforms()["linkedin"].header
    return pa.table({name: hashed if name == "email" else empty for name in header})


def _tencent(rule: ListRule, people: pa.Table) -> pa.Table:
    """Mainland numbers only."""
    digits = tencent_phones(people["mobile"].combine_chunks())
    return pa.table({rule.hash: md5_hex(digits) if rule.hash == "md5" else sha256_hex(digits)})


_ROWS = {"google": _google, "linkedin": _linkedin, "tencent": _tencent}
