"""Tables that commands print: headings and yes or no in the reader's language, codes for scripts."""

import pytest

from cli.show import in_words, show_rows
from tasks.outbound.push.held import tell_held

ROWS = [{"lead_id": "L1", "due_at": None, "is_overdue": True, "our_own": "x"}]


def test_headings_are_named_in_the_language_of_who_reads(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, language="zh")
    heading, row = capsys.readouterr().out.splitlines()[:2]
    assert heading.split() == ["线索", "跟进期限", "已逾期", "our_own"]
    assert row.split() == ["L1", "是", "x"]
    show_rows([], language="zh")
    assert capsys.readouterr().out == "无\n"


def test_scripts_and_sql_see_the_names_of_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS)
    assert capsys.readouterr().out.split()[:4] == ["lead_id", "due_at", "is_overdue", "our_own"]
    show_rows(ROWS, as_json=True, language="zh")
    assert '"is_overdue": true' in capsys.readouterr().out


def test_codes_in_cells_are_named_and_others_stay() -> None:
    rows = [{"asked": "last run", "state": "bad", "found": "x"}, {"asked": "duckdb", "state": "ok", "found": "y"}]
    told = in_words(rows, "zh", asked="doctor", state="state")
    assert [list(row.values()) for row in told] == [["最近运行", "异常", "x"], ["duckdb", "正常", "y"]]


def test_why_a_record_is_held_is_named_with_what_it_was_judged_by() -> None:
    assert tell_held("refused (inbox:1)", "zh") == "本人已拒绝 (inbox:1)"
    assert tell_held("cross_border_not_granted (none)", "zh") == "出境：未获同意 (none)"
    assert tell_held("too_long: name, 城市", "zh") == "过长: name, 城市"
    for state in ("call_refused", "company_closed", "a_new_state (x)", "too_long: name"):
        assert tell_held(state, "en") == state
