"""Invented Chinese companies with their traps (namesakes, twins, branches, groups) and foreign names from GLEIF."""

import numpy as np
import pandas as pd

from .common import WorldSize, draw, draw_index, pad, repeat, stream, take, vocabulary, words_of
from .identifiers import foreign_phones, landlines, mobile_numbers, unified_codes

FOREIGN_SHARE = 0.4
FORMS = {"有限公司": 78, "有限责任公司": 7, "股份有限公司": 8, "集团有限公司": 3, "科技有限公司": 4}
STATUSES = {"存续": 84, "在业": 5, "开业": 2, "注销": 6, "吊销": 2, "停业": 1}
ACTIVE = ["存续", "在业", "开业", "Active"]
AGENT_COUNT = 3  # registration agents whose one phone stands on hundreds of companies
EURO_AND_DOLLAR = ["EUR", "USD"]


def make_companies(size: WorldSize, seed: int) -> pd.DataFrame:
    """One row per real-world company, its number being its position: names, keys, place, size, status, parent and fit.

    `parent` is the number of the group or of the company a branch belongs to, -1 without; `fit` in 0..1 is how well the
    company suits the vendor (manufacturing, 100 and more employees, developed province, active): what deals grow from.
    """
    rng = stream(seed, "companies")
    names = vocabulary("gleif_names.csv.gz")
    foreign_count = min(int(size.companies * FOREIGN_SHARE), len(names))
    chinese = _name_chinese(rng, size.companies - foreign_count)
    chinese = _describe_chinese(rng, chinese)
    foreign = _describe_foreign(rng, names.head(foreign_count))
    companies = pd.concat([chinese, foreign], ignore_index=True)
    companies["domain"] = _give_domains(rng, companies)
    companies["fit"] = _fit(companies)
    companies.insert(0, "entity", np.arange(len(companies)))
    return companies


