"""What parse_names promises of single names, and of many at once."""

import pytest

from scoring.names import parse_names


def parsed(value: str | None) -> dict[str, object]:
    return parse_names([value]).to_pylist()[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("友格(天津)通讯科技有限公司", "友格（天津）通讯科技有限责任公司"),
        ("友格【天津】通讯科技有限公司", "友格天津通讯科技有限公司"),
        ("余姚市宏昊投资咨询有限公 司", "余姚市宏昊投资咨询有限公司"),
        ("瀋陽農村商業銀行股份有限公司", "沈阳农村商业银行股份有限公司"),
        ("上海龙舫贸易有限公司（筹）", "上海龙舫贸易有限公司"),
        ("ＡＢＣ　科技有限公司", "abc科技有限公司"),
        ("S.A. Foo & Bar, Inc.", "SA Foo and Bar Incorporated"),
        ("ByteJoy Technology Co., Ltd.", "BYTEJOY TECHNOLOGY CO LTD"),
        ("宏微科技\u200b股份有限公司", "宏微科技股份有限公司"),
        ("华太集团(武汉)有限责任公司", "华太集团武汉有限公司"),
        ("华太有限公司(武汉)分公司", "华太有限责任公司武汉分公司"),
    ],
)
def test_writings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert parsed(one)["name_key"] == parsed(other)["name_key"] is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("方正科技股份有限公司", "方正科技有限公司"),
        ("华为技术有限公司", "华为技术有限公司北京分公司"),
        ("吉安市金桥广告有限公司", "南昌市金桥广告有限公司"),
        ("张江小店(个体工商户)", "张江小店"),
        ("沅陵明科矿业集团有限公司", "沅陵明科矿业有限公司"),
        ("裕祥床垫加工厂", "裕祥床垫厂"),
    ],
)
def test_other_companies_have_other_keys(one: str, other: str) -> None:
    assert parsed(one)["name_key"] != parsed(other)["name_key"]


@pytest.mark.parametrize(
    ("value", "region", "code", "core", "industry_word", "form", "branch"),
    [
        ("江苏宏微科技股份有限公司", "江苏", "320000", "宏微", "科技", "股份有限公司", None),
        ("广西钦州美联码头仓储有限公司", "广西钦州", "450700", "美联码头", "仓储", "有限公司", None),
        ("友格(天津)通讯科技有限公司", "天津", "120000", "友格", "通讯科技", "有限公司", None),
        ("西门子北京技术有限公司", "北京", "110000", "西门子", "技术", "有限公司", None),
        ("公安县埠河镇裕祥床垫加工厂", "公安县", "421022", "裕祥", "床垫", "厂", None),
        ("华为北京分公司", "北京", "110000", "华为", None, None, "分公司"),
        (
            "中国邮政集团公司北京市延庆区分公司",
            "北京市延庆区",
            "110119",
            "中国邮政",
            None,
            "集团公司",
            "北京市延庆区分公司",
        ),
        ("青岛银行股份有限公司", "青岛", "370200", "青岛银行", None, "股份有限公司", None),
        ("东方盛花梨生态农业开发有限公司", None, None, "东方盛花梨", "生态农业开发", "有限公司", None),
        ("Alcon Inc. Ordinary Shares", None, None, "alcon", None, "inc", None),
        ("The Interpublic Group of Companies, Inc.", None, None, "interpublic group of companies", None, "inc", None),
        ("PELLA GLOBAL PTY LIMITED", None, None, "pella global", None, "pty ltd", None),
    ],
)
def test_parts(value: str, region: str, code: str, core: str, industry_word: str, form: str, branch: str) -> None:
    row = parsed(value)
    assert [row[c] for c in ("region", "region_code", "core", "industry_word", "form", "branch")] == [
        region,
        code,
        core,
        industry_word,
        form,
        branch,
    ]


@pytest.mark.parametrize(
    "value", ["无", "暂无", "-", "--", "N/A", "test", "个人", "自由职业", "123", "self employed", "学生", "xxx"]
)
def test_placeholders_are_no_names(value: str) -> None:
    row = parsed(value)
    assert (row["name_key"], row["is_company_name"], row["rule"]) == (None, False, "name-placeholder")


@pytest.mark.parametrize("value", ["有限公司", "科技公司", "北京", "上海市", "公司", "中国", "Limited"])
def test_a_form_a_trade_or_a_place_alone_names_nobody(value: str) -> None:
    row = parsed(value)
    assert (row["name_key"], row["is_company_name"], row["rule"]) == (None, False, "name-generic")


@pytest.mark.parametrize("value", ["鐢佃瘽鍏徃", "锟斤拷有限公司", "SociÃ©tÃ© GÃ©nÃ©rale", "北京\ufffd\ufffd公司"])
def test_f05_mojibake_is_never_a_key(value: str) -> None:
    row = parsed(value)
    assert (row["name_key"], row["rule"]) == (None, "name-mojibake")


def test_a_persons_name_is_no_company_but_can_be_compared() -> None:
    row = parsed("张伟")
    assert (row["name_key"], row["is_company_name"], row["rule"]) == ("张伟", False, "name-person")


@pytest.mark.parametrize("value", [None, "", "   ", "\u200b"])
def test_nothing_written_is_nothing(value: str | None) -> None:
    row = parsed(value)
    assert (row["name"], row["name_key"], row["is_company_name"], row["rule"]) == (None, None, False, None)


def test_display_name_keeps_its_script() -> None:
    assert parsed("  瀋陽　農村\u200b商業銀行 ")["name"] == "瀋陽 農村商業銀行"


def test_rows_keep_their_order_whatever_their_script() -> None:
    values = ["Nokia Oyj", "华为技术有限公司", None, "открытые технологии", "北京银行"]
    assert parse_names(values)["value"].to_pylist() == values
    assert parse_names(values).to_pylist() == [parsed(value) for value in values]


def test_no_values_give_no_rows() -> None:
    assert parse_names([]).num_rows == 0
