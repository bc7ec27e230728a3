"""Names written in another width, script or case, wrapped, misheard, misread: what is made of them."""

from collections.abc import Callable

import numpy as np
import opencc
import pyarrow as pa
import pytest

from scoring.match.sides import plainly_written
from scoring.match.slips import (
    HEARD,
    IN_CORE,
    LIKE,
    NEARLY_HEARD,
    SOMEWHAT_LIKE,
    UNLIKE,
    Names,
    slips_in_order,
    slips_in_place,
)
from scoring.match.tables import match_tables
from scoring.match.training.mistaken import misheard, misread
from scoring.match.wrappings import unwrapped
from scoring.names.confusables import straight_letters
from scoring.policies.match import MatchPolicy
from tests.unit.match.test_match_tables import POLICY


@pytest.mark.parametrize(
    "given",
    [
        "《云帆》",
        "“云帆”",
        "公司名称：云帆",
        "贵司：云帆",
        "单位: 【云帆】",
        "云帆。",
        "Company: 云帆",
        "*云帆*",
        "－云帆－",
        "1. 云帆",
        "②、云帆",
        "• 云帆",
        "客户-云帆",
        "供应商：云帆",
        "我在云帆上班",
        "本人目前就职于云帆",
        "云帆（收）",
        "云帆(已离职)",
        "公司名称：《云帆》",
        "《公司名称：《云帆》》",
        "抬头：“云帆”（盖章）；",
        "(云帆)",
        "单 位 名 称 ： 云 帆",
        "單位名稱：雲帆",
        "\n云帆\n",
        "公司名称：\n云帆",
        "【客户】云帆",
        "我司是云帆",
    ],
)
def test_what_is_pasted_around_a_name_is_taken_off(given: str) -> None:
    assert _bare(given) == "云帆"


@pytest.mark.parametrize(
    ("given", "bare"),
    [
        ("云帆（杭州）有限公司 电话：0571-88", "云帆(杭州)有限公司"),
        ("云帆有限公司收", "云帆有限公司"),
        ("I work at Acme Corp", "Acme Corp"),
        ("Employer - “Acme, Inc.”", "Acme, Inc."),
        ("Acme Corp (customer); tel: 5", "Acme Corp"),
    ],
)
def test_a_sentence_or_details_around_a_name_are_taken_off(given: str, bare: str) -> None:
    assert _bare(given) == bare


@pytest.mark.parametrize(
    "name",
    [
        "",
        "公司",
        '"A" and "B"',
        "Foo, Inc.",
        "贵州茅台",
        "我司",
        "我爱我家房地产",
        "在水一方酒店",
        "来自星星(北京)餐饮",
        "客户服务中心",
        "《读者》杂志社",
        "(杭州)云帆",
        "1.FC Köln",
        "Vitrage Mobile 38",
        "Work Microwave GmbH",
        "7-Eleven",
        "北京单位用房管理公司",
    ],
)
def test_real_names_stay(name: str) -> None:
    assert _bare(name) == name


@pytest.mark.parametrize(
    ("given", "straight"),
    [
        ("\u0410pple Inc", "Apple Inc"),
        ("\u0421\u041eCA Cola", "COCA Cola"),
        ("\u039dike 有限公司", "Nike 有限公司"),
        ("\u0422\u0421\u0422集团", "TCT集团"),
        ("\u0251cme \u0421\u041e", "acme CO"),
        ("Газпром", "Газпром"),
        ("Ромашка Trading", "Ромашка Trading"),
        ("\u0421\u041e\u0421\u041d\u0410", "\u0421\u041e\u0421\u041d\u0410"),
        ("Ελλάδα ΑΕ", "Ελλάδα ΑΕ"),
        ("贵州茅台", "贵州茅台"),
    ],
)
def test_look_alike_letters_are_latin_among_latin_ones_only(given: str, straight: str) -> None:
    assert straight_letters(pa.array(["x", given, None])).to_pylist() == ["x", straight, None]


@pytest.mark.parametrize(
    ("given", "account", "kind"),
    [
        ("威附高科", "无锡威孚高科技集团股份有限公司", HEARD),
        ("江恃电机", "江西特种电机股份有限公司", LIKE),
        ("华伟", "深圳华为技术有限公司", HEARD),
        ("兰星清洗", "蓝星清洗股份有限公司", HEARD),
        ("明旺食品", "民旺食品有限公司", NEARLY_HEARD),
        ("庆联", "庆悦电子有限公司", UNLIKE),
        ("未来城", "末来城有限公司", LIKE),
    ],
)
def test_the_one_character_that_differs_tells_why(given: str, account: str, kind: int) -> None:
    assert slips_in_order(_names(given, account)).kind.tolist() == [kind]


