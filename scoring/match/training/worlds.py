"""Small worlds with known answers: a directory, and contacts whose companies are in it or not."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.match.training.invent import Companies, Rng, invent_companies, town_names
from scoring.match.training.noise import write_again, write_down
from scoring.names import parse_names
from scoring.values.regions import places

Texts = Any  # a NumPy array of objects
_PARTS = ("name", "region", "core", "industry_word", "form", "branch")


@dataclass(frozen=True)
class Shares:
    """What contacts are made of: companies the directory does not hold, names as they are in the list, known other
    writings that are written down once more, mistaken characters (see `write_down`), contacts with a city, those whose
    city is another one."""

    absent: float = 0.25
    as_written: float = 0.3
    again: float = 0.2
    mistaken: float = 1
    with_city: float = 0.6
    elsewhere: float = 0.02


@dataclass(frozen=True)
class Names:
    """Names that real lists give: `foreign` of legal entities, and `variants` (variant, entity, full name, kind)."""

    foreign: Texts
    variants: pa.Table


@dataclass(frozen=True)
class World:
    """`accounts` and `contacts` as the matcher wants them; `right` holds (contact row, account row)."""

    accounts: pa.Table
    contacts: pa.Table
    right: set[tuple[int, int]]


@dataclass
class _Firms:
    names: list[str]
    codes: list[str]
    written: list[list[str]]


def make_world(size: int, contacts: int, names: Names, seed: int, shares: Shares = Shares()) -> World:
    """A directory of `size` companies and so many contacts, a share of whose companies was taken out of it."""
    rng = np.random.default_rng([seed, size])
    firms = _firms(size, names, rng)
    total = len(firms.names)
    is_absent = rng.random(total) < shares.absent
    chosen, texts = _contact_texts(firms, contacts, shares, rng)
    has_account = ~is_absent | (np.bincount(chosen, minlength=total) == 0)
    kept = np.flatnonzero(has_account)
    row_of = np.full(total, -1)
    row_of[kept] = np.arange(len(kept))
    with_city = rng.random(len(chosen)) < shares.with_city
    accounts = _table("account_id", "name", [firms.names[row] for row in kept], [firms.codes[row] for row in kept])
    told = np.where(rng.random(len(chosen)) < shares.elsewhere, rng.permutation(chosen), chosen)
    where = [firms.codes[row] if city else "" for row, city in zip(told, with_city, strict=True)]
    people = _table("contact_id", "company_name", texts, where)
    return World(accounts, people, _right(firms, chosen, row_of))


def _right(firms: _Firms, chosen: np.ndarray, row_of: np.ndarray) -> set[tuple[int, int]]:
    """Accounts of the same name and town are as right as the one a contact was made from."""
    twins = defaultdict(list)
    keys = parse_names(firms.names)["name_key"].to_pylist()
    for firm, row in enumerate(row_of.tolist()):
        if row >= 0:
            twins[keys[firm] or firms.names[firm], firms.codes[firm]].append(row)
    return {
        (contact, row)
        for contact, firm in enumerate(chosen.tolist())
        for row in twins[keys[firm] or firms.names[firm], firms.codes[firm]]
    }


def _firms(size: int, names: Names, rng: Rng) -> _Firms:
    """Invented Chinese companies, foreign ones, and those of which other writings are known."""
    variants = names.variants.to_pydict()
    written: dict[str, list[str]] = defaultdict(list)
    full: dict[str, str] = {}
    for entity, name, variant in zip(variants["eid"], variants["enorm"], variants["variant"], strict=True):
        full[entity] = name
        written[entity].append(variant)
    known = list(full)
    picked = rng.permutation(len(known))[: max(len(known) // 2, int(size * 0.15))]
    foreign = names.foreign[rng.permutation(len(names.foreign))[: size // 5]].tolist()
    half = len(foreign) // 2
    foreign[:half] = sorted({_bare(name) for name in foreign[:half]})
    chinese: Companies = invent_companies(max(size - len(picked) - len(foreign), 100), rng)
    all_names = [*chinese.names.tolist(), *foreign, *(full[known[row]] for row in picked)]
    codes = [*chinese.place_codes.tolist(), *[""] * (len(foreign) + len(picked))]
    others: list[list[str]] = [[] for _ in range(len(chinese.names) + len(foreign))]
    return _Firms(all_names, codes, others + [written[known[row]] for row in picked])


def _bare(name: str) -> str:
    """A name as the lists of employers have it: lower case, its form left out."""
    words = name.lower().replace(",", " ").replace(".", " ").split()
    return " ".join(words[: max(1, min(len(words) - 1, 1 + len(name) % 4))])


def _contact_texts(firms: _Firms, count: int, shares: Shares, rng: Rng) -> tuple[np.ndarray, list[str]]:
    """(row of the firm, what was written) of each contact: known other writings once each, else noise."""
    known = [(row, text) for row, texts in enumerate(firms.written) for text in texts]
    known = [known[at] for at in rng.permutation(len(known))[: int(count * 0.4)]]
    plain = np.flatnonzero([not texts for texts in firms.written])
    others = rng.choice(plain, count - len(known), replace=count - len(known) > len(plain))
    parsed = parse_names([firms.names[row] for row in others])
    columns = {part: [text or "" for text in parsed[part].to_pylist()] for part in _PARTS}
    exact = rng.random(len(others)) < shares.as_written
    texts = [
        firms.names[row] if same else write_down({part: columns[part][at] for part in _PARTS}, rng, shares.mistaken)
        for at, (row, same) in enumerate(zip(others, exact, strict=True))
    ]
    rows = np.array([*(row for row, _ in known), *others], np.int64)
    again = rng.random(len(known)) < shares.again
    spoken = [write_again(text, rng) if more else text for (_, text), more in zip(known, again, strict=True)]
    return rows, [*spoken, *texts]


def _table(id_column: str, name_column: str, names: list[str], codes: list[str]) -> pa.Table:
    """Lists give a company's city; in the municipalities, which are their own city, the district."""
    towns = [_city(code) if code else "" for code in codes]
    is_city = [code.endswith("00") for code in towns]
    columns = {
        id_column: [f"{row:08d}" for row in range(len(names))],
        name_column: names,
        "city": [town_names(code)[1] if code else None for code in towns],
        "province_code": [code[:2] + "0000" if code else None for code in towns],
        "city_code": [code if city else None for code, city in zip(towns, is_city, strict=True)],
        "district_code": [code if code and not city else None for code, city in zip(towns, is_city, strict=True)],
    }
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def _city(code: str) -> str:
    parent = places()[code].parent_code
    return parent if parent in places() and places()[parent].level == "city" else code