def _name_chinese(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """Distinct legal names; base companies first, then what is derived from them, so that parents are positions."""
    base_count = int(count * 0.86)
    base = _compose(_draw_parts(rng, int(base_count * 1.3) + 50)).drop_duplicates("name").head(base_count)
    base = base.assign(kind="company", parent=-1).reset_index(drop=True)
    namesakes = _compose(_elsewhere(rng, _some(rng, base, count * 0.06))).assign(kind="namesake", parent=-1)
    twins = _compose(_swap_form(_some(rng, base, count * 0.02))).assign(kind="twin", parent=-1)
    branches = _branches(rng, _some(rng, base, count * 0.05))
    subsidiaries = _subsidiaries(rng, base[base["form"] == "集团有限公司"], int(count * 0.06))
    derived = pd.concat([namesakes, twins, branches, subsidiaries], ignore_index=True)
    derived = derived.take(rng.permutation(len(derived)))
    return pd.concat([base, derived]).drop_duplicates("name").head(count).reset_index(drop=True)


def _draw_parts(rng: np.random.Generator, count: int) -> pd.DataFrame:
    characters = words_of("core")
    picks = rng.integers(0, len(characters), (3, count))
    has_third = rng.random(count) < 0.35
    core, pinyin = repeat("", count), repeat("", count)
    for place, pick in enumerate(picks):
        used = has_third if place == 2 else np.ones(count, dtype=bool)
        core += take(characters["text"], pick).where(used, "")
        pinyin += take(characters["pinyin"], pick).where(used, "")
    return pd.DataFrame(
        {
            "core": core,
            "core_pinyin": pinyin,
            "region": draw_index(
                rng, len(vocabulary("regions.csv")), count, vocabulary("regions.csv")["weight"].astype(float)
            ),
            "trade": draw_index(
                rng, len(vocabulary("industries.csv")), count, vocabulary("industries.csv")["weight"].astype(float)
            ),
            "form": draw(rng, list(FORMS), count, list(FORMS.values())),
            "style": rng.choice(5, count, p=[0.56, 0.18, 0.09, 0.07, 0.10]),
        }
    )


def _compose(parts: pd.DataFrame) -> pd.DataFrame:
    """The legal name from its parts, in one of five orders in use."""
    parts = parts.reset_index(drop=True)
    regions = vocabulary("regions.csv")
    full_city = take(regions["city"], parts["region"])
    city = full_city.str.removesuffix("市")
    province = take(regions["province"], parts["region"]).str.replace("省|市|(?:壮族|维吾尔)?自治区", "", regex=True)
    trade = take(vocabulary("industries.csv")["word"], parts["trade"])
    middle = parts["core"] + trade
    styles = [
        city + middle + parts["form"],
        province + middle + parts["form"],
        full_city + middle + parts["form"],
        middle + "(" + city + ")" + parts["form"],
        middle + parts["form"],
    ]
    name = styles[0]
    for style in range(1, 5):
        name = name.where(parts["style"] != style, styles[style])
    return parts.assign(name=name)


def _some(rng: np.random.Generator, base: pd.DataFrame, count: float) -> pd.DataFrame:
    rows = np.sort(rng.permutation(len(base))[: int(count)])
    return base.take(rows).drop(columns=["name", "kind", "parent"]).assign(origin=rows)


def _elsewhere(rng: np.random.Generator, parts: pd.DataFrame) -> pd.DataFrame:
    """Namesakes: same core, trade and form in another city."""
    places = len(vocabulary("regions.csv"))
    return parts.assign(region=(parts["region"] + rng.integers(1, places, len(parts))) % places, style=0)


def _swap_form(parts: pd.DataFrame) -> pd.DataFrame:
    """Twins: 股份有限公司 where the other is 有限公司, and the other way round."""
    return parts.assign(form=np.where(parts["form"] == "股份有限公司", "有限公司", "股份有限公司"))


def _branches(rng: np.random.Generator, parts: pd.DataFrame) -> pd.DataFrame:
    owner = _compose(parts)
    moved = _elsewhere(rng, owner)
    city = take(vocabulary("regions.csv")["city"], moved["region"]).str.removesuffix("市")
    return moved.assign(name=owner["name"] + city + "分公司", kind="branch", parent=owner["origin"])


def _subsidiaries(rng: np.random.Generator, groups: pd.DataFrame, count: int) -> pd.DataFrame:
    rows = rng.integers(0, max(len(groups), 1), count if len(groups) else 0)
    parts = groups.drop(columns=["name", "kind", "parent"]).assign(origin=groups.index).take(rows)
    parts["form"] = "有限公司"
    parts["trade"] = (parts["trade"] + rng.integers(1, 9, len(parts))) % len(vocabulary("industries.csv"))
    return _compose(_elsewhere(rng, parts)).assign(kind="subsidiary").rename(columns={"origin": "parent"})


def _describe_chinese(rng: np.random.Generator, parts: pd.DataFrame) -> pd.DataFrame:
    count, serial = len(parts), np.arange(len(parts))
    regions = vocabulary("regions.csv").take(parts["region"]).reset_index(drop=True)
    trades = vocabulary("industries.csv").take(parts["trade"]).reset_index(drop=True)
    founded_year = (2025 - rng.gamma(2.2, 5.0, count)).clip(1985, 2025).astype(int)
    founded_day = "-" + pad(rng.integers(1, 13, count), 2) + "-" + pad(rng.integers(1, 29, count), 2)
    is_new = (founded_year >= 2016) & (rng.random(count) < 0.9)
    employees = _employees(rng, parts)
    described = pd.DataFrame(
        {
            "name_en": _english_names(parts, regions["pinyin"], trades["english"]),
            "country": "CN",
            "province": regions["province"],
            "city": regions["city"],
            "district": _one_of_each(rng, regions["districts"]),
            "area_code": regions["area_code"],
            "developed": regions["developed"] == "1",
            "industry": trades["industry"],
            "industry_word": trades["word"],
            "section": trades["section"],
            "abbreviation": trades["abbreviation"],
            "scope": trades["goods"] + draw(rng, SCOPES, count),
            "employees": employees,
            "capital_wan": _capital(rng, employees),
            "founded_on": pad(founded_year, 4) + founded_day,
            "status": draw(rng, list(STATUSES), count, list(STATUSES.values())),
            "uscc": unified_codes(regions["city_code"], serial, is_new),
            "phone": _company_phones(rng, regions["area_code"], serial, employees),
            "former_name": _former_names(rng, parts),
            "legal_representative": _full_names(rng, count),
        }
    )
    described["address"] = _addresses(rng, described)
    return pd.concat([parts[["name", "core", "core_pinyin", "form", "kind", "parent"]], described], axis=1)


def _english_names(parts: pd.DataFrame, city: pd.Series, trade: pd.Series) -> pd.Series:
    group = pd.Series(np.where(parts["form"] == "集团有限公司", " Group", ""), dtype="str")
    return city + " " + parts["core_pinyin"].str.capitalize() + " " + trade + group + " Co., Ltd."


def _addresses(rng: np.random.Generator, rows: pd.DataFrame) -> pd.Series:
    count = len(rows)
    province = rows["province"].where(rows["province"] != rows["city"], "")
    street = draw(rng, words_of("street")["text"], count) + pad(rng.integers(1, 1999, count), 1) + "号"
    building = pad(rng.integers(1, 9, count), 1) + "幢"
    room = pad(rng.integers(1, 30, count) * 100 + rng.integers(1, 20, count), 1) + "室"
    return province + rows["city"] + rows["district"] + street + building + room


SCOPES = [
    "的研发、生产、销售;货物及技术进出口",
    "制造;销售及技术服务;自有厂房租赁",
    "的设计、制造、加工、销售(依法须经批准的项目,经相关部门批准后方可开展经营活动)",
    "销售;技术开发、技术咨询、技术服务、技术转让",
    "的生产加工(凭许可证经营);国内贸易",
]


def _employees(rng: np.random.Generator, parts: pd.DataFrame) -> np.ndarray:
    factor = parts["form"].map({"集团有限公司": 8.0, "股份有限公司": 5.0}).fillna(1.0).to_numpy()
    factor = np.where(parts["kind"] == "branch", 0.4, factor)
    return np.maximum(1, rng.lognormal(np.log(45), 1.25, len(parts)) * factor).astype(int)


def _capital(rng: np.random.Generator, employees: np.ndarray) -> np.ndarray:
    """Registered capital in 10,000 yuan, of the round figures people choose."""
    figures = np.array([10, 50, 100, 200, 300, 500, 800, 1000, 2000, 3000, 5000, 10000, 20000, 50000])
    wanted = employees * rng.lognormal(1.6, 0.8, len(employees))
    return np.take(figures, np.minimum(np.searchsorted(figures, wanted), len(figures) - 1))


def _company_phones(
    rng: np.random.Generator, area_codes: pd.Series, serial: np.ndarray, employees: np.ndarray
) -> pd.Series:
    phones = landlines(area_codes, serial).where(rng.random(len(serial)) < 0.65, mobile_numbers(serial))
    agent = draw(rng, mobile_numbers(4_999_000 + np.arange(AGENT_COUNT)), len(serial))
    phones = phones.where(~((employees < 60) & (rng.random(len(serial)) < 0.12)), agent)
    return phones.where(rng.random(len(serial)) < 0.88)


def _former_names(rng: np.random.Generator, parts: pd.DataFrame) -> pd.Series:
    """A name of earlier days for every fourteenth company: another core in the same place and trade."""
    count = len(parts)
    other = _compose(_draw_parts(rng, count).assign(region=parts["region"], trade=parts["trade"], form="有限公司"))
    return other["name"].where(
        (rng.random(count) < 0.07) & (parts["kind"] == "company") & ~other["name"].isin(parts["name"])
    )


def _full_names(rng: np.random.Generator, count: int) -> pd.Series:
    surnames, given = words_of("surname"), words_of("given")
    second = draw(rng, given["text"], count).where(rng.random(count) < 0.7, "")
    return (
        draw(rng, surnames["text"], count, surnames["weight"].astype(float)) + draw(rng, given["text"], count) + second
    )


def _one_of_each(rng: np.random.Generator, lists: pd.Series) -> pd.Series:
    """One of the |-separated choices of each row."""
    choices = lists.str.split("|", expand=True)
    pick = (rng.random(len(lists)) * choices.notna().sum(axis=1).to_numpy()).astype(int)
    return pd.Series(choices.to_numpy()[np.arange(len(lists)), pick], dtype="str")


def _describe_foreign(rng: np.random.Generator, names: pd.DataFrame) -> pd.DataFrame:
    count, serial = len(names), np.arange(len(names))
    countries = names[["country"]].merge(vocabulary("countries.csv"), on="country", how="left")
    trades = vocabulary("industries.csv")
    trade = trades.take(draw_index(rng, len(trades), count, trades["weight"].astype(float))).reset_index(drop=True)
    employees = np.maximum(2, rng.lognormal(np.log(120), 1.3, count)).astype(int)
    name = names["name"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "name": name,
            "core": name.str.replace(r"[ ,]+(?:[\w./&+]+\.?)$", "", regex=True),
            "core_pinyin": name.str.lower()
            .str.replace(r"[^a-z0-9 ]", "", regex=True)
            .str.split(" ")
            .str[:2]
            .str.join("-"),
            "form": name.str.extract(r"([\w./&+]+\.?)$")[0],
            "kind": "foreign",
            "parent": -1,
            "name_en": name,
            "country": countries["country"],
            "city": _one_of_each(rng, countries["cities"]),
            "developed": False,
            "industry": trade["sector"],
            "industry_word": trade["english"],
            "section": trade["section"],
            "abbreviation": countries["country"].str.lower(),
            "employees": employees,
            "status": "Active",
            "phone": foreign_phones(countries["country"], serial).where(rng.random(count) < 0.6),
            "currency": countries["currency"].where(countries["currency"].isin(EURO_AND_DOLLAR), "USD"),
        }
    )


