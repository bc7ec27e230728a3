"""How people write a company down: cut short, with slips, in another form or script, pasted with wrappings."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import opencc

from scoring.match.training.invent import Rng
from scoring.match.training.mistaken import misheard, misread, mistyped

Texts = Any  # a NumPy array of objects
Parts = Mapping[str, str]  # name, region, core, industry_word, form, branch of one name; "" where absent

_DEPARTMENTS = (
    "采购部",
    "技术中心",
    "市场部",
    "研发中心",
    "(总部)",
    "信息部",
    "销售部",
    "财务部",
    "人力资源部",
    "工程部",
)
_LATIN_DEPARTMENTS = (" - Marketing", " (Sales)", " HQ", " Intl", " IT", " - Procurement", " (APAC)", " Finance")
_WRAPPINGS = (
    "《{}》",
    "“{}”",
    '"{}"',
    "公司名称：{}",
    "贵司：{}",
    "单位：{}",
    "【{}】",
    "{}。",
    "{}（盖章）",
    "工作单位: {}",
    "'{}'",
    "客户单位：{}",
    "2、{}",
    "{}（在职）",
    "任职于{}",
    "◆ {}",
)
_LATIN_WRAPPINGS = ('"{}"', "Company: {}", "[{}]", "{}.", "{} ,", "company name: {}", "* {}", "Client - {}", "({})")
_SLIPS = (
    "华金鑫天宏恒新德安东中盛博瑞海创永建大嘉泰美兴凯佳万龙康润科正利信顺广通富国荣亚"
    "明远诚同宝福星众丰长和元联文方鸿祥隆汇亿达源业成茂的是有在一"
)
_LETTERS = "etaoinsrhldcumfpgwybvkxjqz"
_FORM_SWAPS = (
    ("有限公司", "有限责任公司"), ("有限责任公司", "有限公司"), ("有限公司", "集团有限公司"), ("有限公司", "公司"),
    ("有限公司", "有限"), ("股份有限公司", "有限公司"), ("有限公司", "股份有限公司"), ("集团有限公司", "有限公司"),
)  # fmt: skip
_LATIN_FORM_SWAPS = (
    ("limited", "ltd"), ("ltd", "limited"), ("corporation", "corp"), ("corp", "corporation"), ("incorporated", "inc"),
    ("inc", "incorporated"), ("company", "co"), ("co", "company"), ("and", "&"), ("&", "and"),
    ("international", "intl"),
)  # fmt: skip


def write_down(parts: Parts, rng: Rng, mistaken: float = 1) -> str:
    """One way in which a person may write that name: now and then as it is, mostly with one or two kinds of noise.

    mistaken: how often characters are mistaken for others, as a share of how often a judge is to see that.
    """
    is_han = any("\u3400" <= char <= "\u9fff" for char in parts["name"])
    kinds, shares = (
        (_HAN, _shares(_HAN, _HAN_SHARES, mistaken)) if is_han else (_LATIN, _shares(_LATIN, _LATIN_SHARES, mistaken))
    )
    picked = sorted(set(rng.choice(len(kinds), rng.choice([1, 2, 3], p=[0.55, 0.35, 0.1]), p=shares).tolist()))
    text = parts["name"]
    for kind in picked:
        text = kinds[kind](text, parts, rng)
    return text if len(text.strip()) > 1 else parts["name"]


def write_again(text: str, rng: Rng) -> str:
    """A known other writing as some write it down in their turn: with a character mistaken, or in another script."""
    is_han = any("\u3400" <= char <= "\u9fff" for char in text)
    kinds: tuple[Callable[[str, Rng], str], ...] = (misheard, misread, _converted) if is_han else (mistyped,)
    return kinds[rng.integers(len(kinds))](text, rng)


def slip(text: str, rng: Rng, letters: str) -> str:
    """One character wrong, lost, doubled, or two neighbours swapped."""
    if len(text) < 4:
        return text
    at, kind = int(rng.integers(len(text) - 1)), rng.random()
    letter = letters[int(len(letters) * rng.random() ** 1.5)]
    if kind < 0.4:
        return text[:at] + letter + text[at + 1 :]
    if kind < 0.65:
        return text[:at] + text[at + 1 :]
    if kind < 0.75:
        return text[: at + 1] + (text[at] if rng.random() < 0.5 else letter) + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _abbreviate(text: str, parts: Parts, rng: Rng) -> str:
    """The ways to cut a Chinese name short, the plain ones most often."""
    core, trade, branch = parts["core"], parts["industry_word"], parts["branch"]
    kind = rng.random()
    if branch and kind < 0.7:
        return f"{core}{trade}{branch}"
    if kind < 0.3:
        return core + trade
    if kind < 0.5:
        return core + trade[:2]
    if kind < 0.62:
        return core + trade[-2:]
    if kind < 0.72:
        return core
    if kind < 0.85:
        return (parts["region"][:2] + core + trade[:2]) if rng.random() < 0.5 else core + trade[:1]
    return (core[:2] + trade[:1] + trade[2:3]) if rng.random() < 0.5 else (parts["region"][:1] + core[:1] + trade[:2])


def _without_form(text: str, parts: Parts, rng: Rng) -> str:
    if not parts["branch"] and parts["form"] and text.endswith(parts["form"]):
        return text[: -len(parts["form"])]
    for form in ("股份有限公司", "有限责任公司", "有限公司", "公司"):
        if text.endswith(form):
            return text[: -len(form)]
    return text


def _other_form(text: str, parts: Parts, rng: Rng) -> str:
    old, new = _FORM_SWAPS[rng.integers(len(_FORM_SWAPS))]
    return text.replace(old, new, 1)


def _other_region(text: str, parts: Parts, rng: Rng) -> str:
    """Without the region, or with or without its 市."""
    region = parts["region"]
    if not region or not text.startswith(region):
        return text
    if rng.random() < 0.65:
        return text[len(region) :]
    return text.replace(region, region.removesuffix("市") if region.endswith("市") else region + "市", 1)


def _bracketed(text: str, parts: Parts, rng: Rng) -> str:
    """The region out of the front into brackets behind the proper name."""
    region, core = parts["region"], parts["core"]
    if not region or not text.startswith(region + core):
        return text.replace("(", "（").replace(")", "）")
    return f"{core}({region.removesuffix('市')}){text[len(region) + len(core) :]}"


def _slip_in_chinese(text: str, parts: Parts, rng: Rng) -> str:
    return slip(text, rng, _SLIPS)


def _slip_in_latin(text: str, parts: Parts, rng: Rng) -> str:
    return slip(text, rng, _LETTERS)


def _traditional(text: str, parts: Parts, rng: Rng) -> str:
    return _converted(text, rng)


def _converted(text: str, rng: Rng) -> str:
    return str(_TRADITIONAL.convert(text))


def _spaced(text: str, parts: Parts, rng: Rng) -> str:
    at = int(rng.integers(1, max(len(text), 2)))
    return text[:at] + " " + text[at:]


def _spaced_through(text: str, parts: Parts, rng: Rng) -> str:
    return " ".join(text)


def _misheard(text: str, parts: Parts, rng: Rng) -> str:
    return misheard(text, rng)


def _misread(text: str, parts: Parts, rng: Rng) -> str:
    return misread(text, rng)


def _mistyped(text: str, parts: Parts, rng: Rng) -> str:
    return mistyped(text, rng)


def _with_department(text: str, parts: Parts, rng: Rng) -> str:
    return text + (" " if rng.random() < 0.5 else "") + _DEPARTMENTS[rng.integers(len(_DEPARTMENTS))]


def _with_latin_department(text: str, parts: Parts, rng: Rng) -> str:
    return text + _LATIN_DEPARTMENTS[rng.integers(len(_LATIN_DEPARTMENTS))]


def _wrapped(text: str, parts: Parts, rng: Rng) -> str:
    return _WRAPPINGS[rng.integers(len(_WRAPPINGS))].format(text)


def _wrapped_latin(text: str, parts: Parts, rng: Rng) -> str:
    return _LATIN_WRAPPINGS[rng.integers(len(_LATIN_WRAPPINGS))].format(text)


def _full_width(text: str, parts: Parts, rng: Rng) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _same(text: str, parts: Parts, rng: Rng) -> str:
    return text


def _cased(text: str, parts: Parts, rng: Rng) -> str:
    return text.lower() if rng.random() < 0.5 else (text.upper() if rng.random() < 0.5 else text.title())


def _without_latin_form(text: str, parts: Parts, rng: Rng) -> str:
    words = text.split()
    return " ".join(words[:-1]) if len(words) > 1 and parts["form"] else text


def _other_latin_form(text: str, parts: Parts, rng: Rng) -> str:
    known = dict(_LATIN_FORM_SWAPS)
    words = [known.get(word.lower().strip(".,"), word) for word in text.split()]
    return " ".join(words)


def _fewer_words(text: str, parts: Parts, rng: Rng) -> str:
    words = (parts["core"] or text).split()
    return " ".join(words[: max(1, len(words) - int(rng.integers(1, 3)))])


def _more_words(text: str, parts: Parts, rng: Rng) -> str:
    extra = (
        "uk",
        "usa",
        "germany",
        "india",
        "europe",
        "services",
        "solutions",
        "group",
        "division",
        "inc",
        "north america",
    )
    return f"{text} {extra[rng.integers(len(extra))]}"


def _other_punctuation(text: str, parts: Parts, rng: Rng) -> str:
    return text.replace(",", "").replace(".", "") if rng.random() < 0.5 else text.replace(" ", "-", 1)


@lru_cache(maxsize=8)
def _shares(kinds: "tuple[Writer, ...]", shares: tuple[float, ...], mistaken: float) -> Any:
    weights = np.where([kind in _MISTAKES for kind in kinds], mistaken, 1) * np.array(shares)
    return weights / weights.sum()


_MISTAKES = (_misheard, _misread, _mistyped)
_TRADITIONAL = opencc.OpenCC("s2t")
Writer = Callable[[str, Parts, Rng], str]
_HAN: tuple[Writer, ...] = (
    _same, _abbreviate, _other_region, _bracketed, _without_form, _other_form, _slip_in_chinese, _spaced,
    _traditional, _with_department, _wrapped, _full_width, _misheard, _misread, _spaced_through,
)  # fmt: skip
_HAN_SHARES = (0.08, 0.13, 0.1, 0.03, 0.11, 0.09, 0.08, 0.05, 0.06, 0.07, 0.03, 0.01, 0.08, 0.06, 0.02)
_LATIN: tuple[Writer, ...] = (
    _same, _fewer_words, _without_latin_form, _other_latin_form, _more_words, _slip_in_latin, _cased,
    _other_punctuation, _with_latin_department, _wrapped_latin, _mistyped,
)  # fmt: skip
_LATIN_SHARES = (0.1, 0.08, 0.14, 0.1, 0.05, 0.16, 0.13, 0.07, 0.1, 0.03, 0.04)
