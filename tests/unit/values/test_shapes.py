"""Every parser: one row per value in order, `value` first, `rule` last, every rule with action and message."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abmloop.messages import say
from scoring.values import (
    actions,
    amounts,
    codes,
    domains,
    emails,
    industries,
    phones,
    regions,
    text,
    times,
    titles,
    words,
)
from tasks.land.entities import entities

Parser = Callable[[list[str | None]], pa.Table]

PARSERS: dict[str, Parser] = {
    "texts": text.parse_texts,
    "ids": text.parse_ids,
    "name_lists": text.parse_name_lists,
    "codes": codes.parse_codes,
    "phones": phones.parse_phones,
    "emails": emails.parse_emails,
    "domains": domains.parse_domains,
    "times": times.parse_times,
    "amounts": amounts.parse_amounts,
    "currencies": amounts.parse_currencies,
    "numbers": amounts.parse_numbers,
    "shares": amounts.parse_shares,
    "booleans": amounts.parse_booleans,
    "employees": amounts.parse_employees,
    "revenues": amounts.parse_revenues,
    "statuses": words.parse_statuses,
    "titles": titles.parse_titles,
    "industries": industries.parse_industries,
    "places": regions.parse_places,
    "addresses": regions.parse_addresses,
    "countries": regions.parse_countries,
    "channels": lambda values: words.parse_words(values, "channel"),
}
SAMPLES: list[str | None] = [
    None,
    "",
    " ",
    "无",
    "同上",
    "0",
    "1",
    "-",
    "123456",
    "1.38E+10",
    "13912345670",
    "021-55667788",
    "a@b-c.com",
    "www.abc.com",
    "2026-01-02",
    "3/4/2020",
    "3万元",
    "15%",
    "是",
    "100-499人",
    "存续",
    "总监",
    "软件",
    "广东|深圳|",
    "深圳市南山区1号",
    "中国",
    "\ufeff\u200b",
    "𠮷",
    "9" * 400,
    "a" * 3000,
    "\x00\x1f",
    "'",
    '="',
    "(",
    "[",
    "\\",
    "|",
    "||",
    "@",
    ".",
    "2026-02-30 25:61",
]
SOURCES = Path(actions.__file__).parent


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS.keys())
def test_one_row_per_value_in_order_with_known_rules(parser: Parser) -> None:
    table = parser(SAMPLES)
    assert (table.column_names[0], table.column_names[-1]) == ("value", "rule")
    assert table["value"].to_pylist() == SAMPLES
    assert set(table["rule"].to_pylist()) - {None} <= actions.rules().keys()


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS.keys())
def test_no_values_give_no_rows(parser: Parser) -> None:
    assert parser([]).num_rows == 0


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS.keys())
def test_a_value_is_read_the_same_alone_and_among_others(parser: Parser) -> None:
    together = parser(SAMPLES).to_pylist()
    assert together == [parser([value]).to_pylist()[0] for value in SAMPLES]


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS.keys())
@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5))
def test_any_text_is_read_without_an_error(parser: Parser, values: list[str]) -> None:
    assert parser(list(values))["value"].to_pylist() == values


def test_every_rule_in_the_code_has_an_action_and_every_action_its_messages() -> None:
    named = set()
    for path in SOURCES.glob("*.py"):
        named |= set(re.findall(r'\("([a-z]+-[a-z0-9-]+)",', path.read_text(encoding="utf-8")))
    unknown = named - actions.rules().keys()
    assert unknown == set()
    for rule in actions.rules():
        assert say(f"value_{rule}", "en") != say(f"value_{rule}", "zh")


def test_an_action_says_what_its_parser_does() -> None:
    shown = {
        "texts": "text",
        "codes": "uscc",
        "phones": "phone",
        "emails": "email",
        "amounts": "amount",
        "times": "day",
    }
    values = [
        *SAMPLES,
        "9I440300708461136T",
        "914403007084611000",
        "a@huawei,com",
        "1@qq.con",
        "13912345670.0",
        "139I2345670",
        "1,2,3",
        "43831",
        "2026年1月",
        "1850-01-01",
        "密码:123",
        "138****8000",
        "100元/年",
    ]
    for name, column in shown.items():
        for row in PARSERS[name](values).to_pylist():
            action = actions.rules()[row["rule"]].action if row["rule"] else "repair"
            if action == "null_value":
                assert row[column] is None or row["rule"] == "text-empty", row


def test_every_column_of_every_entity_is_read_in_a_known_way() -> None:
    for entity in entities().values():
        for column in entity.columns:
            assert actions.kind_of(entity.name, column.name, column.type)


def test_rejecting_columns_are_columns_of_their_entities() -> None:
    for entity, column in actions.rejecting_columns():
        assert column in entities()[entity].column_names


def test_every_catalogue_line_of_a_value_has_a_rule() -> None:
    lines = {line for rule in actions.rules().values() for line in rule.catalogue}
    # V08, V11, V15, V17 and V27-V29 ask for keeping values as they are; resolving, matching and export answer them.
    assert lines >= {
        f"V{n:02d}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 30)
    }


def test_today_is_no_input_of_any_parser() -> None:
    for path in SOURCES.glob("*.py"):
        assert not re.search(r"\b(today|now)\(", path.read_text(encoding="utf-8")), path
