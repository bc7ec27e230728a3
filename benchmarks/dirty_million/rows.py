"""Sound rows of six entities, and the files they become once some of them are spoilt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.dirty_million.defects import DEFECTS, Defect
from benchmarks.world.common import draw, draw_index, pad, repeat, stream, take, vocabulary, words_of
from benchmarks.world.identifiers import landlines, mobile_numbers, unified_codes

# Entity → its share of all rows.
SHARES = {"companies": 0.75, "contacts": 0.15, "touches": 0.04, "payments": 0.03, "deals": 0.02, "consents": 0.01}
# A value counts as nobody's own above this share of a source's rows, with room (scoring/values/actions.yaml: 0.005).
COMMON_SHARE = 0.007
LEAST_COMMON = {"companies": 120, "contacts": 40}
DIRTY_SHARE = 0.12
# Below 东莞 and 中山 come towns, which no table numbers: any district may stand there.
_WITHOUT_DISTRICTS = ("441900", "442000")
Frame = dict[str, pa.Array]


@dataclass(frozen=True)
class Truth:
    """One row per spoilt row: `line` as in the file, `defect` its place in DEFECTS, `sound` the value it had."""

    rows: pd.DataFrame

    def of(self, effect: str) -> pd.DataFrame:
        """The rows whose defect has that effect."""
        return self.rows[[DEFECTS[place].effect == effect for place in self.rows["defect"]]]


def write_files(inbox: Path, rows: int, seed: int) -> Truth:
    """One CSV per entity under `inbox`; gives the truth about what is wrong in them."""
    truths = []
    for entity, share in SHARES.items():
        count = max(int(rows * share), 200)
        frame = {name: pa.array(column, pa.string()) for name, column in _MAKERS[entity](count, seed).items()}
        spoilt, chosen = _spoil(stream(seed, f"defects of {entity}"), entity, frame, count)
        lines = _lines(spoilt)
        ragged = chosen.loc[chosen["rule"] == "ragged", "row"].to_numpy()
        mask = np.zeros(count, dtype=bool)
        mask[ragged] = True
        lines = pc.if_else(pa.array(mask), pc.binary_join_element_wise(lines, "too much", ","), lines)
        folder = inbox / entity
        folder.mkdir(parents=True, exist_ok=True)
        text = ",".join(spoilt) + "\n" + "\n".join(lines.to_pylist()) + "\n"
        (folder / f"{entity}_dirty.csv").write_text(text, encoding="utf-8", newline="")
        breaks = pc.count_substring(lines, "\n").to_numpy()
        starts = np.concatenate([[0], np.cumsum(breaks + 1)[:-1]]) + 2
        truths.append(chosen.assign(entity=entity, line=starts[chosen["row"].to_numpy()]))
    return Truth(pd.concat(truths, ignore_index=True))


def _spoil(rng: np.random.Generator, entity: str, frame: Frame, count: int) -> tuple[Frame, pd.DataFrame]:
    """The columns with their defects, one to a row; and row, defect, rule, sound value of each."""
    kinds = [(place, defect) for place, defect in enumerate(DEFECTS) if defect.entity == entity]
    usual = max(int(count * DIRTY_SHARE / len(kinds)), 3)
    common = max(int(count * COMMON_SHARE) + 1, LEAST_COMMON.get(entity, 0))
    free, start = rng.permutation(count), 0
    chosen, changes = [], {name: ([], []) for name in frame}
    for place, defect in kinds:
        rows = np.sort(free[start : start + (common if defect.is_common else usual)])
        start += len(rows)
        sound = frame[defect.column].take(pa.array(rows)).to_pylist()
        changes[defect.column][0].extend(rows.tolist())
        changes[defect.column][1].extend(defect.spoil(value, int(row)) for value, row in zip(sound, rows, strict=True))
        if defect.also:
            changes[defect.also[0]][0].extend(rows.tolist())
            changes[defect.also[0]][1].extend([defect.also[1]] * len(rows))
        chosen.append(pd.DataFrame({"row": rows, "defect": place, "rule": defect.rule, "sound": sound}))
    spoilt = {name: _changed(column, *changes[name]) for name, column in frame.items()}
    return spoilt, pd.concat(chosen, ignore_index=True)


def _changed(column: pa.Array, rows: list[int], values: list[str]) -> pa.Array:
    order = np.argsort(rows)
    mask = np.zeros(len(column), dtype=bool)
    mask[np.array(rows, dtype=int)] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array([values[i] for i in order], pa.string()))


def _lines(frame: Frame) -> pa.Array:
    """Lines of CSV, quoted where a cell asks for it."""
    cells = []
    for column in frame.values():
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")
        cells.append(pc.if_else(pc.match_substring_regex(column, '[",\n]'), quoted, column))
    return pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")


def _days(rng: np.random.Generator, count: int, first: str, last: str) -> pd.Series:
    span = (np.datetime64(last) - np.datetime64(first)).astype(int)
    days = np.datetime64(first) + rng.integers(0, span, count)
    return pd.Series(days.astype(str), dtype="str")


def _names(rng: np.random.Generator, cities: pd.Series, count: int) -> pd.Series:
    cores = words_of("core")["text"]
    core = draw(rng, cores, count) + draw(rng, cores, count) + draw(rng, cores, count)
    return cities.str.removesuffix("市") + core + draw(rng, vocabulary("industries.csv")["word"], count) + "有限公司"


def _companies(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "companies"), np.arange(count)
    regions, trades = vocabulary("regions.csv"), vocabulary("industries.csv")
    regions = regions[~regions["city_code"].isin(_WITHOUT_DISTRICTS)].reset_index(drop=True)
    region, trade = draw_index(rng, len(regions), count), draw_index(rng, len(trades), count)
    city = take(regions["city"], region)
    district = take(regions["districts"].str.partition("|")[0], region)
    mobile = pd.Series(rng.random(count) < 0.5)
    number = pad(serial, 1)
    return {
        "source_id": "Q" + pad(serial, 7),
        "name": _names(rng, city, count),
        "uscc": unified_codes(take(regions["city_code"], region), serial, rng.random(count) < 0.5),
        "status": draw(rng, ["存续", "在业", "注销"], count),
        "registered_capital": pad(rng.integers(10, 90_000, count), 1) + "万元人民币",
        "founded_on": _days(rng, count, "1990-01-01", "2025-01-01"),
        "province": take(regions["province"], region),
        "city": city,
        "district": district,
        "country": repeat("中国", count),
        "address": city + district + "人民路" + number + "号, 办公楼\n二层",
        "industry": take(trades["industry"], trade),
        "employees": draw(rng, ["50-99人", "100-499人", "1200", "500人以上"], count),
        "revenue": pad(rng.integers(100, 90_000, count), 1) + "万元",
        "phone": mobile_numbers(serial).where(mobile, landlines(take(regions["area_code"], region), serial)),
        "email": "office@firma" + number + ".com.cn",
        "website": "www.firma" + number + ".com.cn",
        "scope": take(trades["goods"], trade) + '的研发、"生产"与销售' + number,
        "备注": repeat("A级客户", count),
    }


def _contacts(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "contacts"), np.arange(count)
    city = draw(rng, vocabulary("regions.csv")["city"], count)
    return {
        "name": draw(rng, words_of("surname")["text"], count) + draw(rng, words_of("given")["text"], count),
        "company_name": _names(rng, city, count),
        "title": draw(rng, ["市场总监", "采购经理", "工程师", "CEO"], count),
        "email": "li" + pad(serial, 1) + "@werk" + pad(serial // 3, 1) + ".com",
        "mobile": mobile_numbers(serial + 2_000_000),
        "created_at": _days(rng, count, "2024-01-01", "2026-10-01") + " 10:05:00",
    }


def _touches(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "touches"), np.arange(count)
    return {
        "touch_id": "T" + pad(serial, 7),
        "email": "li" + pad(rng.integers(0, max(count, 2), count), 1) + "@werk.com",
        "type": draw(rng, ["webinar", "form", "visit"], count),
        "occurred_at": _days(rng, count, "2025-11-01", "2026-10-30") + " 15:20:00",
        "minutes": pad(rng.integers(1, 90, count), 1),
    }


def _payments(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "payments"), np.arange(count)
    return {
        "payment_id": "P" + pad(serial, 7),
        "order_id": "O" + pad(serial, 7),
        "paid_on": _days(rng, count, "2025-11-01", "2026-10-30"),
        "amount": pad(rng.integers(1_000, 900_000, count), 1) + ".50",
        "currency": repeat("CNY", count),
    }


def _deals(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "deals"), np.arange(count)
    return {
        "deal_id": "D" + pad(serial, 7),
        "account_name": _names(rng, draw(rng, vocabulary("regions.csv")["city"], count), count),
        "stage": draw(rng, ["初步接洽", "方案", "赢单"], count),
        "amount": pad(rng.integers(1_000, 900_000, count), 1),
        "created_at": _days(rng, count, "2025-01-01", "2025-11-01"),
        "closed_at": _days(rng, count, "2025-11-01", "2026-10-30"),
        "probability": pad(rng.integers(5, 95, count), 1) + "%",
    }


def _consents(count: int, seed: int) -> dict[str, pd.Series]:
    rng, serial = stream(seed, "consents"), np.arange(count)
    return {
        "email": "li" + pad(serial, 1) + "@werk.com",
        "channel": draw(rng, ["email", "短信", "电话"], count),
        "status": draw(rng, ["granted", "withdrawn", "拒绝"], count),
        "given_at": _days(rng, count, "2025-11-01", "2026-10-30") + " 09:00:00",
    }


_MAKERS = {
    "companies": _companies,
    "contacts": _contacts,
    "touches": _touches,
    "payments": _payments,
    "deals": _deals,
    "consents": _consents,
}


def told_column(defect: Defect) -> str:
    """The column that quality names for a defect; empty where it names none."""
    return defect.column if defect.told_as is None else defect.told_as
