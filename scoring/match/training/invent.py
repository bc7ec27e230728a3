"""Invented Chinese companies: region, proper name, trade and form recombined, with the namesakes that real life has."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from scoring.match.training.mistaken import misheard
from scoring.names.words import load_words
from scoring.values.regions import Place, places

Rng = np.random.Generator
Texts = Any  # a NumPy array of objects

# Characters that proper names are made of, the commonest first; a name takes early ones more often.
_FIRST = "".join(
    "华金鑫天宏恒新德安东中盛博瑞海创永建大嘉泰美兴凯佳万龙康润科正锦利信顺广通富国荣亚明远诚双同宝福三绿星宇众丰长百和元世圣易银卓聚智联文方南北浩优鸿祥隆汇亿晟旭"
    "飞云腾迈启铭昊雅奥伟思达景睿翔悦辰红光江山河湖阳春秋雪月玉石雷霆森林松柏竹梅兰菊凤麒麟鹏虎马牛羊贝岩钢铁铜铝锐精工艺匠心禾田农牧渔果蔬花草木水火土风雨航舟船桥路驰途行"
)
_SECOND = "".join(
    "达源鑫盛泰丰信瑞华兴通安和诚成润茂恒隆德宇远宏顺康利祥业辉力博创昌美佳科明龙海天腾亚邦友洋林图航发合旺升杰尚凯益联奇强飞运方特星维嘉百万亿世元光荣阳晨越景锦庆福禄寿喜"
    "乐家园春雅居士诺迪尔斯奥纳克莱曼顿森格威科能电机材化生物医药食品酒茶纸布革皮毛棉麻丝绸缎锋锐铭智慧云数码网络信息环保源泉河江湖山峰岭岩石玉珠宝翠蓝绿青红紫黑白虹霞露雪霜"
)
_LOCAL = ("商店", "经营部", "厂", "店", "超市", "加工厂", "门市部", "服务部", "工作室", "中心")
_TRADES_OF_COOPERATIVES = ("种植", "养殖", "种植养殖", "农机", "水果", "蔬菜", "粮食种植", "苗木", "茶叶", "畜牧")
_BANKS = ("银行", "人寿保险", "财产保险", "证券", "邮政", "电信", "烟草", "石油", "电网", "联合网络通信")
_BRANCH_WORDS = (
    "金属结构", "工程", "制冷设备", "电器", "配电", "输变电", "废旧金属", "资产经营", "客运", "货运", "蔬菜", "农资",
    "副食", "机电", "安装", "建筑", "装饰", "物业", "汽车", "燃气", "销售", "健康药房", "大药房", "便民", "旅游",
    "印刷", "印刷机械", "综合", "技术", "贸易",
)  # fmt: skip
_ENDINGS_OF_FIRMS = (
    "分公司",
    "经营部",
    "门市部",
    "专卖店",
    "营业部",
    "分店",
    "连锁店",
    "加油站",
    "服务部",
    "销售部",
    "营业厅",
    "旗舰店",
)
_ENDINGS_OF_BANKS = ("支行", "分行", "支公司", "营业部", "分理处", "营业所", "中心支公司", "分公司", "营业厅", "邮政所")
_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十五", "二十", "1", "2", "3")
_FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司", "集团股份有限公司", "公司", "总公司")
_FORM_SHARES = (0.72, 0.16, 0.04, 0.03, 0.005, 0.035, 0.01)
_OF_ONE_SOUND = 0.15  # of the namesakes but for a character: a name that was taken is registered with a homophone
_ZIPF_CHARACTERS, _ZIPF_TRADES, _ZIPF_PLACES = 0.75, 0.95, 0.5


@dataclass(frozen=True)
class Companies:
    """Columns of equal length: the name, and the code of the town where the company sits."""

    names: Texts
    place_codes: Texts


def invent_companies(count: int, rng: Rng) -> Companies:
    """So many companies with distinct names, of which one in four shares its proper name with others.

    One in twelve is a branch of another, and a few houses have hundreds of branches; one in thirty differs from another
    in one character of the proper name only, or in its form, or in its trade.
    """
    size = int(count * 1.15)
    where = _draw(list(_towns()), rng, size, _ZIPF_PLACES)
    cores = invent_cores(size, rng)
    names = np.array([_name(core, town, rng) for core, town in zip(cores, where, strict=True)], object)
    codes = np.array([town.code for town in where], object)
    names, codes = _with_houses(names, codes, rng)
    names, codes = _with_look_alikes(names, codes, cores, rng)
    _, first = np.unique(names.astype(str), return_index=True)
    kept = np.sort(rng.permutation(first)[:count])
    return Companies(names[kept], codes[kept])


def invent_cores(count: int, rng: Rng) -> Texts:
    """Proper names of two to four characters; two in five are taken from an earlier company, the common ones most."""
    first, second = _draw(list(_FIRST), rng, count), _draw(list(_SECOND), rng, count)
    third, fourth = _draw(list(_SECOND), rng, count), _draw(list(_SECOND), rng, count)
    length = rng.choice([2, 3, 4], count, p=[0.72, 0.2, 0.08])
    cores = np.array(first + second, object)
    cores = np.where(length >= 3, cores + third, cores)
    cores = np.where(length >= 4, cores + fourth, cores)
    taken = rng.random(count) < 0.4
    of = (np.arange(count) * rng.random(count)).astype(np.int64)
    for row in np.flatnonzero(taken):
        cores[row] = cores[of[row]]
    return cores


def town_names(code: str) -> tuple[str, ...]:
    """The ways to write a town, the full one first."""
    return places()[code].names


@lru_cache(maxsize=1)
def _towns() -> tuple[Place, ...]:
    """Cities and districts with a short name, in an order without meaning."""
    known = [place for place in places().values() if place.level != "province" and len(place.names) > 1]
    return tuple(known[row] for row in np.random.default_rng(5).permutation(len(known)))


def _draw(values: list[Any], rng: Rng, count: int, power: float = _ZIPF_CHARACTERS) -> Texts:
    weights = 1 / np.arange(3, len(values) + 3) ** power
    column = np.empty(len(values), object)
    column[:] = values
    return column[rng.choice(len(values), count, p=weights / weights.sum())]


def _trade(rng: Rng) -> str:
    words = _trades()
    at = (len(words) * rng.random(2) ** (1 + 2 * _ZIPF_TRADES)).astype(np.int64)
    return str(words[at[0]] + (words[at[1]] if rng.random() < 0.3 else ""))


@lru_cache(maxsize=1)
def _trades() -> tuple[str, ...]:
    return tuple(word for word in load_words().industry_words if len(word) > 1)


def _region(town: Place, rng: Rng) -> str:
    full, short = town.names[0], town.names[1]
    up = places().get(town.parent_code)
    kind = rng.random()
    if kind < 0.42:
        return short
    if kind < 0.8:
        return full
    if up is not None and kind < 0.92:
        return up.names[1]
    if up is not None and kind < 0.97:
        return up.names[0] + full
    return ""


def _name(core: str, town: Place, rng: Rng) -> str:
    region, kind = _region(town, rng), rng.random()
    if kind < 0.08:
        return f"{region}{core}{_TRADES_OF_COOPERATIVES[rng.integers(len(_TRADES_OF_COOPERATIVES))]}农民专业合作社"
    if kind < 0.16:
        return f"{region}{core}{_trade(rng)}{_LOCAL[rng.integers(len(_LOCAL))]}"
    form = str(rng.choice(_FORMS, p=_FORM_SHARES))
    if kind < 0.22 and region:
        return f"{core}({region}){_trade(rng)}{form}"
    if kind < 0.25:
        return f"{core}{_trade(rng)}{region}{form}" if rng.random() < 0.5 else f"{core}{_trade(rng)}{form}"
    return f"{region}{core}{_trade(rng)}{form}"


def _with_houses(names: Texts, codes: Texts, rng: Rng) -> tuple[Texts, Texts]:
    """One in seven becomes a branch: of a few houses with very many, or of a company with two to a dozen."""
    size = len(names)
    houses = [f"中国{word}股份有限公司" for word in _BANKS] + rng.choice(names, 20).tolist()
    rank = np.minimum(rng.zipf(1.5, size) - 1, len(houses) - 1)
    kind = rng.random(size)
    family, left = 0, 0
    for row in np.flatnonzero(kind < 0.15):
        town = places()[codes[row]].names[int(rng.random() < 0.6)]
        if kind[row] < 0.06:
            names[row] = houses[rank[row]] + _branch(town, _ENDINGS_OF_BANKS, rng)
            continue
        if not left:
            family, left = int(size * rng.random()), int(rng.geometric(0.3))
        left -= 1
        here = places()[codes[family]].names[int(rng.random() < 0.6)]
        names[row] = names[family] + _branch(here if rng.random() < 0.5 else town, _ENDINGS_OF_FIRMS, rng)
        codes[row] = codes[family] if rng.random() < 0.8 else codes[row]
    return names, codes


def _branch(town: str, endings: tuple[str, ...], rng: Rng) -> str:
    """What a branch is called by: its town, its street, its number, what it does, or a name of its own."""
    ending, kind = endings[rng.integers(len(endings))], rng.random()
    if kind < 0.25:
        return town + ending
    if kind < 0.45:
        street = str(invent_cores(1, rng)[0]) + ("路", "街", "镇", "大道", "广场", "", "花园", "桥")[rng.integers(8)]
        return (town if rng.random() < 0.4 else "") + street + ending
    if kind < 0.7:
        number = _NUMBERS[rng.integers(len(_NUMBERS))]
        before = town if rng.random() < 0.3 else ""
        return before + ("第" if rng.random() < 0.6 else "") + number + ending
    if kind < 0.85:
        return _BRANCH_WORDS[rng.integers(len(_BRANCH_WORDS))] + ending
    return (town if rng.random() < 0.5 else "") + str(invent_cores(1, rng)[0]) + ending


def _with_look_alikes(names: Texts, codes: Texts, cores: Texts, rng: Rng) -> tuple[Texts, Texts]:
    """One in nine is like another but for a character, the form, a word more, the trade, or the place."""
    for row in np.flatnonzero(rng.random(len(names)) < 0.11):
        target = int(len(names) * rng.random())
        names[target], codes[target] = _look_alike(names[row], cores[row], codes[row], rng)
    return names, codes


def _look_alike(name: str, core: str, code: str, rng: Rng) -> tuple[str, str]:
    kind = rng.random()
    if kind < 0.3:
        at, letter = rng.integers(len(core)), str(_draw(list(_SECOND), rng, 1)[0])
        other = misheard(core, rng) if rng.random() < _OF_ONE_SOUND else core[:at] + letter + core[at + 1 :]
        return name.replace(core, other, 1), code
    if kind < 0.34:
        return name.replace(core, core[::-1] if len(core) == 2 else core[1:] + core[:1], 1), code
    if kind < 0.41:
        return (name.replace("股份", "", 1) if "股份" in name else name.replace("有限公司", "股份有限公司", 1)), code
    if kind < 0.5:
        more = ("国际", "新", "集团", "华南", "控股", "二", "中", "大", "新能源", "兴")[rng.integers(10)]
        return name.replace(core, core + more, 1), code
    if kind < 0.7:
        return name[: name.find(core) + len(core)] + _trade(rng) + "有限公司", code
    other = _kin(code, rng)
    for region in places()[code].names:
        if name.startswith(region):
            return name.replace(region, places()[other].names[int(rng.random() < 0.6)], 1), other
    return name, other


def _kin(code: str, rng: Rng) -> str:
    """A place near: the one above, one inside, one beside."""
    place = places()[code]
    kin = _children().get(code, []) if rng.random() < 0.5 else []
    if not kin and rng.random() < 0.5 and place.parent_code in places():
        return place.parent_code
    kin = kin or _children().get(place.parent_code, [code])
    return kin[rng.integers(len(kin))]


@lru_cache(maxsize=1)
def _children() -> dict[str, list[str]]:
    inside: dict[str, list[str]] = {}
    for place in places().values():
        if len(place.names) > 1:
            inside.setdefault(place.parent_code, []).append(place.code)
    return inside
