"""The true companies of a directory world: real names, their look-alikes, and what a registry would know of each."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.world.common import WorldSize, draw, draw_index, pad, stream, take, vocabulary, words_of
from benchmarks.world.companies import make_companies
from benchmarks.world.identifiers import landlines, mobile_numbers, unified_codes
from scoring.names import parse_names

# Look-alikes of which many are looked after by the agent of the one they look like.
_SAME_AGENT = ("near", "namesake", "same_name", "twin")
_SISTER_TRADES = ["商贸", "物流", "投资", "建材", "餐饮管理", "置业", "进出口"]
FORM_SWAP = {"有限公司": "股份有限公司", "股份有限公司": "有限公司", "有限责任公司": "股份有限公司"}
# One syllable per character, the same everywhere: stands for pinyin, which no dependency of ours gives.
_FIRST = (
    "b",
    "p",
    "m",
    "f",
    "d",
    "t",
    "n",
    "l",
    "g",
    "k",
    "h",
    "j",
    "q",
    "x",
    "zh",
    "ch",
    "sh",
    "r",
    "z",
    "c",
    "s",
    "y",
    "w",
)
_REST = ("a", "o", "e", "i", "u", "ai", "ao", "an", "ang", "en", "ing", "ong")
_SYLLABLES = [first + rest for first in _FIRST for rest in _REST]


@dataclass(frozen=True)
class Shares:
    """How many of the companies are look-alikes of another, each kind as a share of the base companies."""

    branch: float = 0.05
    namesake: float = 0.05
    same_name: float = 0.02
    twin: float = 0.004
    near: float = 0.04
    sister: float = 0.03
    group: float = 0.05
    numeral: float = 0.01
    heir: float = 0.001
    converted: float = 0.006
    foreign: float = 0.12


def real_names(folder: Path | None, count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(Chinese: name, province, city, uscc; foreign: name, country), drawn from registry_1_5m and gleif_200k in
    `folder`; without it invented Chinese names and the bundled foreign ones."""
    rng = stream(seed, "real names")
    if folder is None:
        world = make_companies(WorldSize(companies=int(count * 1.8), people=1, touches=1, deals=1), seed)
        chinese = world[world["kind"] == "company"][["name", "province", "city", "uscc"]]
        return chinese.head(count).reset_index(drop=True), vocabulary("gleif_names.csv.gz")[["name", "country"]]
    found = []
    for name in ("registry_1_5m", "gleif_200k"):
        table = pq.read_table(folder / f"{name}.parquet")
        wanted = count if name == "registry_1_5m" else count // 4
        found.append(table.take(pa.array(np.sort(rng.permutation(table.num_rows)[:wanted]))).to_pandas())
    return found[0].drop(columns="id").reset_index(drop=True), found[1].drop(columns="id").reset_index(drop=True)


def make_entities(names: tuple[pd.DataFrame, pd.DataFrame], seed: int, shares: Shares) -> pd.DataFrame:
    """One row per true company; `entity` is its position, `kind` says what it looks like, `model` whom."""
    rng = stream(seed, "entities")
    base = _taken_apart(names[0]).assign(kind="company", model=-1)
    number = len(base)
    parts = [base]
    for kind, derive in _LOOK_ALIKES.items():
        rows = np.sort(rng.permutation(number)[: int(number * getattr(shares, kind))])
        parts.append(derive(rng, base.take(rows).assign(model=rows, uscc=None)).assign(kind=kind))
    members = _group_members(rng, base, int(number * shares.group))
    parts.append(members[~members.duplicated(["model", "region", "word"])])
    chinese = pd.concat(parts, ignore_index=True)
    chinese = chinese[~chinese["name"].duplicated() | (chinese["kind"] == "same_name")].reset_index(drop=True)
    chinese = _described(rng, chinese.assign(country="中国"))
    foreign = names[1].head(int(number * shares.foreign)).drop_duplicates("name").reset_index(drop=True)
    entities = pd.concat([chinese, _foreign(rng, foreign)], ignore_index=True)
    return entities.assign(entity=np.arange(len(entities)))


