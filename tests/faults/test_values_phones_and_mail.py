"""Catalogue V01-V15: phones, mail addresses, placeholders and damaged text, from raw rows to staging and quality."""

from datetime import date
from typing import Any

import pytest

from abmloop.messages import say
from abmloop.run import Run
from scoring.values.emails import parse_emails
from scoring.values.phones import parse_phones
from scoring.values.text import parse_texts
from tests.faults.values_world import company, contact, rows_of, stage, stage_again, told


def phone(text: str, field: str = "phone") -> Any:
    return parse_phones([text])[field][0].as_py()


@pytest.mark.parametrize("text", ["1.38E+10", "1.3800138E+10"])
def test_v01_phone_in_scientific_notation_is_refused_and_the_row_kept(run: Run, text: str) -> None:
    [row] = stage(run, "contacts", contact(mobile=text))
    assert row["mobile"] is None
    assert told(run) == [("mobile", text, "phone-scientific", "null_value")]
    assert "thousands of numbers fit it" in say("value_phone-scientific")


@pytest.mark.parametrize("text", ["13800138001.0", "'13800138001", '="13800138001"', "13800138001\t"])
def test_v02_phone_wrapped_by_a_spreadsheet_is_recovered_and_told(run: Run, text: str) -> None:
    [row] = stage(run, "contacts", contact(mobile=text))
    assert row["mobile"] == "+8613800138001"
    assert told(run) == [("mobile", text, "phone-spreadsheet", "repair")]


def test_v03_lost_zero_of_an_area_code_is_settled_by_the_rows_city_only(run: Run) -> None:
    rows = stage(
        run,
        "companies",
        company(source_id="a", city="上海", phone="21 55667788"),
        company(source_id="b", city="深圳", phone="21 55667788"),
        company(source_id="c", city="杭州", phone="87654320"),
        company(source_id="d", phone="87654320"),
    )
    assert [row["phones"] for row in rows] == [["+862155667788"], [], ["+8657187654320"], []]
    assert {rule for _, _, rule, action in told(run) if action == "flag"} == {"phone-lost-zero", "phone-no-area"}


@pytest.mark.parametrize(
    "text",
    [
        "１３９１２３４５６７０",
        "٠١٣٩١٢٣٤٥٦٧٠",
        "139I2345670",
        "139 1234 5670",
        "139.1234.5670",
        "+86 139-1234-5670",
        "008613912345670",
        "(86)13912345670",
        "8613912345670",
    ],
)
def test_v04_ways_of_writing_one_mobile_are_one_key(text: str) -> None:
    assert phone(text, "mobile") == "+8613912345670"


def test_v05_several_phones_in_a_cell_are_split_in_order_without_extensions() -> None:
    assert phone("021-55667788转8001/13912345670；010-62345678-801、0755-26012345 ext 12", "e164s") == [
        "+862155667788",
        "+8613912345670",
        "+861062345678",
        "+8675526012345",
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("400-820-8820", "service"),
        ("95588", "short"),
        ("110", "short"),
        ("0755-26012345", "landline"),
        ("17012345670", "virtual"),
        ("1064812304071", "iot"),
        ("+1 415 555 2671", "foreign"),
        ("13912345670", "mobile"),
    ],
)
def test_v06_kinds_of_numbers_are_told_apart(text: str, kind: str) -> None:
    assert phone(text, "kind") == kind
    assert (phone(text) is None) == (kind in ("short", "iot"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("138****8000", "phone-masked"),
        ("13800000000", "phone-fake"),
        ("12345678901", "phone-fake"),
        ("11111111111", "phone-fake"),
        ("13812345678", "phone-fake"),
    ],
)
def test_v07_masked_repeated_and_sequential_digits_are_no_phone(text: str, rule: str) -> None:
    assert (phone(text), phone(text, "rule")) == (None, rule)


def test_v07_one_number_on_more_than_one_row_of_200_is_no_phone(run: Run) -> None:
    stage(run, "contacts", *(contact(contact_id=f"p{i}", mobile="13912345670") for i in range(20)))
    assert {(rule, action) for _, _, rule, action in told(run)} == {("phone-too-common", "null_value")}


def test_v08_shared_phones_stay_readable_for_resolving(run: Run) -> None:
    rows = stage(run, "companies", *(company(source_id=f"c{i}", phone="021-55667788") for i in range(5)))
    assert [row["phone"] for row in rows] == ["+862155667788"] * 5


