"""Every fault of files has its test."""

from tests.catalogue import lines_with_tests


def test_every_fault_of_a_file_has_a_test_named_after_it() -> None:
    tests = lines_with_tests()
    lines = [f"F{number:02}" for number in range(1, 25)] + ["S01", "S02", "S03", "S04", "S05", "S06", "S07", "S10"]
    assert [line for line in lines if not tests[line]] == []
