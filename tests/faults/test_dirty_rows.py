"""Rows with every row-level defect, landed and parsed for real; `benchmarks.dirty_million` takes a million."""

import pytest

from benchmarks.dirty_million.check import Verdict, dirty_workspace, fatal_rule_let_pass, judge, land_and_parse


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    with dirty_workspace(rows=8_000, seed=11) as (root, truth):
        return judge(truth, land_and_parse(root))


def test_every_fatal_defect_is_refused_under_its_rule_and_no_good_row_is(verdict: Verdict) -> None:
    assert (verdict.missed_fatal, verdict.wrong_rule, verdict.good_quarantined) == (0, 0, 0)


def test_every_other_defect_is_told_under_its_rule_and_nothing_of_good_rows(verdict: Verdict) -> None:
    assert verdict.by_defect[verdict.by_defect["found"] < verdict.by_defect["expected"]].to_dict("index") == {}
    assert verdict.false_alarms == 0


def test_no_row_is_lost_and_no_code_mended_wrongly(verdict: Verdict) -> None:
    assert (verdict.lost_rows, verdict.wrong_codes) == (0, 0)


def test_without_its_guard_a_fatal_defect_is_missed() -> None:
    with dirty_workspace(rows=1_000, seed=11) as (root, truth), fatal_rule_let_pass():
        control = judge(truth, land_and_parse(root))
    assert control.missed_fatal > 0
    assert not control.holds
