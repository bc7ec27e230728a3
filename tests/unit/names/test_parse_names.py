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
        ("西门子(中国)有限公司", "中国", None, "西门子", None, "有限公司", None),
        ("宁波鄞州同和木业有限公司", "宁波鄞州", "330212", "同和", "木业", "有限公司", None),
        ("宁波市鄞州商业石油有限公司", "宁波市", "330200", "鄞州", "商业石油", "有限公司", None),
        ("尼木县尼木乡绘画有限公司", "尼木县", "540123", "绘画", None, "有限公司", None),
        ("吴江元丰制鞋有限公司", "吴江", "320509", "元丰", "制鞋", "有限公司", None),
        ("綦江县三江塑料制品厂", "綦江县", "500110", "三江", "塑料制品", "厂", None),
        ("甘南州永兴实业有限公司", "甘南州", "623000", "永兴", "实业", "有限公司", None),
        ("前郭县红光粮米加工厂", "前郭县", "220721", "红光粮米", None, "厂", None),
        ("乾安县宏达商贸有限公司", "乾安县", "220723", "宏达", "商贸", "有限公司", None),
        ("南京西路餐饮有限公司", None, None, "南京西路", "餐饮", "有限公司", None),
        ("北京路特利商贸有限公司", "北京", "110000", "路特利", "商贸", "有限公司", None),
        ("上海滩文化传媒有限公司", None, None, "上海滩", "文化传媒", "有限公司", None),
        ("阿里巴巴（中国）有限公司杭州分公司", "杭州", "330100", "阿里巴巴", None, "有限公司", "杭州分公司"),
        ("绿地集团芜湖置业有限公司", "芜湖", "340200", "绿地", "置业", "有限公司", None),
        ("徐州立信税务师事务所有限公司", "徐州", "320300", "立信", "税务师事务所", "有限公司", None),
        ("瑞华会计师事务所（特殊普通合伙）北京分所", "北京", "110000", "瑞华", "会计师事务所", "合伙企业", "北京分所"),
        ("余姚市巨能电器配件厂（普通合伙）", "余姚市", "330281", "巨能", "电器配件厂", "合伙企业", None),
        ("双峰县哆来咪种植农民专业合作社", "双峰县", "431321", "哆来咪", "种植", "合作社", None),
        ("張三理髮店（個體工商戶）", None, None, "张三", "理发店", "个体工商户", None),
        ("北流市登树养殖场（微型企业）", "北流市", "450981", "登树", None, "场", None),
        ("陆川县乌石供销社农药门市部", "陆川县", "450922", "乌石", "供销", "社", "农药门市部"),
        ("徐闻县曲界供销合作社三河门市部", "徐闻县", "440825", "曲界", "供销", "合作社", "三河门市部"),
        ("北海正隆建材有限公司上海路第一分公司", "北海", "450500", "正隆", "建材", "有限公司", "上海路第一分公司"),
        ("上海叶心贸易有限公司徐汇分公司", "徐汇", "310104", "叶心", "贸易", "有限公司", "徐汇分公司"),
        (
            "国网江苏省电力公司镇江市丹徒供电分公司",
            "镇江市丹徒",
            "321112",
            "国网",
            "电力",
            "公司",
            "镇江市丹徒供电分公司",
        ),
        ("东京电力株式会社", None, None, "东京", "电力", "株式会社", None),
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


@pytest.mark.parametrize("value", ["\u0410libaba Group", "Appl\u0435 Inc", "\u039dike有限公司"])
def test_v13_look_alike_letters_are_flagged_and_never_a_key(value: str) -> None:
    row = parsed(value)
    assert (row["name_key"], row["rule"]) == (None, "name-mixed-script")


@pytest.mark.parametrize("value", ["\U00020bb7野家有限公司", "\ue000泰有限公司", "㐂多来有限公司"])
def test_v15_rare_characters_stay_in_name_and_key(value: str) -> None:
    row = parsed(value)
    assert (row["name"], row["name_key"], row["rule"]) == (value, value, None)


def test_v16_a_branch_is_never_stripped_from_the_key() -> None:
    for branch in (
        "分公司",
        "办事处",
        "分店",
        "营业部",
        "支行",
        "分行",
        "代表处",
        "事业部",
        "上海分公司",
        "第二门市部",
    ):
        row = parsed("华为技术有限公司" + branch)
        assert row["branch"] == branch
        assert row["name_key"] == "华为技术有限公司" + branch


def test_a_place_alone_never_takes_the_whole_proper_name() -> None:
    assert parsed("中国宁波国际合作有限责任公司")["core"] == "中国宁波"


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
