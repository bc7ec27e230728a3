"""Every line about values has a test named after it, and the page of tests names none that is gone."""

import re

from tests.catalogue import TARGET, lines_with_tests


def test_every_line_about_values_has_its_test() -> None:
    assert [line for line in (f"V{number:02d}" for number in range(1, 31)) if line not in lines_with_tests()] == []


def test_the_page_names_no_test_that_is_gone() -> None:
    known = {name for tests in lines_with_tests().values() for _, name in tests}
    named = set(re.findall(r"`(test_\w+)`", TARGET.read_text(encoding="utf-8")))
    assert named - known == set(), "run `make docs`"
