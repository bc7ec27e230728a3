"""Catalogue V21-V25 and V27-V30: dates, money, ranges, hostile and sensitive text, from raw rows to staging."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from abmloop.run import Run
from scoring.policies.crm import CrmPolicy, FieldType
from scoring.values.amounts import parse_amounts, parse_booleans, parse_employees, parse_shares
from scoring.values.day_order import year_first
from scoring.values.lengths import cut_text
from scoring.values.text import parse_texts
from scoring.values.times import parse_times
from tasks.land import land
from tasks.outbound.csv_out import csv_bytes
from tasks.outbound.push.desired import make_desired
from tasks.parse import parse
from tasks.runs import open_run
from tests.faults.values_world import company, contact, put_raw, rows_of, stage, stage_again, told
from tests.unit.outbound.test_desired import gate


def day(text: str) -> tuple[date | None, str | None]:
    [row] = parse_times([text]).to_pylist()
    return row["day"], row["rule"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("43831", (date(2020, 1, 1), "date-serial")),
        ("2020.1.2", (date(2020, 1, 2), None)),
        ("2020年1月", (date(2020, 1, 1), "date-without-day")),
        ("2020", (date(2020, 1, 1), "date-without-month")),
        ("1/2/20", (None, "date-two-digit-year")),
        ("3/4/2020", (None, "date-ambiguous")),
        ("13/4/2020", (date(2020, 4, 13), None)),
        ("4/13/2020", (date(2020, 4, 13), None)),
        ("长期", (None, "date-open-ended")),
        ("0000-00-00", (None, "date-empty")),
        ("1900-02-29", (None, "date-impossible")),
        ("2026-02-30", (None, "date-impossible")),
        ("soon", (None, "date-unreadable")),
    ],
)
def test_v21_dates_with_one_meaning_are_read_and_others_refused(
    text: str, expected: tuple[date | None, str | None]
) -> None:
    assert day(text) == expected


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("3/4/2020", "2020-4-3", "2020-3-4"),
        ("03.04.20 10:05", "2020-04-03 10:05", "2020-03-04 10:05"),
        ("1/2/99", "1999-2-1", "1999-1-2"),
        ("13/4/2020", "2020-4-13", "13/4/2020"),
        ("2020-03-04", "2020-03-04", "2020-03-04"),
        ("soon", "soon", "soon"),
    ],
)
def test_v21_a_source_whose_order_is_known_has_one_reading(text: str, day_first: str, month_first: str) -> None:
    assert year_first(pa.array([text]), is_day_first=True).to_pylist() == [day_first]
    assert year_first(pa.array([text]), is_day_first=False).to_pylist() == [month_first]


def test_v21_the_order_of_dates_is_set_by_source(workspace: Path) -> None:
    sources = "sources:\n- {name: eu, files: ['companies/eu*'], dates: day_first}\n"
    for folder in ("config", "inbox/companies"):
        (workspace / folder).mkdir()
    (workspace / "config" / "sources.yaml").write_text(sources, encoding="utf-8")
    for name in ("eu", "us"):
        path = workspace / "inbox" / "companies" / f"{name}.csv"
        path.write_text(f"name,founded_on\nYunfan {name} Ltd,3/4/2020\n", encoding="utf-8")
    with open_run(workspace, date(2026, 10, 31)) as run:
        land(run)
        parse(run)
        found = rows_of(run, "select source, founded_on from staging.companies order by source")
        assert [row["founded_on"] for row in found] == [date(2020, 4, 3), None]
        assert told(run) == [("founded_on", "3/4/2020", "date-ambiguous", "null_value")]


def test_v21_an_event_without_a_day_takes_its_row_to_quarantine(run: Run) -> None:
    rows = stage(
        run,
        "touches",
        {"email": "a@x-y.com", "occurred_at": "2026年1月"},
        {"email": "b@x-y.com", "occurred_at": "2026-01-05 10:00"},
    )
    assert [row["occurred_at"] for row in rows] == [datetime(2026, 1, 5, 2, 0)]
    assert told(run) == [("occurred_at", "2026年1月", "date-without-day", "rejected")]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-25 10:05", datetime(2026, 3, 25, 2, 5)),
        ("2026-03-25T10:05:00Z", datetime(2026, 3, 25, 10, 5)),
        ("2026-03-25 10:05 +01:00", datetime(2026, 3, 25, 9, 5)),
        ("2026年3月25日 下午3时5分", datetime(2026, 3, 25, 7, 5)),
        ("3/25/2026 3:05 PM", datetime(2026, 3, 25, 7, 5)),
        ("1774404300", datetime(2026, 3, 25, 2, 5)),
    ],
)
def test_v21_times_carry_an_offset_or_are_read_in_the_workspaces_zone(text: str, at: datetime) -> None:
    assert parse_times([text])["occurred_at"].to_pylist() == [at]


def test_v22_future_and_early_dates_are_told_and_a_future_founding_is_dropped(run: Run) -> None:
    rows = stage(
        run,
        "companies",
        company(source_id="a", founded_on="2030-01-01"),
        company(source_id="b", founded_on="1850-01-01"),
    )
    assert [row["founded_on"] for row in rows] == [None, None]
    assert [(rule, action) for _, _, rule, action in told(run)] == [
        ("date-before-1900", "null_value"),
        ("date-founded-in-future", "null_value"),
    ]


def test_v22_a_touch_in_the_future_and_a_close_before_its_create_are_flagged(run: Run) -> None:
    put_raw(
        run,
        touches=[{"email": "a@x-y.com", "occurred_at": "2027-01-01"}],
        deals=[{"deal_id": "d1", "created_at": "2026-05-01", "closed_at": "2026-04-01"}],
    )
    parse(run)
    assert {(rule, action) for _, _, rule, action in told(run)} == {
        ("date-in-future", "flag"),
        ("date-closed-before-created", "flag"),
    }


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1,234.50", "1234.50", None),
        ("1.234,56", "1234.56", None),
        ("￥3万", "30000", "CNY"),
        ("3.5亿", "350000000", None),
        ("(100)", "-100", None),
        ("-100", "-100", None),
        ("USD 5k", "5000", "USD"),
        ("1000万元人民币", "10000000", "CNY"),
        ("500万美元", "5000000", "USD"),
        ("0", "0", None),
        ("123456", "123456", None),
        ("", None, None),
    ],
)
def test_v23_amounts_have_unit_and_currency(text: str, amount: str | None, currency: str | None) -> None:
    [row] = parse_amounts([text]).to_pylist()
    assert (row["amount"], row["currency"], row["rule"]) == (Decimal(amount) if amount else None, currency, None)


@pytest.mark.parametrize(
    ("text", "rule"), [("100元/年", "amount-per-unit"), ("100箱", "amount-unreadable"), ("无", "amount-placeholder")]
)
def test_v23_what_is_no_amount_is_refused(text: str, rule: str) -> None:
    [row] = parse_amounts([text]).to_pylist()
    assert (row["amount"], row["rule"]) == (None, rule)


def test_v23_tax_is_told_apart() -> None:
    assert parse_amounts(["3万含税", "3万(不含税)", "3万"])["tax"].to_pylist() == ["included", "excluded", None]


def test_v23_a_payment_that_is_no_number_waits_in_quarantine_an_unknown_deal_amount_does_not(run: Run) -> None:
    put_raw(
        run,
        payments=[{"payment_id": "1", "paid_on": "2026-01-05", "amount": "abcd"}],
        deals=[{"deal_id": "d1"}, {"deal_id": "d2", "amount": "many"}],
    )
    parse(run)
    assert rows_of(run, "select * from staging.payments") == []
    assert [(row["deal_id"], row["amount"]) for row in rows_of(run, "select * from staging.deals")] == [("d1", None)]
    assert {(column, rule) for column, _, rule, action in told(run) if action == "rejected"} == {
        ("amount", "amount-unreadable")
    }


def test_v24_a_currency_that_is_not_known_is_told_and_none_is_invented(run: Run) -> None:
    rows = stage(
        run,
        "orders",
        {"order_id": "1", "amount": "100", "currency": "gold bars"},
        {"order_id": "2", "amount": "100"},
        {"order_id": "3", "amount": "100美元"},
    )
    assert [row["currency"] for row in rows] == [None, None, "USD"]
    assert told(run) == [("currency", "gold bars", "currency-unknown", "null_value")]


@pytest.mark.parametrize(
    ("text", "people", "band"),
    [
        ("100-499人", 100, "100-499"),
        ("500人以上", 500, "500-999"),
        ("少于50人", None, "0-19"),
        ("1,200", 1200, "1000-4999"),
        ("1万人以上", 10000, "10000+"),
    ],
)
def test_v25_headcounts_and_ranges(text: str, people: int | None, band: str) -> None:
    [row] = parse_employees([text]).to_pylist()
    assert (row["employees"], row["band"], row["rule"]) == (people, band, None)


def test_v25_percent_and_share_are_one_and_yes_is_yes() -> None:
    assert parse_shares(["15%", "15", "0.15", "150"])["share"].to_pylist() == [0.15, 0.15, 0.15, None]
    assert parse_booleans(["是", "√", "Y", "1", "否", "maybe"])["flag"].to_pylist() == [True] * 4 + [False, None]


FORMULAS = ["=1+1", "+8613912345670", "-100", "@cmd", "\t=1+1", "－1+1"]


def test_v27_formulas_are_stored_as_they_are_and_escaped_at_export_only(run: Run) -> None:
    rows = [contact(contact_id=f"p{place}", department=text) for place, text in enumerate(FORMULAS)]
    staged = [row["department"] for row in stage(run, "contacts", *rows)]
    assert staged == [*FORMULAS[:4], "=1+1", "-1+1"]
    assert [row["department"] for row in rows_of(run, "select department from raw.contacts order by line")] == FORMULAS
    kinds: dict[str, FieldType] = {"department": "text", "phone": "phone", "amount": "decimal"}
    row = ["=1+1", "+8613912345670", "-100"]
    assert csv_bytes(kinds, [row], "human").endswith(b"'=1+1,+8613912345670,-100\r\n")
    assert csv_bytes(kinds, [row], "machine").endswith(b"\r\n=1+1,+8613912345670,-100\r\n")


CODE = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n",
    '"; DROP TABLE x; --',
    "'; drop table x; --",
]


def test_v28_code_in_values_and_unknown_headers_stays_plain_text(run: Run) -> None:
    rows = [
        contact(
            contact_id=f"p{place}", department=text, company_name=f"云帆{text}有限公司", extra=json.dumps({text: text})
        )
        for place, text in enumerate(CODE)
    ]
    staged = stage(run, "contacts", *rows)
    assert [row["department"] for row in staged] == CODE
    assert [row["company_name"] for row in staged] == [f"云帆{text}有限公司" for text in CODE]
    assert [json.loads(row["extra"]) for row in staged] == [{text: text} for text in CODE]


def test_v27_a_phone_with_plus_and_a_negative_amount_survive(run: Run) -> None:
    [row] = stage(run, "payments", {"payment_id": "1", "paid_on": "2026-01-05", "amount": "-100"})
    assert row["amount"] == Decimal(-100)


@pytest.mark.parametrize(
    ("text", "characters", "size", "expected"),
    [
        ("深圳市南山区", 6, None, "深圳市南山区"),
        ("深圳市南山区科技园", 6, None, "深圳市南山…"),
        ("深圳市南山区", None, 12, "深圳市…"),
        ("𠮷𠮷𠮷", 4, None, "𠮷…"),
        ("é́é́é", 3, None, "é́…"),
        ("👩‍👩‍👧ab", 5, None, "…"),
        ("👍🏽abc", 5, None, "👍🏽…"),
        ("🇨🇳🇨🇳", 7, None, "🇨🇳…"),
        ("abc", 0, None, ""),
    ],
)
def test_v29_text_too_long_for_a_field_is_cut_between_graphemes(
    text: str, characters: int | None, size: int | None, expected: str
) -> None:
    assert cut_text(text, characters, size) == expected


def test_v29_what_the_field_of_the_crm_cannot_take_is_cut_or_waits_before_sending() -> None:
    fields = {"name": {"characters": 6}, "address": {"bytes": 12, "too_long": "hold"}}
    policy = CrmPolicy.model_validate({"objects": {"companies": {"fields": fields}}})
    row = {"person_id": None, "region": "CN", "hold": None}
    rows = [
        row | {"abm_key": "a", "name": "深圳市云帆远航科技", "address": "深圳"},
        row | {"abm_key": "b", "name": "云帆", "address": "深圳市南山区"},
    ]
    made = make_desired({"companies": pa.Table.from_pylist(rows)}, policy, gate(), "en")["companies"]
    assert made.records["a"] == {"name": "深圳市云帆…", "address": "深圳"}
    assert made.holds == {"b": "too_long: address"}


def test_v29_long_text_is_kept_whole(run: Run) -> None:
    [row] = stage(run, "contacts", contact(lead_source="来源" * 5000))
    assert len(row["lead_source"]) == 10_000


SECRETS = [
    "身份证 11010519491231002X",
    "11010519491231002X",
    "卡号6222 0212 3456 7890 123",
    "4111 1111 1111 1111",
    "密码：abc123",
    "password = hunter2",
    "去年确诊患有糖尿病",
    "is on sick leave until May",
]


@pytest.mark.parametrize("text", SECRETS)
def test_v30_secrets_in_text_are_told_and_not_kept(text: str) -> None:
    [row] = parse_texts([text]).to_pylist()
    assert (row["text"], row["rule"]) == (None, "text-sensitive")


@pytest.mark.parametrize("text", ["糖尿病检测试剂、残疾人用品的销售", "订单 1234567890123456789", "91440300708461136T"])
def test_v30_goods_and_other_numbers_are_no_secrets(text: str) -> None:
    assert parse_texts([text])["rule"].to_pylist() == [None]


def test_v30_secrets_reach_neither_staging_nor_what_is_told_of_them(run: Run) -> None:
    columns = ("name", "company_name", "title", "department", "lead_source")
    rows = [contact(contact_id=f"p{i}", **{column: SECRETS[i]}) for i, column in enumerate(columns)]
    extra = contact(contact_id="x", extra='{"备注": "密码：abc123", "等级": "A"}')
    stage(run, "contacts", *rows, extra)
    told_of = rows_of(run, "select * from quality.repairs") + rows_of(run, "select * from quality.quarantine")
    assert {row["column_name"] for row in told_of} == {*columns, "extra.备注"}
    shown = str(rows_of(run, "select * exclude (extra, row_hash) from staging.contacts") + [
        {name: value for name, value in row.items() if name != "row_hash"} for row in told_of
    ])  # fmt: skip
    assert [secret for secret in [*SECRETS, "abc123"] if secret in shown] == []


def row_counts(run: Run) -> dict[str, Any]:
    [row] = rows_of(run, "select * from staging.row_counts where entity = 'deals'")
    return row


def test_rows_are_conserved_and_the_latest_version_of_a_record_wins(run: Run) -> None:
    rows = stage(
        run,
        "deals",
        {"deal_id": "d1", "amount": "1", "landed_on": date(2026, 10, 1)},
        {"deal_id": "d1", "amount": "2", "landed_on": date(2026, 10, 2)},
        {"deal_id": "d1", "amount": "oops", "landed_on": date(2026, 10, 3)},
        {"deal_id": "d2", "amount": "3", "landed_on": date(2026, 10, 2)},
    )
    assert [(row["row_id"], row["amount"], row["first_landed_on"]) for row in rows] == [
        ("crm:d1", 2, date(2026, 10, 1)),
        ("crm:d2", 3, date(2026, 10, 2)),
    ]
    assert row_counts(run) == {
        "entity": "deals",
        "raw_rows": 4,
        "staging_rows": 2,
        "superseded_rows": 1,
        "rejected_rows": 1,
    }


def test_a_second_parse_reads_nothing_and_tells_nothing_twice(run: Run) -> None:
    stage(run, "contacts", contact(email="a@huawei,com", mobile="1.38E+10"), {"email": "-"})
    before = rows_of(run, "select * exclude (run_id) from quality.quarantine order by all"), told(run)
    counts = parse(run)
    assert counts.counts.get("parsed_values", 0) == 0
    assert (rows_of(run, "select * exclude (run_id) from quality.quarantine order by all"), told(run)) == before


def test_a_new_version_of_a_parser_reads_everything_anew(run: Run) -> None:
    from warehouse.steps import step

    stage(run, "contacts", contact(email="a@huawei.com"))
    with step(run, "older") as work:
        work.execute("update staging.parsed_emails set email = 'old@huawei.com'")
        work.execute("update staging.parser_versions set version = '0' where dictionary = 'staging.parsed_emails'")
        work.execute("update ops.changes_taken set rules = 'older code' where taken_by = 'parse'")
    parse(run)
    assert rows_of(run, "select email from staging.contacts") == [{"email": "a@huawei.com"}]


def test_the_order_of_rows_does_not_matter(run: Run) -> None:
    rows = [contact(contact_id=f"p{i % 3}", title=f"经理{i}", landed_on=date(2026, 10, 1)) for i in range(9)]
    forward = stage_again(run, "contacts", rows)
    assert stage_again(run, "contacts", rows[::-1]) == forward