def test_a_slip_in_the_proper_name_is_told_from_one_elsewhere() -> None:
    names = Names(
        *(np.array(column, object) for column in (["华伟技术", "身圳华为"], ["深圳华为技术"] * 2, ["华为"] * 2))
    )
    assert slips_in_order(names).place.tolist() == [IN_CORE, IN_CORE - 1]


def test_two_slips_count_as_the_less_likely_of_both() -> None:
    assert slips_in_place(_names("g00gle", "google")).kind.tolist() == [LIKE]
    assert slips_in_place(_names("g0xgle", "google")).kind.tolist() == [UNLIKE]
    assert slips_in_place(_names("google", "google")).kind.tolist() == [0]


@pytest.mark.parametrize(
    ("mistake", "kinds"), [(misheard, {HEARD, NEARLY_HEARD}), (misread, {LIKE, SOMEWHAT_LIKE, HEARD, NEARLY_HEARD})]
)
def test_mistakes_learnt_from_are_those_that_are_told(mistake: Callable[..., str], kinds: set[int]) -> None:
    names = ["深圳华为技术有限公司", "无锡威孚高科技集团", "贵州茅台"]
    written = [mistake(name, np.random.default_rng(seed)) for seed, name in enumerate(names)]
    assert all(one != other for one, other in zip(written, names, strict=True))
    columns = (np.array(column, object) for column in (written, names, names))
    assert set(slips_in_place(Names(*columns)).kind.tolist()) <= kinds


_GIVEN = (
    "深圳华为技术有限公司",
    "上海宏远贸易有限公司(总部)",
    "宏远贸易",
    "吉林市瑞孚大众出租汽车有限公司江北分公司",
    "Acme Tools Co., Ltd. - Sales",
    "TCL集团股份有限公司",
    "江特电机",
    "Siemens AG",
)
_ACCOUNTS = (
    "深圳华为技术有限公司",
    "上海宏远贸易有限公司",
    "北京宏远贸易有限公司",
    "吉林市瑞孚大众出租汽车有限公司江北分公司",
    "Acme Tools Company Limited",
    "TCL集团股份有限公司",
    "江西特种电机股份有限公司",
    "Siemens Aktiengesellschaft",
    "苏州市大华机械厂",
)
_LOOK_ALIKES = str.maketrans("AaeoTCS", "\u0410\u0430\u0435\u043e\u0422\u0421\u0405")


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda name: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name),
        lambda name: " ".join(name) if "\u4e00" <= name[0] <= "\u9fff" else name.replace(" ", "  "),
        opencc.OpenCC("s2t").convert,
        str.upper,
        lambda name: name[:1] + name[1:].translate(_LOOK_ALIKES),
        lambda name: f"公司名称：《{name}》",
        lambda name: f"\u3000{name}\n",
    ],
    ids=["width", "spaces", "script", "case", "letters", "wrapping", "blanks"],
)
def test_another_width_script_case_or_wrapping_changes_no_decision(rewritten: Callable[[str], str]) -> None:
    columns = ["account_id", "decision", "method", "confidence", "runner_up_account_id"]
    plain = _matched(list(_GIVEN)).select(columns)
    assert plain["decision"].to_pylist().count("auto") > len(_GIVEN) / 2
    assert _matched([rewritten(name) for name in _GIVEN]).select(columns).to_pylist() == plain.to_pylist()


def test_a_misheard_proper_name_is_taken_only_where_no_namesake_sounds_the_same() -> None:
    given = ["成都欣凝建筑安装工程有限公司"]
    alone, beside = ["成都鑫凝建筑安装工程有限公司"], ["成都鑫凝建筑安装工程有限公司", "成都新凝建筑安装工程有限公司"]
    assert _matched(given, alone)["account_id"].to_pylist() == ["0"]
    assert _matched(given, beside)["decision"].to_pylist() != ["auto"]


def _matched(
    given: list[str], accounts: list[str] | tuple[str, ...] = _ACCOUNTS, policy: MatchPolicy = POLICY
) -> pa.Table:
    contacts = pa.table({"contact_id": [str(row) for row in range(len(given))], "company_name": given})
    listed = pa.table({"account_id": [str(row) for row in range(len(accounts))], "name": list(accounts)})
    return match_tables(contacts, listed, policy).decisions


def _bare(given: str) -> str:
    return str(unwrapped(plainly_written(np.array([given], object)))[0])


def _names(given: str, account: str) -> Names:
    return Names(*(np.array([text], object) for text in (given, account, account)))
