"""Writes the tables of places from the GB/T 2260 list of python-stdnum and the dialling codes of phonenumbers.

The codes are public facts, from 1980 to now. Run by hand when the list changes:
`python -m scoring.values.data.make_regions`.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from phonenumbers.geodata import GEOCODE_DATA

HERE = Path(__file__).parent
SUFFIX = re.compile(
    r"(特别行政区|(维吾尔|壮族|回族)?自治区|自治州|自治县|自治旗|地区|林区|特区|新区|矿区|省|市|盟|县|区|旗)$"
)
PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|"
    "仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺"
)
PEOPLE = re.compile(rf"(各族|((?:{PEOPLES})族)+|蒙古)$")
# Short names that the rules below would get wrong.
SHORT = {
    "内蒙古自治区": "内蒙古",
    "西藏自治区": "西藏",
    "蒙古": "蒙古",
    "博尔塔拉蒙古自治州": "博尔塔拉",
    "东乡族自治县": "东乡",
    "鄂温克族自治旗": "鄂温克",
    "城步苗族自治县": "城步",
    "克孜勒苏柯尔克孜自治州": "克孜勒苏",
    "伊犁哈萨克自治州": "伊犁",
    "重庆市县": "重庆市县",
}
# What the list lacks or has only in traditional script, and what it still carries though it is gone.
NAMED = {
    "710000": "台湾省",
    "810000": "香港特别行政区",
    "820000": "澳门特别行政区",
    "110100": "北京市",
    "120100": "天津市",
    "310100": "上海市",
    "500100": "重庆市",
    "500200": "重庆市县",
    "330113": "临平区",
    "330114": "钱塘区",
    "232761": "加格达奇区",
    "232762": "松岭区",
    "232763": "新林区",
    "232764": "呼中区",
}
GONE = {"422900", "422921", "429001"}
# Other prefectures have one too.
NOT_UNIQUE = {"城区", "矿区", "郊区", "新区", "市中区", "新城区", "城中区", "城北区", "城南区"}
NO_NAMES = {"市辖区", "市区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位"}


def merged_regions() -> dict[str, str]:
    """Former code → name now, for land that went to a division of another name in the same province (kept by hand)."""
    with (HERE / "merged_regions.csv").open(encoding="utf-8", newline="") as file:
        return {code: row["name"] for row in csv.DictReader(file) for code in row["former_codes"].split()}


HEIR_NAME = merged_regions()


class Division(NamedTuple):
    code: str
    name: str
    until_year: str


def short_name(name: str) -> str:
    """北京市 → 北京, 延边朝鲜族自治州 → 延边; a stem of one character keeps its suffix (赵县)."""
    if name in SHORT:
        return SHORT[name]
    stem = SUFFIX.sub("", name)
    if len(stem) == 1:
        stem = name[:-1]
    if name.endswith(("自治州", "自治县", "自治旗")) or name.endswith("族区"):
        stem = PEOPLE.sub("", stem) or stem
    return stem if len(stem) > 1 else name


def divisions() -> list[Division]:
    """Every division that python-stdnum's list names, with the year it ended ('' while in force)."""
    found = []
    province = ""
    for line in files("stdnum.cn").joinpath("loc.dat").read_text("utf-8").splitlines():
        if match := re.match(r'(\d\d) province="(.+)"', line):
            province = match[1]
        elif match := re.match(r'\s+(\d{4}) county="(.+)"', line):
            for item in match[2].split(","):
                period, name = re.match(r"(?:\[\d*-(\d*)\])?(.+)", item).groups()  # type: ignore[union-attr]
                found.append(Division(province + match[1], name, period or ""))
    plain = [
        d for d in found if d.name not in NO_NAMES and d.code not in GONE and (d.until_year or d.code not in NAMED)
    ]
    return sorted([*plain, *(Division(code, name, "") for code, name in NAMED.items())])


def level(code: str) -> str:
    """province, city or district; a county-level city right under its province (…90xx) stands as a city."""
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") or code[2:4] == "90" else "district"


def parent_code(code: str) -> str:
    return {"province": "", "city": code[:2] + "0000", "district": code[:4] + "00"}[level(code)]


def is_heir(code: str, division: Division, prefix: str, wanted_level: str, short: str) -> bool:
    same_code = code == prefix
    same_name = code.startswith(prefix) and short_name(division.name) == short and wanted_level in ("", level(code))
    return same_code or same_name


def successor(old: Division, current: dict[str, Division]) -> str:
    """Where an abolished division lies now: a hand-kept merger, the same name nearby, else what is above it."""
    if heir := HEIR_NAME.get(old.code):
        same_province = [code for code, d in current.items() if code[:2] == old.code[:2] and d.name == heir]
        return min(same_province, key=lambda code: (code[:4] != old.code[:4], code))
    short = short_name(old.name)
    prefixes = ((old.code[:4], level(old.code)), (old.code, ""), (old.code[:2], level(old.code)), (old.code[:2], ""))
    for prefix, wanted in prefixes[: 2 if old.name in NOT_UNIQUE else None]:
        same = [c for c, d in current.items() if is_heir(c, d, prefix, wanted, short)]
        if len(same) == 1:
            return same[0]
    above = (old.code[:4] + "00", old.code[:2] + "0000")
    return next((code for code in above if code in current), "")


def area_codes(current: dict[str, Division]) -> Iterator[tuple[str, str]]:
    """(city code, dialling code without its zero), from the places that phonenumbers knows numbers by."""
    for prefix, names in sorted(GEOCODE_DATA.items()):
        area = re.fullmatch(r"86(10|2\d|[3-9]\d\d)", prefix)
        if area is None or "zh" not in names:
            continue
        for division in current.values():
            province = current[division.code[:2] + "0000"].name
            places = names["zh"].removeprefix(province).removeprefix(short_name(province)).split("、")
            is_there = names["zh"].startswith(short_name(province)) or names["zh"] == division.name
            if (
                level(division.code) == "city"
                and is_there
                and short_name(division.name) in map(short_name, [*places, names["zh"]])
            ):
                yield division.code, area[1]


def write(file_name: str, header: str, rows: Iterable[Iterable[str]]) -> None:
    """One CSV beside this file."""
    with (HERE / file_name).open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split())
        out.writerows(rows)


def in_force(division: Division, current: dict[str, Division]) -> list[str]:
    """One row of regions.csv."""
    code, province = division.code, current[division.code[:2] + "0000"].name
    city = {"province": "", "city": division.name}.get(level(code))
    if city is None:
        city = current[parent_code(code)].name
    city = "重庆市" if code.startswith("5002") else city
    return [code, division.name, short_name(division.name), level(code), parent_code(code), province, city]


def main() -> None:
    """Write the three files."""
    everything = divisions()
    current = {d.code: d for d in everything if not d.until_year}
    write(
        "regions.csv",
        "code name short_name level parent_code province city",
        (in_force(division, current) for division in current.values()),
    )
    write(
        "former_regions.csv",
        "code name short_name level until_year now_code",
        (
            [old.code, old.name, short_name(old.name), level(old.code), old.until_year, successor(old, current)]
            for old in everything
            if old.until_year
        ),
    )
    write("area_codes.csv", "city_code area_code", area_codes(current))


if __name__ == "__main__":
    main()
