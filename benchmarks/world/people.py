"""Invented people: names, posts, the company each works for, and the keys each can be reached by."""

import numpy as np
import pandas as pd

from .common import WorldSize, draw, draw_index, pad, repeat, stream, take, words_of
from .companies import ACTIVE
from .identifiers import mobile_numbers

TITLES = {
    "董事长": ("c_level", "总经办", 2),
    "总经理": ("c_level", "总经办", 5),
    "副总经理": ("vp", "总经办", 5),
    "信息总监": ("director", "信息部", 5),
    "生产总监": ("director", "生产部", 4),
    "IT经理": ("manager", "信息部", 10),
    "信息化经理": ("manager", "信息部", 8),
    "生产经理": ("manager", "生产部", 8),
    "采购经理": ("manager", "采购部", 8),
    "质量主管": ("manager", "质量部", 5),
    "工艺工程师": ("staff", "技术部", 10),
    "自动化工程师": ("staff", "设备部", 10),
    "采购专员": ("staff", "采购部", 8),
    "行政助理": ("staff", "行政部", 4),
}
FOREIGN_TITLES = {
    "CEO": ("c_level", "Management", 3),
    "VP Operations": ("vp", "Operations", 4),
    "IT Director": ("director", "IT", 5),
    "Plant Manager": ("manager", "Production", 8),
    "Procurement Manager": ("manager", "Purchasing", 8),
    "Automation Engineer": ("staff", "Engineering", 10),
    "Buyer": ("staff", "Purchasing", 6),
}
FREE_MAIL = {"qq.com": 45, "163.com": 30, "126.com": 10, "foxmail.com": 5}
ABSENT_SHARE = 0.05  # people whose company stands in no list
STRANGER_SHARE = 0.04  # people who give no company: private persons, students, tests


def make_people(size: WorldSize, seed: int, companies: pd.DataFrame) -> pd.DataFrame:
    """One row per person, its number being its position: name, post, company, keys, and how active they are.

    `entity` is the company's number, -1 where the person works for none of the world's; every person holds at least one
    of corporate e-mail, personal e-mail and mobile. `activity` weighs how many touches they get, none before
    the second `since`.
    """
    rng = stream(seed, "people")
    count = size.people
    entity = _give_companies(rng, count, companies)
    home = companies.take(np.maximum(entity, 0)).reset_index(drop=True)
    is_foreign = pd.Series((entity >= 0) & (home["kind"] == "foreign").to_numpy())
    people = pd.DataFrame({"person": np.arange(count), "entity": entity, "is_foreign": is_foreign})
    people = pd.concat([people, _names(rng, is_foreign), _posts(rng, is_foreign)], axis=1)
    people = pd.concat([people, _keys(rng, people, home["domain"].where(entity >= 0))], axis=1)
    intent = rng.gamma(0.8, 1.0, len(companies) + 1)[entity]
    people["activity"] = (rng.gamma(1.2, 1.0, count) * (0.2 + intent)).clip(max=10.0)
    known_at = size.first_second + rng.random(count) * (size.last_second - size.first_second) * 0.95
    people["since"] = np.where(rng.random(count) < 0.3, size.first_second, known_at).astype(np.int64)
    people["absent_company"] = _absent_companies(rng, people)
    return people


def primary_email(people: pd.DataFrame) -> pd.Series:
    """The corporate address, else the personal one."""
    return people["corporate_email"].fillna(people["personal_email"])


def _give_companies(rng: np.random.Generator, count: int, companies: pd.DataFrame) -> np.ndarray:
    """A buying group of one to a dozen at some 0.4 companies per person; fitting and living companies are preferred."""
    alive = companies["status"].isin(ACTIVE).to_numpy()
    weights = np.exp(2.2 * companies["fit"].to_numpy()) * np.where(alive, 1.0, 0.05)
    weights *= np.where(companies["kind"] == "foreign", 0.3, 1.0)
    known = np.unique(draw_index(rng, len(companies), max(8, int(count * 0.45)), weights))
    size = rng.gamma(1.0, 1.0, len(known)) + 0.15
    entity = known[draw_index(rng, len(known), count, size)]
    return np.where(rng.random(count) < ABSENT_SHARE + STRANGER_SHARE, -1, entity)


