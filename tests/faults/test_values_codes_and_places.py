"""Catalogue V16-V20, V26 and F05: names, registration codes, places and industries, from raw rows to staging."""

import pytest

from abmloop.messages import say
from abmloop.run import Run
from scoring.values.codes import parse_codes
from scoring.values.industries import parse_industries
from scoring.values.regions import parse_addresses, parse_places
from tests.faults.values_world import company, contact, rows_of, stage, told

GOOD = "91440300708461136T"


def place(text: str) -> tuple[str | None, str | None, str | None, str | None]:
    [row] = parse_places([text]).to_pylist()
    return row["province_code"], row["city_code"], row["district_code"], row["rule"]


def test_f05_mojibake_is_flagged_and_never_a_key(run: Run) -> None:
    [row] = stage(run, "companies", company(name="锟斤拷锟斤拷有限公司"))
    assert row["name_key"] is None
    assert told(run) == [("name", "锟斤拷锟斤拷有限公司", "name-mojibake", "flag")]


def test_v16_ways_of_writing_one_name_have_one_key_but_a_branch_keeps_its_own(run: Run) -> None:
    names = [
        "云帆（北京）科技有限公司",
        "云帆(北京)科技有限公司",
        "雲帆【北京】科技有限公司",
        "云帆(北京)科技有限公司深圳分公司",
    ]
    rows = stage(run, "companies", *(company(source_id=str(i), name=name) for i, name in enumerate(names)))
    assert len({row["name_key"] for row in rows[:3]}) == 1
    assert rows[3]["name_key"] != rows[0]["name_key"]
    assert rows[3]["name_branch"] is not None


def test_v16_a_name_is_known_by_its_clean_writing_too(run: Run) -> None:
    stage(run, "companies", company(name="云帆（北京）科技有限公司"))
    keys = rows_of(run, "select name_key from staging.parsed_names where value like '云帆%'")
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_v16_former_names_are_split_and_keyed(run: Run) -> None:
    [row] = stage(run, "companies", company(former_names="云帆软件有限公司；云海软件有限公司(2010-01-01至2012-01-01)"))
    assert row["former_names"] == ["云帆软件有限公司", "云海软件有限公司"]
    assert len(row["former_name_keys"]) == 2


def test_v17_same_name_of_two_rows_stays_two_records(run: Run) -> None:
    rows = stage(
        run,
        "companies",
        company(source_id="a", name="张记小吃店", city="长沙"),
        company(source_id="b", name="张记小吃店", city="武汉"),
    )
    assert [row["row_id"] for row in rows] == ["crm:a", "crm:b"]


MISTAKES = [
    ("9I440300708461136T", "repaired", "code-letters", "repair"),
    ("914403OO708461136T", "repaired", "code-letters", "repair"),
    ("91440300708461136t", "valid", "code-formatted", "repair"),
    ("９１４４０３００７０８４６１１３６Ｔ", "valid", "code-formatted", "repair"),
    ("9144 0300 7084 6113 6T", "valid", "code-formatted", "repair"),
    ("91440300708461136S", "invalid", "code-characters", "null_value"),
    ("9144030070846113T", "invalid", "code-length", "null_value"),
    ("914403007084611366T", "invalid", "code-length", "null_value"),
    ("91440300708461137T", "invalid", "code-checksum", "null_value"),
]


def test_v18_mistakes_in_a_credit_code_are_mended_only_if_the_checksum_then_holds(run: Run) -> None:
    rows = stage(run, "companies", *(company(source_id=f"c{n}", uscc=MISTAKES[n][0]) for n in range(len(MISTAKES))))
    for row, (_, state, _, action) in zip(rows, MISTAKES, strict=True):
        assert (row["uscc_state"], row["uscc"]) == (state, GOOD if action == "repair" else None)
    assert sorted(told(run)) == sorted(("uscc", text, rule, action) for text, _, rule, action in MISTAKES)
    assert all(say(f"value_{rule}", "zh") != say(f"value_{rule}", "en") for _, _, rule, _ in MISTAKES)


@pytest.mark.parametrize("text", ["914403007084611000", "9.14403E+17"])
def test_v19_a_rounded_code_is_never_a_key_even_if_its_checksum_holds(run: Run, text: str) -> None:
    [row] = stage(run, "companies", company(uscc=text))
    assert (row["uscc"], row["uscc_state"]) == (None, "suspect" if text.endswith("000") else "invalid")


def test_v19_some_rounded_codes_do_pass_the_checksum() -> None:
    from stdnum.cn import uscc

    passing = next(code for n in range(1000) if uscc.is_valid(code := f"91440300{7084000 + n:07d}000"))
    assert parse_codes([passing]).to_pylist()[0]["uscc_state"] == "suspect"


