"""CSV that is safe to open in Excel, and does not damage what is typed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.outbound.csv_out import csv_bytes, safe_cell

# S15: the signs, the control characters, after blanks of every kind, full-width, after an embedded newline.
SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"]
LEADS_IN = ["", " ", "   ", "\u00a0", "\u3000", " \u00a0", "\ufeff", "\u200b"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("lead_in", LEADS_IN)
def test_s15_a_cell_that_may_be_a_formula_gets_a_leading_quote(lead_in: str, sign: str) -> None:
    text = f"{lead_in}{sign}SUM(A1)"
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign not in "\r\n"])
def test_s15_a_formula_after_an_embedded_newline_is_disarmed_too(sign: str) -> None:
    for newline in ("\n", "\r\n", "\r", "\n "):
        assert safe_cell(f"ok{newline}{sign}cmd|' /C calc'!A0").startswith("'ok")


@pytest.mark.parametrize("text", ["a=b", "1-2", "x@y.cn", "第一行\n第二行", "", "中-外", "O'Neill"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [("+8613800138000", "phone"), ("-100.00", "decimal"), ("-3", "integer"), ("2026-10-31", "date"), (-5, "integer")],
)
def test_s16_typed_values_are_neither_formulas_nor_damaged(value: str | int, kind: str) -> None:
    assert safe_cell(value, kind) == str(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "kind"), [("+1+cmd()", "phone"), ("=1", "decimal"), ("-1 +2", "integer"), ("@d", "date")]
)
def test_s16_a_typed_column_exempts_only_what_has_its_form(value: str, kind: str) -> None:
    assert safe_cell(value, kind) == f"'{value}"  # type: ignore[arg-type]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2)))
def test_machine_profile_comes_back_as_it_went(rows: list[list[str]]) -> None:
    body = csv_bytes({"a": "text", "b": "text"}, rows, "machine").decode()
    read = list(csv.reader(io.StringIO(body, newline="")))
    assert read == [["a", "b"], *rows]


def test_human_profile_has_a_bom_crlf_and_safe_headers() -> None:
    body = csv_bytes({"=x": "text", "名称": "text"}, [["a,b", 'say "hi"']], "human")
    assert body == '\ufeff\'=x,名称\r\n"a,b","say ""hi"""\r\n'.encode()