PLACEHOLDERS = [
    "无",
    "暂无",
    "-",
    "--",
    "/",
    "N/A",
    "null",
    "None",
    "test",
    "测试",
    "123456",
    "未知",
    "详见",
    "0",
    "xxx",
    "a@a.com",
]


def test_v09_placeholders_become_null_with_their_reason(run: Run) -> None:
    rows = [contact(contact_id=f"p{n}", title=text, email=text, mobile=text) for n, text in enumerate(PLACEHOLDERS)]
    staged = stage(run, "contacts", *rows)
    assert {(row["title"], row["email"], row["mobile"]) for row in staged} == {(None, None, None)}
    assert {(value, rule) for _, value, rule, _ in told(run)} == {
        (text, f"{kind}-placeholder") for text in PLACEHOLDERS for kind in ("text", "email", "phone")
    }


def test_v09_same_as_above_is_never_resolved_by_guess(run: Run) -> None:
    rows = stage(
        run, "companies", company(source_id="a", address="深圳市南山区1号"), company(source_id="b", scope="同上")
    )
    assert rows[1]["scope"] is None
    assert ("scope", "同上", "text-same-as-above", "null_value") in told(run)


def test_v09_a_row_whose_every_key_is_a_placeholder_waits_in_quarantine(run: Run) -> None:
    assert stage(run, "touches", {"mobile": "无", "email": "-", "occurred_at": "2026-03-01", "type": "form"}) == []
    [row] = rows_of(run, "select * from quality.quarantine")
    assert (row["rule"], row["line"], row["file_name"]) == ("row-without-key", 2, "touches/one.csv")
    assert row["message"] == say("value_row-without-key")
    assert '"mobile":"无"' in row["raw_row"]


@pytest.mark.parametrize(
    ("entity", "column", "value", "rule"),
    [
        ("companies", "email", "service@agent.cn", "email-too-common"),
        ("companies", "website", "www.agent.cn", "domain-too-common"),
        ("companies", "uscc", "91440300708461136T", "code-too-common"),
        ("contacts", "email", "form@site.cn", "email-too-common"),
    ],
)
def test_v09_a_value_of_one_record_in_200_is_a_placeholder_that_no_list_knows(
    run: Run, entity: str, column: str, value: str, rule: str
) -> None:
    key = "source_id" if entity == "companies" else "contact_id"
    rows = [{key: f"r{i}", "name": f"云帆{i}", column: value} for i in range(100)]
    own = {"uscc": "91350100M000100Y43"}.get(column, "info@own.com")
    staged = stage(run, entity, *rows, {key: "one", "name": "远航", column: own})
    assert {row[column] for row in staged[:-1]} == {None}
    assert staged[-1][column] is not None
    assert {row[1:] for row in told(run) if row[0] == column} == {(value, rule, "null_value")}


def test_v09_the_same_record_landed_daily_is_no_common_value(run: Run) -> None:
    days = [date(2026, 10, day) for day in range(1, 26)]
    stage(run, "contacts", *(contact(title=f"t{day}", mobile="13912345670", landed_on=day) for day in days))
    assert rows_of(run, "select mobile from staging.contacts") == [{"mobile": "+8613912345670"}]


def test_v09_what_is_no_longer_common_is_read_again(run: Run) -> None:
    common = [contact(contact_id=f"p{i}", mobile="13912345670") for i in range(20)]
    assert {row["mobile"] for row in stage(run, "contacts", *common)} == {None}
    assert [row["mobile"] for row in stage_again(run, "contacts", common[:3])] == ["+8613912345670"] * 3


@pytest.mark.parametrize(
    ("text", "email", "kind"),
    [
        ("a＠huawei.com", "a@huawei.com", "corporate"),
        ("a @ huawei.com", "a@huawei.com", "corporate"),
        ("a@huawei,com", "a@huawei.com", "corporate"),
        ("a@huawei..com", "a@huawei.com", "corporate"),
        ("Li Lei <LL@Huawei.com>", "ll@huawei.com", "corporate"),
        ("mailto:ll@huawei.com", "ll@huawei.com", "corporate"),
        ("li@münchen.de", "li@münchen.de", "corporate"),
        ("info@huawei.com", "info@huawei.com", "role"),
        ("x@mailinator.com", "x@mailinator.com", "disposable"),
        ("1@qq.con", None, "invalid"),
        ("1@163.cm", None, "invalid"),
        ("no address", None, "invalid"),
    ],
)
def test_v10_mail_addresses_are_mended_where_there_is_one_reading(text: str, email: str | None, kind: str) -> None:
    [row] = parse_emails([text]).to_pylist()
    assert (row["email"], row["kind"]) == (email, kind)


