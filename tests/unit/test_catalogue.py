"""Every fault of files, and every line on identity, has its test."""

from tests.catalogue import lines_with_tests


def test_every_fault_of_a_file_has_a_test_named_after_it() -> None:
    tests = lines_with_tests()
    lines = [f"F{number:02}" for number in range(1, 25)] + ["S01", "S02", "S03", "S04", "S05", "S06", "S07", "S10"]
    assert [line for line in lines if not tests[line]] == []


def test_every_line_on_identity_and_matching_has_a_test_named_after_it() -> None:
    tests = lines_with_tests()
    assert [line for line in (f"E{number:02}" for number in range(1, 10)) if not tests[line]] == []


def test_every_line_on_consent_suppression_and_audiences_has_a_test_named_after_it() -> None:
    tests = lines_with_tests()
    lines = [f"P{number:02}" for number in (*range(7, 21), *range(41, 46))]
    assert [line for line in lines if not tests[line]] == []
