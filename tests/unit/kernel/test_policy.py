"""A rules file says all its mistakes at once, each with its line and key."""

from typing import ClassVar

import pytest
from pydantic import Field

from abmloop.errors import BadPolicy
from abmloop.policy import Policy, Rule, parse_policy
from scoring.policies.attribution import AttributionPolicy


class _Points(Rule):
    id: str
    points: int
    half_life_days: float = Field(60, gt=0)


class _Scores(Policy):
    file_name: ClassVar[str] = "scores.yaml"
    version: int
    rules: tuple[_Points, ...] = ()


def faults(text: str) -> list[str]:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(text, _Scores)
    return str(caught.value).splitlines()


def test_good_rules_load_frozen() -> None:
    policy = parse_policy("version: 1\nrules:\n  - {id: a, points: 5}\n", _Scores)
    assert policy.rules[0].points == 5
    with pytest.raises(Exception, match="frozen"):
        policy.version = 2  # type: ignore[misc]


def test_all_mistakes_are_reported_with_line_and_key() -> None:
    found = faults("version: x\nrules:\n  - id: a\n    points: 5\n    half_life_days: -60\n    halflife: 3\n")
    assert len(found) == 3
    assert found[0].startswith("scores.yaml:1: version: ")
    assert found[1].startswith("scores.yaml:5: rules[0].half_life_days: ") and "-60" in found[1]
    assert found[2] == "scores.yaml:6: rules[0].halflife: unknown key; known here: half_life_days, id, points"


def test_mistakes_are_told_in_chinese_with_line_key_and_what_was_found() -> None:
    text = "version: x\nrules:\n  - id: a\n    half_life_days: -60\n    halflife: 3\n"
    with pytest.raises(BadPolicy) as caught:
        parse_policy(text, _Scores)
    assert caught.value.told("zh").splitlines() == [
        "scores.yaml 第 1 行 version：应为整数（实际为 'x'）",
        "scores.yaml 第 3 行 rules[0].points：缺少此项",
        "scores.yaml 第 4 行 rules[0].half_life_days：应大于 0（实际为 -60）",
        "scores.yaml 第 5 行 rules[0].halflife：未知的键；此处可用：half_life_days, id, points",
    ]


def test_what_a_validator_says_is_told_in_chinese() -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_policy("models: [linear, best]\n", AttributionPolicy)
    assert caught.value.told("zh").startswith("attribution.yaml 第 1 行 models：未知的模型 best；可用：")


def test_s09_a_key_given_twice_is_refused() -> None:
    assert "scores.yaml:2: version: given twice; keep one" in faults("version: 1\nversion: 2\n")


def test_s09_aliases_are_refused() -> None:
    assert "aliases" in faults("version: &a 1\nrules: [*a]\n")[0]


def test_no_yaml_names_the_line() -> None:
    assert faults("version: 1\nrules: [\n")[0].startswith("scores.yaml:3: not readable as YAML")


def test_tags_that_build_objects_are_refused() -> None:
    assert "not readable as YAML" in faults("version: !!python/object/apply:os.getcwd []\n")[0]


def test_a_list_instead_of_keys_is_refused() -> None:
    assert faults("- 1\n") == ["scores.yaml:1: expected keys and values, found list"]
