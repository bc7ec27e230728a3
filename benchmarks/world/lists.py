"""The three overlapping company lists: a vendor's export, the CRM's accounts, a fair's exhibitors."""

import numpy as np
import pandas as pd

from .common import WorldSize, draw, pad, stream, take, vocabulary
from .noise import add_duplicates, add_rows, clean, spoil, write_as
from .shelf import Shelf

VENDOR_FILE = "companies/企查查导出_20261015.csv.zip"
CRM_FILE = "companies/crm_accounts_20261030.csv.gz"
FAIR_FILE = "companies/工博会展商名录_2026.xlsx"
CRM_NAMES = {"exact": 0.74, "no_form": 0.12, "short": 0.05, "english": 0.05, "typo": 0.04}
FAIR_NAMES = {"exact": 0.74, "no_form": 0.15, "english": 0.07, "typo": 0.04}


def write_lists(
    shelf: Shelf, size: WorldSize, seed: int, companies: pd.DataFrame, in_business: dict[str, np.ndarray]
) -> pd.Series:
    """Write all three; every company stands in one at least. Gives the CRM's account id per company, null without.

    `in_business` has the companies with `deals` and with `people`: the CRM knows most of them.
    """
    rng = stream(seed, "lists")
    is_foreign = (companies["kind"] == "foreign").to_numpy()
    likely = np.where(is_foreign, 0.62, 0.24)
    likely[in_business["people"]] = 0.6
    likely[in_business["deals"]] = 0.93
    in_crm = rng.random(len(companies)) < likely
    in_fair = rng.random(len(companies)) < np.where(is_foreign, 0.45, 0.27)
    in_crm |= is_foreign & ~in_fair
    in_vendor = ~is_foreign & ((rng.random(len(companies)) < 0.93) | ~(in_crm | in_fair))
    _write_vendor(shelf, rng, companies[in_vendor])
    _write_fair(shelf, rng, companies[in_fair])
    return _write_crm(shelf, rng, companies, np.flatnonzero(in_crm))


def _shuffled(rng: np.random.Generator, companies: pd.DataFrame) -> pd.DataFrame:
    return companies.take(rng.permutation(len(companies))).reset_index(drop=True)


def _write_vendor(shelf: Shelf, rng: np.random.Generator, companies: pd.DataFrame) -> None:
    rows = _shuffled(rng, companies)
    count = len(rows)
    mail = draw(rng, ["info", "sales", "hr", "office"], count) + "@" + rows["domain"]
    free = (
        rows["core_pinyin"]
        + ".w"
        + pad(rows["entity"].to_numpy(), 6)
        + draw(rng, ["@qq.com", "@163.com", "@126.com"], count)
    )
    more = (
        rows["area_code"] + "-5" + pad(rng.integers(1, 9_999_999, count), 7).where(rows["area_code"].str.len() < 5, "")
    )
    frame = pd.DataFrame(
        {
            "企业名称": rows["name"],
            "登记状态": rows["status"],
            "法定代表人": rows["legal_representative"],
            "注册资本": pad(rows["capital_wan"].fillna(0).to_numpy(), 1) + "万人民币",
            "成立日期": rows["founded_on"],
            "统一社会信用代码": rows["uscc"],
            "所属省份": rows["province"],
            "所属城市": rows["city"],
            "所属区县": rows["district"],
            "电话": rows["phone"],
            "更多电话": more.where(rng.random(count) < 0.12),
            "邮箱": mail.fillna(free).where(rng.random(count) < 0.5),
            "企业类型": rows["form"].map(COMPANY_TYPES).where(rows["kind"] != "branch", "有限责任公司分公司"),
            "所属行业": rows["industry"],
            "曾用名": rows["former_name"],
            "网址": ("www." + rows["domain"]).where(rng.random(count) < 0.6),
            "参保人数": pad(rows["employees"].to_numpy(), 1).where(rng.random(count) < 0.85),
            "企业地址": rows["address"],
            "经营范围": rows["scope"],
            "_entity": rows["entity"],
            "_variant": "exact",
        }
    )
    shelf.csv(VENDOR_FILE, _spoil_vendor(rng, clean(frame)), "gb18030", _vendor_lines(count))


COMPANY_TYPES = {
    "有限公司": "有限责任公司(自然人投资或控股)",
    "有限责任公司": "有限责任公司(自然人独资)",
    "科技有限公司": "有限责任公司(自然人投资或控股)",
    "股份有限公司": "股份有限公司(非上市、自然人投资或控股)",
    "集团有限公司": "有限责任公司(法人独资)",
}


def _vendor_lines(count: int) -> tuple[list[str], list[str]]:
    """A title above the header; a total and a note below the rows."""
    return ["企业查询平台 高级搜索结果导出,导出时间:2026-10-15 09:30:12"], [
        f"合计,共{count}条",
        "数据来源:企业查询平台(样例数据 纯属虚构)",
    ]


