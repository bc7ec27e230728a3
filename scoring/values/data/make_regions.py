"""Writes regions.csv and former_regions.csv from the GB/T 2260 list that python-stdnum ships (public facts, 1980 to now).

Run by hand when the list changes: `python -m scoring.values.data.make_regions`.
"""

import csv
import re
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SUFFIX = re.compile(r"(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|自治州|自治县|自治旗|地区|林区|特区|新区|矿区|省|市|盟|县|区|旗)$")
PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|"
    "仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺"
)
PEOPLE = re.compile(rf"(各族|((?:{PEOPLES})族)+|蒙古)$")
# Short names that the rules below would get wrong.
SHORT = {"内蒙古自治区": "内蒙古", "西藏自治区": "西藏", "蒙古": "蒙古", "博尔塔拉蒙古自治州": "博尔塔拉", "东乡族自治县": "东乡",
         "鄂温克族自治旗": "鄂温克", "城步苗族自治县": "城步",
         "克孜勒苏柯尔克孜自治州": "克孜勒苏", "伊犁哈萨克自治州": "伊犁", "重庆市县": "重庆市县"}
# Abolished divisions whose land went to one of another name in the same province: name now ← old codes.
MERGED = {
    "东城区": "110103", "西城区": "110104", "滨海新区": "120107 120108 120109", "蓟州区": "120225", "长安区": "130103", "滦州市": "130223",
    "曹妃甸区": "130230", "信都区": "130521", "任泽区": "130526", "云州区": "140227", "通辽市": "152300", "鄂尔多斯市": "152700",
    "通化市": "222500", "道外区": "230105", "香坊区": "230107", "黑河市": "232600", "黄浦区": "310102 310103", "静安区": "310108",
    "浦东新区": "310119 310225", "秦淮区": "320103", "鼓楼区": "320107", "六合区": "320112", "浦口区": "320122", "滨湖区": "320212",
    "梁溪区": "320202 320203 320204", "云龙区": "320303", "泉山区": "320304", "天宁区": "320405", "姑苏区": "320502 320503 320504",
    "吴江区": "320584", "吴中区": "320586", "崇川区": "320602 320611", "海州区": "320704 320705", "清江浦区": "320802 320811",
    "邗江区": "321011", "拱墅区": "330103", "上城区": "330104", "鄞州区": "330204 330227", "柯桥区": "330621",
    "金东区": "330721", "衢江区": "330821", "弋江区": "340208", "湾沚区": "340221", "花山区": "340502", "铜官区": "340702 340703",
    "义安区": "340721", "合肥市": "341400", "巢湖市": "341402", "宿州市": "342200", "黄山市": "342700", "思明区": "350202 350204",
    "荔城区": "350321", "三元区": "350402", "宁德市": "352200", "新建区": "360105", "柴桑区": "360421", "庐山市": "360427",
    "广信区": "361121", "鄱阳县": "362330", "市北区": "370205", "黄岛区": "370284", "蓬莱区": "370634", "任城区": "370802",
    "济南市": "371200", "莱芜区": "371202", "陵城区": "371421", "龙亭区": "410211", "祥符区": "410224", "孟津区": "410306",
    "建安区": "411023", "陕州区": "411222", "郧阳区": "420321", "夷陵区": "420521", "襄州区": "420621", "赤壁市": "422302",
    "渌口区": "430221", "越秀区": "440102", "荔湾区": "440107", "黄埔区": "440116", "濠江区": "440506 440510", "金平区": "440508 440509",
    "禅城区": "440603", "电白区": "440903", "横州市": "450127 452122", "江州区": "452129", "兴宾区": "452226", "河池市": "452700",
    "来宾市": "452800", "五指山市": "460001", "两江新区": "500105 500112", "开州区": "500234", "郫都区": "510124", "安州区": "510724",
    "叙州区": "511521", "达州市": "513000", "达川区": "511721 513021", "花溪区": "520114", "盘州市": "520202 520222", "播州区": "520321",
    "普洱市": "532700", "宁洱哈尼族彝族自治县": "532722", "香格里拉市": "533421", "鄠邑区": "610125", "耀州区": "610221",
    "陈仓区": "610321", "彬州市": "610427", "华州区": "610521", "定西市": "622400", "瓜州县": "622126", "海东市": "632100",
    "沙坡头区": "640321 642123", "吴忠市": "642100", "原州区": "642221", "米东区": "650108 652303",
}  # fmt: skip
HEIR_NAME = {code: name for name, codes in MERGED.items() for code in codes.split()}
# What the list lacks or has only in traditional script, and what it still carries though it is gone.
NAMED = {
    "710000": "台湾省", "810000": "香港特别行政区", "820000": "澳门特别行政区", "110100": "北京市", "120100": "天津市", "310100": "上海市",
    "500100": "重庆市", "500200": "重庆市县", "330113": "临平区", "330114": "钱塘区", "232761": "加格达奇区", "232762": "松岭区",
    "232763": "新林区", "232764": "呼中区",
}  # fmt: skip
GONE = {"422900", "422921", "429001"}
NOT_UNIQUE = {"城区", "矿区", "郊区", "新区", "市中区", "新城区", "城中区", "城北区", "城南区"}  # other prefectures have one too
NO_NAMES = {"市辖区", "市区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位"}


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
    plain = [d for d in found if d.name not in NO_NAMES and d.code not in GONE and (d.until_year or d.code not in NAMED)]
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


def main() -> None:
    """Write both files."""
    everything = divisions()
    current = {d.code: d for d in everything if not d.until_year}
    with (HERE / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["code", "name", "short_name", "level", "parent_code", "province", "city"])
        for code, division in current.items():
            province = current[code[:2] + "0000"].name
            city = {"province": "", "city": division.name}.get(level(code)) if level(code) != "district" else None
            if city is None:
                city = "重庆市" if code.startswith("5002") else current[parent_code(code)].name
            rows.writerow([code, division.name, short_name(division.name), level(code), parent_code(code), province, city])
    with (HERE / "former_regions.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["code", "name", "short_name", "level", "until_year", "now_code"])
        for old in (d for d in everything if d.until_year):
            rows.writerow([old.code, old.name, short_name(old.name), level(old.code), old.until_year, successor(old, current)])


if __name__ == "__main__":
    main()