def _give_domains(rng: np.random.Generator, companies: pd.DataFrame) -> pd.Series:
    """Invented domains with a trade or country in them; branches and most subsidiaries share the owner's."""
    count = len(companies)
    endings = draw(rng, [".com", ".com.cn", ".cn", ".net"], count, [6, 3, 2, 0.6])
    endings = endings.where(companies["kind"] != "foreign", ".com")
    label = companies["core_pinyin"].str.strip("-") + "-" + companies["abbreviation"]
    double = label.groupby(label).cumcount()
    label = label.where(double == 0, label + (double + 1).astype("str"))
    owned = rng.random(count) < np.where(companies["employees"] >= 30, 0.85, 0.4)
    domains = (label + endings).where(owned)
    shares = (companies["kind"] == "branch") | ((companies["kind"] == "subsidiary") & (rng.random(count) < 0.6))
    return domains.where(~shares, take(domains, companies["parent"].clip(lower=0)))


def _fit(companies: pd.DataFrame) -> np.ndarray:
    active = companies["status"].isin(ACTIVE)
    points = (
        0.35 * (companies["section"] == "C") + 0.35 * (companies["employees"] >= 100) + 0.2 * companies["developed"]
    )
    return np.asarray(np.round((points + 0.1) * active, 2), dtype=float)
