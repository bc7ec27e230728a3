"""A world of overlapping company lists with its truth: who is who, for measuring how rows become accounts.

`python -m benchmarks.directory_world OUT --entities 20000 --seed 1 [--names FOLDER]` writes OUT/inbox/companies/* as
people have such lists, OUT/config/sources.yaml and OUT/truth.parquet (source, source_key, entity, kind, way, code, and
the plain columns as written). FOLDER holds registry_1_5m.parquet and gleif_200k.parquet; without it the names are
invented ones. The seed also draws how many lists there are (three to five), what they know, and how bad they are.

The lists: a vendor's registry (codes, numbers, former and English names), a CRM (typed names, few codes), a fair (web,
mail, telephones, English beside Chinese), an old ledger (registration numbers, names and places of earlier days) and a
foreign-trade list (traditional script, English). Of a hundred companies 5 have a branch, 5 a namesake elsewhere, 4 a
firm whose name is one letter away, 3 a sister firm of another trade, 2 the very same name in another city, 5 stand in a
group with one domain, 10 had another name; 8 and most firms of nearly the same name have the telephone of one of six
agents. MIXES say how hard it is.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmarks.directory_entities import Shares, make_entities, real_names
from benchmarks.directory_noise import other_phones, spoil_codes, write_names
from benchmarks.world.common import pad, stream

Frame: TypeAlias = pd.DataFrame


@dataclass(frozen=True)
class Mix:
    """How hard a world is. `reached`: of what a list does not know of a company whose name it writes badly (English,
    former, short, with a slip), the share it knows after all: such a row was kept because somebody reached the company.
    `far`: of the companies that a list has at an old address, the share that stood in another city then. `rough`:
    factor on the badly written names. `coded`: factor on how many codes the lists know."""

    reached: float
    far: float
    rough: float
    coded: float = 1.0


# plain: what a careful person with all rows before him could decide, but for one pair in a hundred; hard: more badly
# written names, one in five of them with nothing to tell whose they are, and many that moved away; uncoded: like
# plain, but with few codes, so that only the guard of shared contacts keeps an agent's clients of near names apart.
MIXES = {
    "plain": Mix(reached=0.7, far=0.1, rough=0.8),
    "hard": Mix(reached=0.0, far=0.3, rough=1.0),
    "uncoded": Mix(reached=0.7, far=0.1, rough=0.8, coded=0.25),
}
_BADLY = ("english", "former", "typo", "abbreviation")
_TELLING = ("city", "province", "phone", "email", "website", "name_en", "legal_representative", "address", "founded_on")


@dataclass(frozen=True)
class ListKind:
    """A kind of list: the headers it uses (canonical → its own), what it knows how often, how it writes names."""

    name: str
    headers: dict[str, str]
    knows: dict[str, float]
    names: dict[str, float]
    write: Callable[[Frame, Path], None]
    suffix: str
    kinds: tuple[str, ...] = ()
    rank: int = 5
    damaged: float = 0.1
    moved: float = 0.03
    extra: dict[str, float] = field(default_factory=dict)


def _csv(encoding: str) -> Callable[[Frame, Path], None]:
    return lambda frame, path: path.write_bytes(
        frame.to_csv(index=False, lineterminator="\r\n").encode(encoding, "replace")
    )


def _xlsx(frame: Frame, path: Path) -> None:
    frame.to_excel(path, index=False, engine="xlsxwriter")


def _json(frame: Frame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, force_ascii=False)


def _parquet(frame: Frame, path: Path) -> None:
    frame.to_parquet(path, index=False)


_VENDOR = {
    "source_id": "企业ID",
    "name": "企业名称",
    "uscc": "统一社会信用代码",
    "registration_no": "注册号",
    "former": "曾用名",
    "name_en": "英文名",
    "province": "所属省份",
    "city": "所属城市",
    "address": "注册地址",
    "legal_representative": "法定代表人",
    "capital": "注册资本",
    "founded_on": "成立日期",
    "phone": "电话",
    "more_phones": "更多电话",
    "email": "邮箱",
    "website": "网址",
    "industry": "所属行业",
}
_CRM = {
    "source_id": "客户ID",
    "name": "Account Name",
    "uscc": "Tax ID",
    "city": "Billing City",
    "province": "Billing State",
    "address": "Billing Street",
    "phone": "Phone",
    "email": "Email",
    "website": "Website",
    "industry": "Industry",
    "country": "Billing Country",
}
_FAIR = {
    "source_id": "企业编号",
    "name": "公司名称",
    "name_en": "英文名称",
    "city": "城市",
    "phone": "联系电话",
    "email": "邮箱",
    "website": "官网",
    "country": "国家",
}
_OLD = {
    "source_id": "客户编号",
    "name": "单位名称",
    "registration_no": "工商注册号",
    "legal_representative": "法人",
    "address": "地址",
    "province": "省份",
    "city": "市",
    "phone": "电话",
    "founded_on": "注册日期",
    "capital": "注册资金",
}
_TRADE = {
    "source_id": "Record ID",
    "name": "Company Name",
    "name_en": "English Name",
    "city": "City",
    "country": "Country",
    "website": "Company Domain Name",
    "phone": "Phone Number",
    "email": "Email Address",
    "founded_on": "Founded",
}

LISTS = (
    ListKind(
        "vendor",
        _VENDOR,
        {
            "uscc": 0.95,
            "registration_no": 0.5,
            "former": 0.9,
            "name_en": 0.35,
            "province": 0.97,
            "city": 0.93,
            "address": 0.85,
            "legal_representative": 0.95,
            "capital": 0.9,
            "founded_on": 0.95,
            "phone": 0.85,
            "more_phones": 0.3,
            "email": 0.6,
            "website": 0.8,
            "industry": 0.9,
        },
        {"region": 0.01, "form_word": 0.02, "brackets": 0.01},
        _csv("gb18030"),
        "csv",
        kinds=("cn",),
        rank=1,
        damaged=0.05,
        moved=0.02,
    ),
    ListKind(
        "crm",
        _CRM,
        {
            "uscc": 0.3,
            "city": 0.75,
            "province": 0.6,
            "address": 0.4,
            "phone": 0.8,
            "email": 0.55,
            "website": 0.75,
            "industry": 0.5,
            "country": 0.6,
        },
        {
            "no_form": 0.07,
            "abbreviation": 0.03,
            "typo": 0.04,
            "english": 0.015,
            "former": 0.2,
            "brackets": 0.04,
            "region": 0.05,
            "form_word": 0.05,
            "spaced": 0.02,
            "upper": 0.02,
        },
        _csv("utf-8"),
        "csv",
        rank=2,
        damaged=0.25,
        moved=0.06,
    ),
    ListKind(
        "fair",
        _FAIR,
        {"name_en": 0.6, "city": 0.7, "phone": 0.8, "email": 0.8, "website": 0.9, "country": 0.9},
        {
            "no_form": 0.08,
            "english": 0.03,
            "typo": 0.04,
            "traditional": 0.04,
            "abbreviation": 0.03,
            "region": 0.04,
            "brackets": 0.03,
        },
        _xlsx,
        "xlsx",
        rank=3,
        moved=0.05,
    ),
    ListKind(
        "old",
        _OLD,
        {
            "registration_no": 0.7,
            "legal_representative": 0.8,
            "address": 0.85,
            "province": 0.8,
            "city": 0.85,
            "phone": 0.75,
            "founded_on": 0.8,
            "capital": 0.8,
        },
        {"former": 0.35, "typo": 0.03, "region": 0.05, "form_word": 0.06, "no_form": 0.04, "brackets": 0.03},
        _json,
        "ndjson",
        kinds=("cn",),
        rank=4,
        moved=0.1,
    ),
    ListKind(
        "trade",
        _TRADE,
        {"name_en": 0.5, "city": 0.6, "country": 0.9, "website": 0.8, "phone": 0.75, "email": 0.85, "founded_on": 0.4},
        {"traditional": 0.25, "english": 0.05, "no_form": 0.08, "typo": 0.03, "abbreviation": 0.03, "upper": 0.05},
        _parquet,
        "parquet",
        rank=5,
        moved=0.04,
    ),
)


def write_directory_world(out: Path, entities: int, seed: int, names: Path | None = None, mix: str = "plain") -> Frame:
    """Writes the world's files; gives its truth, one row per written row."""
    rng = stream(seed, "lists")
    shares = Shares(
        *(share * factor for share, factor in zip(vars(Shares()).values(), rng.uniform(0.4, 1.8, 11), strict=True))
    )
    companies = make_entities(real_names(names, int(entities / 1.4), seed), seed, shares)
    chosen = [LISTS[place] for place in sorted(rng.permutation(len(LISTS))[: int(rng.integers(3, 6))])]
    if not any(kind.name == "vendor" for kind in chosen):
        chosen.insert(0, LISTS[0])
    (out / "inbox" / "companies").mkdir(parents=True, exist_ok=True)
    (out / "config").mkdir(exist_ok=True)
    truth = [_write_list(out, rng, companies, kind, MIXES[mix]) for kind in chosen]
    lines = [
        f"  - {{name: {kind.name}, files: [companies/{kind.name}.{kind.suffix}], rank: {kind.rank}}}" for kind in chosen
    ]
    (out / "config" / "sources.yaml").write_text(
        "settle_seconds: 0\nsources:\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    (out / "abmloop.yaml").write_text("name: directory world\n", encoding="utf-8")
    told = pd.concat(truth, ignore_index=True)
    told.to_parquet(out / "truth.parquet", index=False)
    return told


def _write_list(out: Path, rng: np.random.Generator, companies: Frame, kind: ListKind, mix: Mix) -> Frame:
    """One list: its rows drawn, spoilt and written under its headers; gives their truth."""
    fits = companies["kind"].ne("foreign") if kind.kinds == ("cn",) else pd.Series(True, index=companies.index)
    rows = companies[fits & (rng.random(len(companies)) < rng.uniform(0.3, 0.75))]
    twice = rows.take(np.sort(rng.permutation(len(rows))[: int(len(rows) * rng.uniform(0, 0.04))]))
    rows = pd.concat([rows, twice]).take(rng.permutation(len(rows) + len(twice))).reset_index(drop=True)
    badness = rng.uniform(0.6, 1.6)
    shares = {way: share * (rng.uniform(0.3, 1.2) if way == "former" else badness) for way, share in kind.names.items()}
    former = rows["former"].notna().to_numpy()
    shares = {way: share * (mix.rough if way in _BADLY else 1) for way, share in shares.items()}
    name, way = write_names(rng, rows, {**shares, "former": 0.0})
    renamed = former & (rng.random(len(rows)) < shares.get("former", 0.0))
    way = way.mask(renamed, "former")
    written = pd.DataFrame(
        {
            "source_id": kind.name[0].upper() + pad(np.arange(1, len(rows) + 1), 6),
            "name": name.where(~renamed, rows["former"]),
            "name_en": rows["name_en"],
            "former": rows["former"].where(~renamed),
            "registration_no": rows["registration_no"],
            "province": rows["province"],
            "city": rows["city"],
            "country": rows["country"],
            "legal_representative": rows["legal_representative"],
            "capital": rows["capital"] + "万人民币",
            "founded_on": rows["founded_on"],
            "phone": other_phones(rng, rows, kind.moved * badness),
            "more_phones": rows["second_phone"],
            "email": rows["email"],
            "website": rows["website"],
            "industry": rows["industry"],
        }
    )
    _move(rng, written, rows, kind.moved * badness, mix.far)
    written["uscc"], code_way = spoil_codes(
        rng,
        rows["uscc"].where(rng.random(len(rows)) < kind.knows.get("uscc", 0) * rng.uniform(0.7, 1) * mix.coded),
        kind.damaged * badness,
    )
    for column in kind.headers:
        if column not in ("source_id", "name", "uscc"):
            known = rng.random(len(rows)) < kind.knows.get(column, 1.0)
            after_all = way.isin(_BADLY) & (rng.random(len(rows)) < mix.reached) & (column in _TELLING)
            written[column] = written[column].where(known | after_all)
    path = out / "inbox" / "companies" / f"{kind.name}.{kind.suffix}"
    kind.write(written[list(kind.headers)].rename(columns=kind.headers), path)
    about = {
        "source": kind.name,
        "source_key": written["source_id"],
        "entity": rows["entity"],
        "kind": rows["kind"],
        "way": way,
        "code": code_way,
    }
    plain = written[[column for column in kind.headers if column != "source_id"]]
    return pd.concat([pd.DataFrame(about), plain], axis=1)


def _move(rng: np.random.Generator, written: Frame, rows: Frame, share: float, far_share: float) -> None:
    """Some have moved: another street always, another city sometimes; addresses name the place they stand in."""
    moved = (rng.random(len(rows)) < share) & rows["kind"].ne("foreign").to_numpy()
    other = rng.permutation(len(rows))
    far = moved & (rng.random(len(rows)) < far_share)
    for column in ("province", "city"):
        written[column] = written[column].where(~far, rows[column].to_numpy()[other])
    street = rows["street"].where(~moved, rows["street"].to_numpy()[other])
    place = written["province"].fillna("") + written["city"].fillna("")
    written["address"] = place.where(written["country"].eq("中国"), "") + street


def main() -> None:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--entities", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--names", type=Path, default=None)
    arguments.add_argument("--mix", choices=sorted(MIXES), default="plain")
    given = arguments.parse_args()
    told = write_directory_world(given.out, given.entities, given.seed, given.names, given.mix)
    print(f"{len(told):,} rows of {told['entity'].nunique():,} companies: {told['source'].value_counts().to_dict()}")


if __name__ == "__main__":
    main()
