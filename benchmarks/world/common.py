"""Size, clock, random streams and column helpers of the sample world."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
AS_OF = date(2026, 10, 31)
SHANGHAI_OFFSET_SECONDS = 8 * 3600
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class WorldSize:
    """How large a world is: distinct companies, distinct people, touches and deals over so many months before AS_OF."""

    companies: int
    people: int
    touches: int
    deals: int
    months: int = 12

    @property
    def starts_on(self) -> date:
        """First day of the first month."""
        months = AS_OF.year * 12 + AS_OF.month - self.months
        return date(months // 12, months % 12 + 1, 1)

    @property
    def first_second(self) -> int:
        """Local midnight that opens the world, as UTC epoch seconds."""
        return epoch(self.starts_on)

    @property
    def last_second(self) -> int:
        """Last second of AS_OF in Shanghai, as UTC epoch seconds."""
        return epoch(AS_OF) + DAY_SECONDS - 1


DEMO = WorldSize(companies=20_000, people=3_000, touches=40_000, deals=300)
SMALL = WorldSize(companies=300, people=120, touches=1_500, deals=40)


def epoch(day: date) -> int:
    """Local midnight of a Shanghai day as UTC epoch seconds."""
    return (day - date(1970, 1, 1)).days * DAY_SECONDS - SHANGHAI_OFFSET_SECONDS


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own per part, so that a change in one part leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@cache
def vocabulary(name: str) -> pd.DataFrame:
    """One of the word lists beside this module, all text."""
    return pd.read_csv(HERE / name, dtype=str, keep_default_na=False, encoding="utf-8")


def words_of(kind: str) -> pd.DataFrame:
    """Words of one kind (core, surname, given: characters; street, first name, last name) with pinyin and weight."""
    words = vocabulary("words.csv")
    return words[words["kind"] == kind].reset_index(drop=True)


def take(values: Sequence[str] | pd.Series, index: np.ndarray) -> pd.Series:
    """values[index] as text, numbered anew."""
    return pd.Series(values, dtype="str").take(index).reset_index(drop=True)


def draw(rng: np.random.Generator, values: Sequence[str] | pd.Series, count: int, weights: object = None) -> pd.Series:
    """`count` values drawn with replacement."""
    return take(values, draw_index(rng, len(values), count, weights))


def draw_index(rng: np.random.Generator, size: int, count: int, weights: object = None) -> np.ndarray:
    """`count` positions below `size`, drawn with replacement in proportion to the weights."""
    if weights is None:
        return rng.integers(0, size, count)
    cumulated = np.cumsum(np.asarray(weights, dtype=float))
    found = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    return np.minimum(found, size - 1)


def pad(numbers: np.ndarray, width: int) -> pd.Series:
    """Numbers as text with leading zeros."""
    return pd.Series(np.asarray(numbers, dtype=np.int64)).astype("str").str.zfill(width)


def repeat(value: str | None, count: int) -> pd.Series:
    """One text `count` times."""
    return pd.Series([value], dtype="str").take(np.zeros(count, dtype=int)).reset_index(drop=True)


def scatter(index: np.ndarray, modulus: int, multiplier: int) -> np.ndarray:
    """A one-to-one spread of 0..n over 0..modulus: numbers that look drawn and never repeat."""
    return (np.asarray(index, dtype=np.int64) * multiplier + 104_729) % modulus


def local_text(seconds: np.ndarray, separator: str = " ") -> pd.Series:
    """Shanghai time as '2026-03-05 14:22:31', without an offset."""
    stamps = np.datetime_as_string((np.asarray(seconds) + SHANGHAI_OFFSET_SECONDS).astype("datetime64[s]"))
    return pd.Series(stamps, dtype="str").str.replace("T", separator, regex=False)


def local_day(seconds: np.ndarray) -> pd.Series:
    """Shanghai day as '2026-03-05'."""
    return local_text(seconds).str.slice(0, 10)


def slashed_text(seconds: np.ndarray) -> pd.Series:
    """Shanghai time as a spreadsheet shows it: '2026/3/5 9:05'."""
    local = pd.to_datetime(np.asarray(seconds) + SHANGHAI_OFFSET_SECONDS, unit="s")
    parts = [pd.Series(values).astype("str") for values in (local.year, local.month, local.day, local.hour)]
    return parts[0] + "/" + parts[1] + "/" + parts[2] + " " + parts[3] + ":" + pad(local.minute, 2)


def money_text(cents: np.ndarray) -> pd.Series:
    """Cents as '1234.50'."""
    cents = np.asarray(cents, dtype=np.int64)
    sign = pd.Series(np.where(cents < 0, "-", ""), dtype="str")
    return sign + pad(np.abs(cents) // 100, 1) + "." + pad(np.abs(cents) % 100, 2)