def _spoil_vendor(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    for kind, column, share in [
        ("code_lower_case", "统一社会信用代码", 0.006),
        ("code_letter_o", "统一社会信用代码", 0.004),
        ("code_spaced", "统一社会信用代码", 0.004),
        ("code_wrong_digit", "统一社会信用代码", 0.004),
        ("code_rounded", "统一社会信用代码", 0.004),
        ("scientific_phone", "电话", 0.004),
        ("phone_apostrophe", "电话", 0.01),
        ("bad_date", "成立日期", 0.004),
        ("blank_name", "企业名称", 0.0005),
        ("mojibake_name", "企业名称", 0.0005),
        ("newline_in_cell", "经营范围", 0.001),
    ]:
        spoil(rng, frame, kind, column, share)
    lost = frame.sample(3, random_state=7).assign(企业名称=None, 统一社会信用代码=None, _entity=-1)
    ragged = frame[frame["_kind"].isna()].sample(2, random_state=11)
    frame = add_rows(frame, "no_key", lost, "企业名称")
    frame = add_rows(frame, "ragged_row", ragged)
    frame = frame.take(rng.permutation(len(frame))).reset_index(drop=True)
    return add_duplicates(rng, frame, 0.01)


def _write_crm(shelf: Shelf, rng: np.random.Generator, companies: pd.DataFrame, entities: np.ndarray) -> pd.Series:
    """The CRM holds some companies twice, the second time otherwise written. Gives the first account id per company."""
    twice = np.sort(rng.permutation(entities)[: max(1, len(entities) // 50)])
    rows = companies.take(np.concatenate([rng.permutation(entities), twice])).reset_index(drop=True)
    count = len(rows)
    account_ids = "0015g0" + pad(np.arange(1, count + 1), 7)
    is_second = np.arange(count) >= len(entities)
    written = write_as(rng, rows, CRM_NAMES)
    second = write_as(rng, rows, {"no_form": 1, "typo": 1, "english": 1})
    countries = vocabulary("countries.csv").set_index("country")["name"]
    parents = take(companies["name"], rows["parent"].clip(lower=0).to_numpy())
    is_odd = is_second | (written["variant"] != "exact").to_numpy()
    frame = pd.DataFrame(
        {
            "Account ID": account_ids,
            "Account Name": written["text"].where(~is_second, second["text"]),
            "Unified Social Credit Code": rows["uscc"].where((rng.random(count) < 0.4) & ~is_second),
            "Website": ("https://www." + rows["domain"] + "/").where((rng.random(count) < 0.5) | is_odd),
            "Phone": rows["phone"].where(rng.random(count) < 0.5),
            "Billing Country": rows["country"].map(countries).fillna("中国"),
            "Billing State": rows["province"],
            "Billing City": rows["city"].str.removesuffix("市"),
            "Industry": rows["industry"].where(rng.random(count) < 0.7),
            "Annual Revenue": pad(rows["employees"].to_numpy() * 400_000, 1).where(rng.random(count) < 0.3),
            "Employees": pad(rows["employees"].to_numpy(), 1).where(rng.random(count) < 0.6),
            "Parent Account": parents.where((rows["parent"] >= 0) & (rng.random(count) < 0.5)),
            "_entity": rows["entity"],
            "_variant": written["variant"].where(~is_second, second["variant"]),
        }
    )
    frame = clean(frame)
    spoil(rng, frame, "code_spaced", "Unified Social Credit Code", 0.002)
    spoil(rng, frame, "phone_prefixed", "Phone", 0.01)
    shelf.csv(CRM_FILE, add_duplicates(rng, frame, 0.003), "utf-8-sig")
    first = pd.Series(account_ids[: len(entities)].to_numpy(), index=rows["entity"].to_numpy()[: len(entities)])
    return first.reindex(np.arange(len(companies))).astype("str")


def _write_fair(shelf: Shelf, rng: np.random.Generator, companies: pd.DataFrame) -> None:
    rows = _shuffled(rng, companies)
    written = write_as(rng, rows, FAIR_NAMES)
    booth = draw(rng, list("ABCEHN"), len(rows)) + pad(rng.integers(1, 999, len(rows)), 3)
    frame = pd.DataFrame(
        {
            "公司名称(必填)": written["text"],
            "英文名称": rows["name_en"].where(rng.random(len(rows)) < 0.4),
            "统一社会信用代码": rows["uscc"].where(rng.random(len(rows)) < 0.5),
            "联系 电话": rows["phone"].where(rng.random(len(rows)) < 0.6),
            "公司网址": rows["domain"].where((rng.random(len(rows)) < 0.6) | (written["variant"] != "exact")),
            "国家": rows["country"],
            "所属省份": rows["province"],
            "所属城市": rows["city"],
            "员工人数": pad(rows["employees"].to_numpy(), 1),
            "展位号": booth,
            "_entity": rows["entity"],
            "_variant": written["variant"],
            "_is_foreign": rows["kind"] == "foreign",
        }
    )
    home = clean(frame[~frame["_is_foreign"]].drop(columns=["_is_foreign", "国家"]))
    for kind, column, share in [("code_letter_o", "统一社会信用代码", 0.004), ("phone_spaced", "联系 电话", 0.02)]:
        spoil(rng, home, kind, column, share)
    abroad = clean(
        frame[frame["_is_foreign"]].drop(columns=["_is_foreign", "统一社会信用代码", "英文名称", "所属省份"])
    )
    names = {
        "公司名称(必填)": "Company Name *",
        "联系 电话": "Phone",
        "公司网址": "Website",
        "国家": "Country",
        "所属城市": "City",
        "员工人数": "Employees",
        "展位号": "Booth No.",
    }
    shelf.xlsx(FAIR_FILE, {"国内展商": add_duplicates(rng, home, 0.004), "海外展商": abroad.rename(columns=names)})
