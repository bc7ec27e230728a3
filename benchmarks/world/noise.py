"""Dirt of real life: how names are really written, and what is wrong with a row; every kind is counted in the truth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from opencc import OpenCC

from .common import draw, draw_index, vocabulary

LEGAL_FORM = "(?:集团有限公司|股份有限公司|有限责任公司|科技有限公司|有限公司)"


@dataclass(frozen=True)
class Kind:
    """What should become of such a row or value, and its line in the catalogue of faults."""

    effect: str  # reject_row | null_value | repair | flag | collapse | skip | keep
    catalogue: str
    meaning: str


KINDS = {
    "title_row": Kind("skip", "F14", "a line above the header"),
    "total_row": Kind("skip", "F14", "a total or note below the rows"),
    "same_file_twice": Kind("skip", "F20", "the same bytes under another name"),
    "duplicate_row": Kind("collapse", "E01", "the row stands there again, equal in every cell"),
    "ragged_row": Kind("reject_row", "F08", "one cell too many"),
    "no_key": Kind("reject_row", "V09", "no cell that says whom the row is about"),
    "bad_time": Kind("reject_row", "V21", "an event on a day that does not exist"),
    "amount_not_number": Kind("reject_row", "V23", "words where the amount should be"),
    "blank_name": Kind("keep", "V09", "no name, but another key"),
    "newline_in_cell": Kind("keep", "F09", "a line break inside a quoted cell"),
    "mojibake_name": Kind("flag", "F05", "a name that was decoded wrongly long ago; never a match key"),
    "future_time": Kind("flag", "V22", "a touch after the last day of the world"),
    "payment_without_order": Kind("flag", "B06", "an order number that no order has"),
    "order_without_deal": Kind("flag", "B06", "a deal number that no deal has"),
    "deal_before_first_touch": Kind("flag", "A02", "sales opened it before marketing touched the company"),
    "bad_date": Kind("null_value", "V21", "a founding day that is none"),
    "scientific_phone": Kind("null_value", "V01", "1.99E+10: digits are gone"),
    "masked_phone": Kind("null_value", "V07", "199****1234"),
    "code_wrong_digit": Kind("null_value", "V18", "the checksum fails"),
    "code_rounded": Kind("null_value", "V19", "a spreadsheet kept fifteen digits"),
    "code_lower_case": Kind("repair", "V18", "lower case"),
    "code_letter_o": Kind("repair", "V18", "the letter O for a zero"),
    "code_spaced": Kind("repair", "V18", "spaces in the code"),
    "phone_spaced": Kind("repair", "V04", "199 0012 3456"),
    "phone_prefixed": Kind("repair", "V04", "+86-199…"),
    "phone_full_width": Kind("repair", "V04", "１９９…"),
    "phone_apostrophe": Kind("repair", "V02", "'199…"),
    "email_upper_case": Kind("repair", "V10", "WANG.FANG@EXAMPLE.CN"),
    "email_full_width": Kind("repair", "V10", "＠ for @"),
}

ROTATED = str.maketrans("0123456789", "1234567890")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
CHANGES: dict[str, Callable[[pd.Series], pd.Series]] = {
    "bad_date": lambda values: pd.Series(["0000-00-00", "长期", "2020-13-45"], dtype="str").take(
        np.arange(len(values)) % 3
    ),
    "scientific_phone": lambda values: values.str.slice(0, 1) + "." + values.str.slice(1, 3) + "E+10",
    "masked_phone": lambda values: values.str.slice(0, 3) + "****" + values.str.slice(7),
    "code_wrong_digit": lambda values: (
        values.str.slice(0, 10) + values.str.slice(10, 11).str.translate(ROTATED) + values.str.slice(11)
    ),
    "code_rounded": lambda values: values.str.slice(0, 15) + "000",
    "code_lower_case": lambda values: values.str.lower(),
    "code_letter_o": lambda values: values.str.replace("0", "O", n=1, regex=False),
    "code_spaced": lambda values: values.str.slice(0, 8) + " " + values.str.slice(8),
    "phone_spaced": lambda values: values.str.slice(0, 3) + " " + values.str.slice(3, 7) + " " + values.str.slice(7),
    "phone_prefixed": lambda values: "+86-" + values,
    "phone_full_width": lambda values: values.str.translate(FULL_WIDTH),
    "phone_apostrophe": lambda values: "'" + values,
    "email_upper_case": lambda values: values.str.upper(),
    "email_full_width": lambda values: values.str.replace("@", "＠", regex=False),
    "blank_name": lambda values: pd.Series([None] * len(values), dtype="str"),
    "newline_in_cell": lambda values: values.str.slice(0, 4) + "\n" + values.str.slice(4),
    "mojibake_name": lambda values: "鐢佃瘽" + values.str.slice(0, 2) + "锟斤拷",
}
NEEDS_SHAPE = {
    "code_rounded": r"\d{18}",
    "code_wrong_digit": r".{10}\d.*",
    "code_letter_o": r".*0.*",
    "code_lower_case": r".*[A-Z].*",
}
MOBILE_SHAPE = r"1\d{10}"


def spoil(rng: np.random.Generator, frame: pd.DataFrame, kind: str, column: str, share: float) -> None:
    """Give `share` of the rows (at least one) that fault in that column, and write it down in _kind and _column.

    A row has at most one fault; rows whose value could not show it are left out.
    """
    shape = NEEDS_SHAPE.get(kind, MOBILE_SHAPE if kind.startswith(("phone_", "scientific", "masked")) else None)
    able = frame["_kind"].isna() & frame[column].notna()
    if shape:
        able &= frame[column].str.fullmatch(shape).fillna(False)
    free = np.flatnonzero(able)
    rows = np.sort(rng.permutation(free)[: max(1, int(len(frame) * share))])
    frame.loc[rows, column] = CHANGES[kind](frame.loc[rows, column]).to_numpy()
    frame.loc[rows, "_kind"] = kind
    frame.loc[rows, "_column"] = column


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with empty columns for its faults, ready to be spoilt."""
    empty = pd.Series([None] * len(frame), dtype="str")
    return frame.reset_index(drop=True).assign(_kind=empty, _column=empty)