def _taken_apart(names: pd.DataFrame) -> pd.DataFrame:
    names = names[names["name"].str.len() >= 6].drop_duplicates("name").reset_index(drop=True)
    parsed = parse_names(pa.array(names["name"].to_list(), pa.string())).to_pandas()
    parts = names.assign(
        region=parsed["region"].fillna(""),
        core=parsed["core"].fillna(""),
        word=parsed["industry_word"].fillna(""),
        form=parsed["form"].fillna(""),
        tail=parsed["branch"].fillna(""),
    )
    return parts[parsed["core"].notna() & (parts["core"].str.len() >= 2)].reset_index(drop=True)


def _elsewhere(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Province and city of another row; in one city nobody could tell the two apart, so such rows are left out."""
    other = rows.take(rng.permutation(len(rows)))
    moved = rows.assign(province=other["province"].to_numpy(), city=other["city"].to_numpy())
    return moved[(moved["city"] != rows["city"]) & moved["city"].ne("")]


def _branches(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    moved = _elsewhere(rng, rows[rows["tail"] == ""])
    kind = draw(rng, ["分公司", "办事处", "第一分公司", "第二分公司"], len(moved), [8, 1, 1, 1]).to_numpy()
    tail = moved["city"].str.removesuffix("市") + kind
    return moved.assign(name=moved["name"] + tail, tail=tail)


def _namesakes(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Same core, trade and form, another place in the name."""
    moved = _elsewhere(rng, rows[rows["tail"] == ""])
    region = moved["city"].str.removesuffix("市")
    return moved.assign(name=region + moved["core"] + moved["word"] + moved["form"], region=region)


def _same_names(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """The very same name in another city: shops, traders, and companies whose name bears no place."""
    named = rows[rows["tail"].eq("") & rows["word"].ne("")]
    placeless = named["core"] + named["word"] + named["form"]
    shops = named["core"] + draw(rng, ["小吃店", "服装店", "烟酒商行", "便利店"], len(named)).to_numpy()
    return _elsewhere(rng, named.assign(name=np.where(rng.random(len(named)) < 0.5, placeless, shops), region=""))


def _twins(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["form"].isin(list(FORM_SWAP)) & rows["tail"].eq("")]
    name = [name.removesuffix(form) + FORM_SWAP[form] for name, form in zip(rows["name"], rows["form"], strict=True)]
    return rows.assign(name=name, form=rows["form"].map(FORM_SWAP))


def _near(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """One character of the proper name is another one: looks like a slip, is another firm (庆联, 庆悦)."""
    letters = draw(rng, words_of("core")["text"], len(rows))
    core = rows["core"].str[:-1].to_numpy() + letters.to_numpy()
    name = [name.replace(old, new, 1) for name, old, new in zip(rows["name"], rows["core"], core, strict=True)]
    return rows.assign(name=name, core=core)


def _sisters(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Another trade of the same owner: one telephone, address, representative and domain for both."""
    rows = rows[rows["word"].ne("") & rows["tail"].eq("") & ~rows["word"].isin(_SISTER_TRADES)]
    word = draw(rng, _SISTER_TRADES, len(rows)).to_numpy()
    return rows.assign(name=rows["region"] + rows["core"] + word + rows["form"], word=word)


def _numerals(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    number = draw(rng, list("二三四五"), len(rows)).to_numpy()
    core = rows["core"] + "第" + number
    return rows.assign(name=rows["region"] + core + rows["word"] + "厂", core=core, form="厂")


def _heirs(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Companies that today bear the name which another one gave up: it is their model's former name."""
    letters = words_of("core")["text"]
    core = (draw(rng, letters, len(rows)) + draw(rng, letters, len(rows)) + draw(rng, letters, len(rows))).to_numpy()
    return rows.assign(name=rows["region"] + core + rows["word"] + rows["form"], core=core)


def _converted(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """个转企: the trader became a company with a code of its own; owner, telephone and address stayed."""
    return rows.assign(name=rows["region"] + rows["core"] + rows["word"].str[:2] + "经营部", form="经营部")


_LOOK_ALIKES = {
    "branch": _branches,
    "namesake": _namesakes,
    "same_name": _same_names,
    "twin": _twins,
    "near": _near,
    "sister": _sisters,
    "numeral": _numerals,
    "heir": _heirs,
    "converted": _converted,
}


def _group_members(rng: np.random.Generator, base: pd.DataFrame, count: int) -> pd.DataFrame:
    """Members of groups: the group's proper name, place and trade of their own, the group's domain."""
    heads = rng.permutation(len(base))[: max(1, count // 8)]
    owner = heads[rng.integers(0, len(heads), count)]
    rows = base.take(owner).assign(model=owner, uscc=None)
    other = base.take(rng.integers(0, len(base), count))
    place, word = other["city"].str.removesuffix("市").to_numpy(), other["word"].where(other["word"] != "", "实业")
    name = np.where(
        rng.random(count) < 0.5, place + rows["core"].to_numpy(), rows["core"].to_numpy() + "(" + place + ")"
    )
    return rows.assign(
        name=name + word.to_numpy() + "有限公司",
        region=place,
        word=word.to_numpy(),
        form="有限公司",
        tail="",
        province=other["province"].to_numpy(),
        city=other["city"].to_numpy(),
        kind="group",
    )


def _described(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Code, numbers, people, places, telephones, mail and web; look-alikes share what the kind says."""
    count, serial = len(rows), np.arange(len(rows))
    regions = vocabulary("regions.csv")
    area = take(regions["area_code"], draw_index(rng, len(regions), count))
    made = unified_codes(
        take(regions["city_code"], rng.integers(0, len(regions), count)), serial, rng.random(count) < 0.5
    )
    founded = (
        pad(rng.integers(1990, 2025, count), 4)
        + "-"
        + pad(rng.integers(1, 13, count), 2)
        + "-"
        + pad(rng.integers(1, 29, count), 2)
    )
    street = draw(rng, words_of("street")["text"], count)
    rows = rows.assign(
        uscc=rows["uscc"].fillna(made),
        registration_no=pad(rng.integers(110000000000000, 659999999999999, count), 15),
        legal_representative=_people(rng, count),
        capital=draw(rng, ["10", "50", "100", "200", "500", "1000", "3000", "10000"], count),
        founded_on=founded,
        street=street
        + pad(rng.integers(1, 1999, count), 1)
        + "号"
        + pad(rng.integers(1, 30, count) * 100 + 1, 1)
        + "室",
        phone=landlines(area, serial).where(rng.random(count) < 0.6, mobile_numbers(serial)),
        second_phone=mobile_numbers(serial + 2_000_000),
        industry=draw(rng, vocabulary("industries.csv")["industry"], count),
    )
    rows["name_en"] = [
        _english(*parts)
        for parts in zip(rows["region"], rows["core"], rows["word"], rows["form"], rows["tail"], strict=True)
    ]
    latin = np.array(
        [_latin(core).lower() + _latin(word[:2]).lower() for core, word in zip(rows["core"], rows["word"], strict=True)]
    )
    rows["domain"] = (
        latin + pad(serial % 97, 1).to_numpy() + draw(rng, [".com", ".cn", ".com.cn", ".net"], count).to_numpy()
    )
    rows["former"] = _former(rng, rows)
    return _shared_among(rng, rows)


def _former(rng: np.random.Generator, rows: pd.DataFrame) -> pd.Series:
    """A name of earlier days for every tenth: another proper name, rarely another trade or place."""
    letters = words_of("core")["text"]
    core = draw(rng, letters, len(rows)) + draw(rng, letters, len(rows))
    region, word, form = (rows[name].reset_index(drop=True) for name in ("region", "word", "form"))
    former = region + core + word.where(rng.random(len(rows)) < 0.8, "贸易") + form
    former = former.where((rng.random(len(rows)) < 0.1) & rows["tail"].eq("").to_numpy())
    former.index = rows.index
    heirs = rows[rows["kind"] == "heir"]
    given_up = dict(zip(heirs["model"], heirs["name"], strict=True))
    return former.where(~rows.index.isin(list(given_up)), rows.index.to_series().map(given_up))


def _shared_among(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """What relatives share, agents' telephones and addresses of hundreds, and who has what at all."""
    owner = rows["model"].where(rows["model"] >= 0, rows.index).to_numpy()
    kind = rows["kind"]
    for column, kinds in {
        "domain": ("branch", "group", "sister"),
        "phone": ("sister", "converted"),
        "legal_representative": ("sister", "converted"),
        "street": ("sister", "converted"),
        "city": ("sister", "converted"),
        "province": ("sister", "converted"),
    }.items():
        rows[column] = rows[column].where(~kind.isin(kinds), rows[column].to_numpy()[owner])
    count = len(rows)
    lot = rng.random(count)
    agent = draw(rng, mobile_numbers(4_999_000 + np.arange(6)), count, [9, 5, 3, 2, 1, 1]).to_numpy()
    agent = np.where(kind.isin(_SAME_AGENT), agent[owner], agent)
    of_agent = lot <= 0.08
    # Who begins another firm of nearly that name does it where he knows the way: at the same agent.
    of_agent = np.where(kind.isin(_SAME_AGENT) & (rng.random(count) < 0.7), True, of_agent)
    of_agent[owner[kind.isin(_SAME_AGENT) & of_agent]] = True
    rows["phone"] = rows["phone"].where(~of_agent, agent)
    small = ~of_agent & (lot < 0.12)  # an agent of four clients: too few to be seen as shared
    rows["phone"] = rows["phone"].where(~small, mobile_numbers(4_000_000 + np.cumsum(small) // 4).to_numpy())
    rows["street"] = rows["street"].where(rng.random(count) > 0.04, "经济开发区创业服务中心1号楼集群注册")
    has_domain = rng.random(count) < 0.6
    rows["website"] = ("www." + rows["domain"]).where(has_domain)
    free = (
        rows["domain"].str.split(".").str[0]
        + pad(np.arange(count), 1).to_numpy()
        + draw(rng, ["@qq.com", "@163.com"], count).to_numpy()
    )
    rows["email"] = ("info@" + rows["domain"]).where(has_domain & ~kind.isin(["branch", "group"]), free)
    return rows


def _people(rng: np.random.Generator, count: int) -> pd.Series:
    surnames, given = words_of("surname"), words_of("given")
    second = draw(rng, given["text"], count).where(rng.random(count) < 0.7, "")
    return (
        draw(rng, surnames["text"], count, surnames["weight"].astype(float)) + draw(rng, given["text"], count) + second
    )


def _latin(text: str) -> str:
    number = [int(hashlib.md5(letter.encode()).hexdigest()[:4], 16) for letter in text]
    return "".join(_SYLLABLES[value % len(_SYLLABLES)] for value in number).capitalize()


def _english(region: str, core: str, word: str, form: str, tail: str) -> str:
    ending = {"厂": "Factory", "经营部": "Trading House", "股份有限公司": "Joint Stock Co., Ltd."}.get(
        form, "Co., Ltd."
    )
    branch = f"{_latin(tail)} Branch" if tail else ""
    return " ".join(part for part in (_latin(region), _latin(core), _latin(word), ending, branch) if part)


def _foreign(rng: np.random.Generator, names: pd.DataFrame) -> pd.DataFrame:
    count, serial = len(names), np.arange(len(names))
    label = names["name"].str.lower().str.replace(r"[^a-z0-9]", "", regex=True).str[:16]
    label = label.where(~label.duplicated(keep=False), label + pad(serial, 1))
    american = "+1 212 " + pad(2_000_000 + serial, 7).str.replace(r"(\d{3})(\d{4})", r"\1 \2", regex=True)
    has_domain = rng.random(count) < 0.75
    return names.assign(
        kind="foreign",
        model=-1,
        region="",
        word="",
        form="",
        tail="",
        name_en=names["name"],
        core=names["name"].str.replace(r"[ ,]+[\w./&]+\.?$", "", regex=True),
        city=draw(rng, ["London", "Paris", "New York", "Berlin", "Milan", "Singapore"], count),
        phone=american,
        second_phone=american,
        domain=label + ".com",
        website=("https://www." + label + ".com/").where(has_domain),
        email=("info@" + label + ".com").where(has_domain),
        street=pad(rng.integers(1, 999, count), 1)
        + " "
        + draw(rng, ["High Street", "Main Road", "Station Road"], count),
        founded_on=pad(rng.integers(1950, 2025, count), 4) + "-" + pad(rng.integers(1, 13, count), 2) + "-11",
        industry="Manufacturing",
    )