def _names(rng: np.random.Generator, is_foreign: pd.Series) -> pd.DataFrame:
    count = len(is_foreign)
    surnames, given = words_of("surname"), words_of("given")
    family = draw_index(rng, len(surnames), count, surnames["weight"].astype(float))
    first, second = rng.integers(0, len(given), (2, count))
    has_second = rng.random(count) < 0.75
    chinese_given = take(given["text"], first) + take(given["text"], second).where(has_second, "")
    pinyin_given = take(given["pinyin"], first) + take(given["pinyin"], second).where(has_second, "")
    english_first, english_last = (
        draw(rng, words_of("first name")["text"], count),
        draw(rng, words_of("last name")["text"], count),
    )
    return pd.DataFrame(
        {
            "name": (take(surnames["text"], family) + chinese_given).where(
                ~is_foreign, english_first + " " + english_last
            ),
            "first_name": chinese_given.where(~is_foreign, english_first),
            "last_name": take(surnames["text"], family).where(~is_foreign, english_last),
            "mail_name": (take(surnames["pinyin"], family) + "." + pinyin_given).where(
                ~is_foreign, english_first.str.lower() + "." + english_last.str.lower()
            ),
        }
    )


def _posts(rng: np.random.Generator, is_foreign: pd.Series) -> pd.DataFrame:
    def posts(titles: dict[str, tuple[str, str, int]]) -> pd.DataFrame:
        table = pd.DataFrame(
            [(title, *rest) for title, rest in titles.items()], columns=["title", "seniority", "department", "weight"]
        )
        return table.take(draw_index(rng, len(table), len(is_foreign), table["weight"])).reset_index(drop=True)

    return posts(TITLES).where(~is_foreign, posts(FOREIGN_TITLES)).drop(columns="weight")


def _keys(rng: np.random.Generator, people: pd.DataFrame, domains: pd.Series) -> pd.DataFrame:
    """Mostly a corporate e-mail where the company has a domain, else a personal one; a mobile, a WeChat id."""
    count, serial = len(people), people["person"].to_numpy()
    corporate = people["mail_name"] + "@" + domains
    double = corporate.groupby(corporate, dropna=False).cumcount().to_numpy()
    corporate = (people["mail_name"] + pad(double + 1, 1)).where(double > 0, people["mail_name"]) + "@" + domains
    corporate = corporate.where(rng.random(count) < 0.85)
    free = draw(rng, list(FREE_MAIL), count, list(FREE_MAIL.values())).where(~people["is_foreign"], "gmail.com")
    personal = people["mail_name"] + ".w" + pad(serial, 5) + "@" + free
    personal = personal.where((rng.random(count) < 0.22) | (corporate.isna() & (rng.random(count) < 0.6)))
    mobile = mobile_numbers(serial + 2_000_000).where(~people["is_foreign"])
    mobile = mobile.where((rng.random(count) < 0.86) | (corporate.isna() & personal.isna()))
    personal = personal.fillna(
        (people["mail_name"] + ".w" + pad(serial, 5) + "@" + free).where(corporate.isna() & mobile.isna())
    )
    unionid = ("oAbmWorld" + pad(serial, 19)).where(~people["is_foreign"] & (rng.random(count) < 0.4))
    return pd.DataFrame(
        {"corporate_email": corporate, "personal_email": personal, "mobile": mobile, "wechat_unionid": unionid}
    )


def _absent_companies(rng: np.random.Generator, people: pd.DataFrame) -> pd.Series:
    """What people write who work for none of the listed companies: an unlisted company, or none at all."""
    count = len(people)
    cores = words_of("core")["text"]
    unlisted = draw(rng, ["苏州", "东莞", "宁波", "武汉", "成都"], count)
    for _ in range(4):  # listed cores have two or three characters: four can be none of them
        unlisted += draw(rng, cores, count)
    unlisted += draw(rng, ["机械", "电子", "贸易", "设备"], count) + "有限公司"
    nothing = draw(rng, ["个人", "无", "自由职业", "test", "-", "学生", "暂无"], count)
    is_stranger = rng.random(count) < STRANGER_SHARE / (ABSENT_SHARE + STRANGER_SHARE)
    return unlisted.where(~is_stranger, nothing).where(people["entity"] < 0, repeat(None, count))