def add_rows(frame: pd.DataFrame, kind: str, rows: pd.DataFrame, column: str | None = None) -> pd.DataFrame:
    """The frame with faulty rows at its end."""
    return pd.concat([frame, rows.assign(_kind=kind, _column=column)], ignore_index=True)


def add_duplicates(rng: np.random.Generator, frame: pd.DataFrame, share: float) -> pd.DataFrame:
    """`share` of the sound rows once more (at least one), somewhere in the file."""
    free = np.flatnonzero(frame["_kind"].isna())
    again = frame.iloc[np.sort(rng.permutation(free)[: max(1, int(len(frame) * share))])]
    longer = add_rows(frame, "duplicate_row", again)
    place = np.append(np.arange(len(frame), dtype=float), rng.integers(0, len(frame) + 1, len(again)) + 0.5)
    return longer.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def write_as(rng: np.random.Generator, companies: pd.DataFrame, shares: dict[str, float]) -> pd.DataFrame:
    """How each row's company name is written: `text` and `variant`, drawn by the shares."""
    companies = companies.reset_index(drop=True)
    names = list(shares)
    variant = pd.Series(
        np.array(names)[draw_index(rng, len(names), len(companies), list(shares.values()))], dtype="str"
    )
    is_foreign = companies["kind"] == "foreign"
    variant = variant.where(~(is_foreign & variant.isin(["traditional", "branch"])), "exact")
    text = companies["name"]
    for name in names:
        rows = np.flatnonzero(variant == name)
        if name != "exact" and len(rows):
            text = text.copy()
            text.iloc[rows] = _rewrite(rng, name, companies.iloc[rows].reset_index(drop=True)).to_numpy()
    return pd.DataFrame({"text": text, "variant": variant})


def _rewrite(rng: np.random.Generator, variant: str, rows: pd.DataFrame) -> pd.Series:
    name, is_foreign = rows["name"], rows["kind"] == "foreign"
    if variant == "no_form":
        return name.str.replace(LEGAL_FORM, "", regex=True).where(~is_foreign, rows["core"])
    if variant == "short":
        return (rows["core"] + rows["industry_word"].str.slice(0, 2)).where(
            ~is_foreign, rows["core"].str.split(" ").str[:2].str.join(" ")
        )
    if variant == "english":
        return rows["name_en"].where(~is_foreign, name.str.lower())
    if variant == "traditional":
        convert = OpenCC("s2t").convert
        return pd.Series([convert(text) for text in name], dtype="str")
    if variant == "typo":
        return _swap_letters(rng, name)
    if variant == "branch":
        return name + draw(rng, vocabulary("regions.csv")["city"].str.removesuffix("市"), len(rows)) + "分公司"
    if variant == "wrong":
        return name.take(rng.permutation(len(name))).reset_index(drop=True)
    return pd.Series([None] * len(rows), dtype="str")  # blank


def _swap_letters(rng: np.random.Generator, name: pd.Series) -> pd.Series:
    """Two neighbouring characters of the third to the sixth change places."""
    place = pd.Series(rng.integers(2, 5, len(name)))
    swapped = name
    for at in range(2, 5):
        wrong = (
            name.str.slice(0, at) + name.str.slice(at + 1, at + 2) + name.str.slice(at, at + 1) + name.str.slice(at + 2)
        )
        swapped = swapped.where(place != at, wrong)
    return swapped