def test_v10_what_a_mistyped_domain_may_have_meant_is_suggested_only(run: Run) -> None:
    [row] = stage(run, "contacts", contact(email="li@qq.con"))
    assert row["email"] is None
    assert rows_of(run, "select repaired, action from quality.repairs") == [
        {"repaired": "li@qq.com ?", "action": "null_value"}
    ]


def test_v10_two_addresses_in_a_cell_keep_their_order() -> None:
    assert parse_emails(["b@x-y.com；a@x-y.com"])["emails"].to_pylist() == [["b@x-y.com", "a@x-y.com"]]


FREE = [
    "qq.com",
    "163.com",
    "126.com",
    "foxmail.com",
    "sina.com",
    "139.com",
    "gmail.com",
    "outlook.com",
    "vip.163.com",
    "wo.cn",
]


def test_v11_free_mail_is_no_domain_of_a_company(run: Run) -> None:
    rows = stage(run, "contacts", *(contact(contact_id=f"p{n}", email=f"li@{host}") for n, host in enumerate(FREE)))
    assert {(row["email_kind"], row["company_domain"]) for row in rows} == {("personal", None)}


SHARED_SITES = [
    "szfoo.1688.com",
    "www.szfoo.gov.cn",
    "szfoo.edu.cn",
    "weibo.com/szfoo",
    "t.cn/abc",
    "foo.github.io",
    "foo.myshopify.com",
    "foo.netlify.app",
    "foo.aliyuncs.com",
    "foo.sedoparking.com",
]


def test_v12_shared_sites_are_public_not_a_companys_own(run: Run) -> None:
    rows = stage(run, "companies", *(company(source_id=f"c{n}", website=site) for n, site in enumerate(SHARED_SITES)))
    assert {row["domain_kind"] for row in rows} == {"public"}


def test_v13_look_alike_letters_are_refused_in_addresses_and_flagged_in_text(run: Run) -> None:
    [row] = stage(run, "contacts", contact(email="li@pаypal.com", title="Mаnager"))
    assert row["email"] is None
    assert told(run)[0] == ("email", "li@pаypal.com", "email-look-alike", "null_value")
    assert parse_texts(["Mаnager"])["rule"].to_pylist() == ["text-mixed-script"]


def test_v13_a_name_with_look_alike_letters_is_shown_and_matched_to_nothing(run: Run) -> None:
    [row] = stage(run, "companies", company(name="Аpple Trading Ltd"))
    assert (row["name"], row["name_key"]) == ("Аpple Trading Ltd", None)
    assert told(run) == [("name", "Аpple Trading Ltd", "name-mixed-script", "flag")]


def test_v14_invisible_characters_leave_the_value_and_are_told(run: Run) -> None:
    texts = [f"展会{mark}{n}" for n, mark in enumerate("\u200b\ufeff\u00ad\u202e\u2066\u200f")]
    rows = stage(run, "contacts", *(contact(contact_id=f"p{n}", lead_source=text) for n, text in enumerate(texts)))
    assert [row["lead_source"] for row in rows] == [f"展会{n}" for n in range(6)]
    expected = [("lead_source", text, "text-invisible-characters", "repair") for text in texts]
    assert sorted(told(run), key=str) == sorted(expected, key=str)


def test_v14_odd_spaces_fold_to_one() -> None:
    assert parse_texts(["a\u00a0\u3000 b\t"])["text"].to_pylist() == ["a b"]


def test_v15_rare_characters_survive_as_they_are(run: Run) -> None:
    [row] = stage(run, "contacts", contact(name="𠮷田🙂", department="\ue000部\uf90a"))
    assert (row["name"], row["department"]) == ("𠮷田🙂", "\ue000部金")
    assert rows_of(run, "select name, department from raw.contacts") == [
        {"name": "𠮷田🙂", "department": "\ue000部\uf90a"}
    ]
