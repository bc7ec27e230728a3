"""How lists really write a company down: names, codes, places and contacts with the noise of real life."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from opencc import OpenCC

from benchmarks.world.common import draw, words_of
from benchmarks.world.identifiers import mobile_numbers
from benchmarks.world.noise import FULL_WIDTH, ROTATED

FORMS = "(?:集团有限公司|股份有限公司|有限责任公司|有限公司)$"
Rng = np.random.Generator


def _spaced(values: pd.Series) -> pd.Series:
    return values.str.slice(0, 4) + " " + values.str.slice(4)


def _brackets(rows: pd.DataFrame) -> pd.Series:
    """The place out of the front into brackets behind the proper name, or the brackets otherwise written."""
    moved = rows["core"] + rows["word"] + "（" + rows["region"].str.removesuffix("市") + "）" + rows["form"]
    can = rows["region"].ne("") & rows["word"].ne("") & rows["tail"].eq("")
    starts = [name.startswith(region) for name, region in zip(rows["name"], rows["region"], strict=True)]
    return moved.where(
        can & np.array(starts), rows["name"].str.replace("(", "【", regex=False).str.replace(")", "】", regex=False)
    )


def _typo(rng: Rng, name: pd.Series) -> pd.Series:
    """One character wrong, lost, doubled, or two swapped."""
    letters = draw(rng, words_of("core")["text"], len(name))
    kind, place = rng.integers(0, 4, len(name)), rng.random(len(name))
    out = []
    for text, letter, how, where in zip(name, letters, kind, place, strict=True):
        at = min(int(where * min(len(text), 8)), len(text) - 2)
        head, here, after, rest = text[:at], text[at], text[at + 1], text[at + 2 :]
        wrong = letter if not text.isascii() else "e"
        out.append(head + (wrong + after, after, here + here + after, after + here)[how] + rest)
    return pd.Series(out, index=name.index, dtype="str")


def _abbreviation(rows: pd.DataFrame) -> pd.Series:
    latin = rows["core"].str.split(" ").str[:2].str.join(" ")
    latin = latin.where(~latin.duplicated(keep=False), rows["core"])  # else it is anyone's of that house
    return (rows["core"] + rows["word"].str[:2] + rows["tail"]).where(rows["kind"] != "foreign", latin)


def _no_form(rows: pd.DataFrame) -> pd.Series:
    return rows["name"].str.replace(FORMS, "", regex=True).where(rows["kind"] != "foreign", rows["core"])


def _region_otherwise(rows: pd.DataFrame) -> pd.Series:
    """深圳 for 深圳市 and the other way round; the province before the city."""
    with_city = rows["region"].str.endswith("市")
    short, long = rows["region"].str.removesuffix("市"), rows["region"] + "市"
    text = [
        name.replace(region, other if is_city else more, 1)
        if (region and region == str(city).removesuffix("市")) or is_city
        else name
        for name, region, other, more, is_city, city in zip(
            rows["name"], rows["region"], short, long, with_city, rows["city"], strict=True
        )
    ]
    return pd.Series(text, index=rows.index, dtype="str")


def write_names(rng: Rng, rows: pd.DataFrame, shares: dict[str, float]) -> tuple[pd.Series, pd.Series]:
    """The name each row is written under, and how (`exact` where the drawn way does not fit the company)."""
    convert = OpenCC("s2t").convert
    writers: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
        "former": lambda some: some["former"],
        "english": lambda some: some["name_en"],
        "traditional": lambda some: pd.Series([convert(text) for text in some["name"]], index=some.index, dtype="str"),
        "no_form": _no_form,
        "abbreviation": _abbreviation,
        "typo": lambda some: _typo(rng, some["name"]),
        "brackets": _brackets,
        "region": _region_otherwise,
        "form_word": lambda some: (
            some["name"]
            .str.replace("有限责任公司", "有限公司")
            .where(
                some["name"].str.contains("有限责任公司"),
                some["name"].str.replace("(?<!份)有限公司$", "有限责任公司", regex=True),
            )
        ),
        "spaced": lambda some: _spaced(some["name"]),
        "upper": lambda some: some["name"].str.upper(),
    }
    ways = ["exact", *writers]
    weights = np.array([max(0.0, 1 - sum(shares.values())), *(shares.get(way, 0.0) for way in writers)])
    way = pd.Series(
        np.array(ways)[rng.choice(len(ways), len(rows), p=weights / weights.sum())], index=rows.index, dtype="str"
    )
    text = rows["name"].copy()
    for name, write in writers.items():
        mine = way == name
        if mine.any():
            text[mine] = write(rows[mine])
    # Written short, a firm that differs from another by its form or number alone would be that other one.
    unfit = text.isna() | (text.str.len() < 3)
    unfit |= way.isin(["no_form", "abbreviation"]) & rows["kind"].isin(["twin", "converted", "numeral"])
    text = text.where(~unfit, rows["name"])
    return text, way.where(~unfit & (text != rows["name"]), "exact")


def spoil_codes(rng: Rng, codes: pd.Series, damaged: float) -> tuple[pd.Series, pd.Series]:
    """Codes as people have them, and how: lower case and spaces (mended), letters for digits, one wrong, rounded."""
    lot = rng.random(len(codes))
    ways = [
        ("lower", lambda text: text.str.lower()),
        ("spaced", lambda text: text.str.slice(0, 8) + " " + text.str.slice(8)),
        ("wide", lambda text: text.str.translate(FULL_WIDTH)),
        ("letter_o", lambda text: text.str.replace("0", "O", n=1, regex=False)),
        (
            "wrong",
            lambda text: text.str.slice(0, 10) + text.str.slice(10, 11).str.translate(ROTATED) + text.str.slice(11),
        ),
        ("rounded", lambda text: text.str.slice(0, 15) + "000"),
        ("cut", lambda text: text.str.slice(0, 17)),
    ]
    way = pd.Series("whole", index=codes.index, dtype="str")
    for place, (name, change) in enumerate(ways):
        low, high = damaged * place / len(ways), damaged * (place + 1) / len(ways)
        mine = (lot >= low) & (lot < high) & codes.notna().to_numpy()
        codes = codes.where(~mine, change(codes))
        way = way.where(~mine, name)
    return codes, way.where(codes.notna(), "none")


def other_phones(rng: Rng, rows: pd.DataFrame, moved: float) -> pd.Series:
    """The company's number: the first, the second, a new one, or the first otherwise written."""
    lot = rng.random(len(rows))
    fresh = mobile_numbers(rng.integers(4_100_000, 4_900_000, len(rows)))
    fresh.index = rows.index
    phone = rows["phone"].where(lot > moved, fresh)
    phone = phone.where(lot < 0.93, rows["second_phone"])
    return phone.where(rng.random(len(rows)) > 0.15, "+86-" + phone.where(phone.str.startswith("1")))