@pytest.mark.parametrize(
    ("text", "kind", "registration_no"),
    [
        ("440301103097413", "registration_no", "440301103097413"),
        ("70846113-6", "organisation_code", None),
        ("440300708461136", "tax_no", None),
        ("11010519491231002X", "person_id", None),
        ("5493001KJTIIGC8Y1R12", "lei", "LEI:5493001KJTIIGC8Y1R12"),
        ("GB980780684", "vat", "VAT:GB980780684"),
        ("DE 136 695 976", "vat", "VAT:DE136695976"),
        ("15-048-3782", "duns", "DUNS:150483782"),
        ("DUNS 150483782", "duns", "DUNS:150483782"),
        ("22657821-000-03-24-9", "hk_br", "HK_BR:22657821"),
        ("統編 00501503", "tw_ubn", "TW_UBN:00501503"),
        ("22657821", "number_8", "NUMBER_8:22657821"),
        ("GB123456789", "other", None),
        ("150483782", "other", None),
    ],
)
def test_v20_other_numbers_are_typed_and_never_compared_across_types(
    text: str, kind: str, registration_no: str | None
) -> None:
    [row] = parse_codes([text]).to_pylist()
    assert (row["uscc"], row["kind"], row["registration_no"]) == (None, kind, registration_no)


@pytest.mark.parametrize("text", [GOOD, "70846113-6", "440300708461136"])
def test_v20_credit_code_tax_number_and_organisation_code_share_the_organisation_code(text: str) -> None:
    assert parse_codes([text])["organisation_code"].to_pylist() == ["708461136"]


def test_v20_a_persons_identity_number_is_not_kept(run: Run) -> None:
    [row] = stage(run, "companies", company(uscc="11010519491231002X"))
    assert (row["uscc"], row["registration_no"], row["organisation_code"]) == (None, None, None)
    assert told(run)[0][2:] == ("code-person-id", "null_value")


def test_v20_the_organisation_code_is_cut_from_the_credit_code(run: Run) -> None:
    [row] = stage(run, "companies", company(uscc=GOOD))
    assert row["organisation_code"] == "708461136"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("湖北|襄樊市|", ("420000", "420600", None, None)),
        ("北京|北京|崇文区", ("110000", "110100", "110101", None)),
        ("四川省|成都市|双流县", ("510000", "510100", "510116", None)),
        ("|广东省|", ("440000", None, None, None)),
        ("|深圳|", ("440000", "440300", None, None)),
        ("310115||", ("310000", "310100", "310115", None)),
        ("广东|杭州|", (None, None, None, "place-conflict")),
        ("||鼓楼区", (None, None, None, "place-ambiguous")),
        ("California|San Jose|", (None, None, None, None)),
    ],
)
def test_v26_old_merged_and_misplaced_regions_find_the_code_of_today(text: str, codes: tuple[str | None, ...]) -> None:
    assert place(text) == codes


def test_v26_a_road_named_after_a_province_is_no_province() -> None:
    assert parse_addresses(["海南路12号"])["province_code"].to_pylist() == [None]


def test_v26_the_address_fills_only_what_the_fields_leave_open(run: Run) -> None:
    rows = stage(
        run,
        "companies",
        company(source_id="a", province="广东", address="广东省深圳市南山区科技园1号"),
        company(source_id="b", province="浙江", address="广东省深圳市南山区科技园1号"),
        company(source_id="c", address="昆山市玉山镇"),
        company(source_id="d", name="杭州云帆远航科技有限公司"),
    )
    assert [(row["province"], row["city"], row["district"]) for row in rows] == [
        ("广东省", "深圳市", "南山区"),
        ("浙江省", None, None),
        ("江苏省", "苏州市", "昆山市"),
        ("浙江省", "杭州市", None),
    ]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("C34", ("C", "34")),
        ("制造业-专用设备制造业", ("C", "35")),
        ("软件和信息技术服务业", ("I", "65")),
        ("6510", ("I", "65")),
        ("Computer Software", ("I", "65")),
        ("Retail", ("F", "52")),
        ("G62", ("I", "65")),
        ("G6210 软件业", ("I", "65")),
        ("O79 居民服务业", ("O", "80")),
        ("P82", ("P", "83")),
        ("通信设备、计算机及其他电子设备制造业", ("C", "39")),
        ("塑料制品业", ("C", "29")),
        ("foo", (None, None)),
    ],
)
def test_v26_industries_of_three_editions_find_the_division_of_today(
    text: str, codes: tuple[str | None, str | None]
) -> None:
    [row] = parse_industries([text]).to_pylist()
    assert (row["section"], row["division"], row["industry"]) == (*codes, text)


def test_a_contact_abroad_keeps_its_place_as_given(run: Run) -> None:
    [row] = stage(
        run, "contacts", contact(province="California", city="San Jose", country="USA", mobile="(415) 555-2671")
    )
    assert (row["province"], row["city"], row["country"]) == ("California", "San Jose", "US")
