"""The rules files: the shipped ones are valid, and mistakes are named with line and key."""

import pytest

from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy
from scoring.policies.routing import RoutingPolicy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import rule_tables
from tests.unit.scoring.lives import DEFAULTS, default_policy

RULE = "    - {id: form, touch: form, points: 5, why: x"
TEXT = """engagement:
  rules:
%s
bands: {2: 20, 3: 50}
mql: {grid: [A2]}
sql: {evidence: []}
"""


def _faults(rule: str) -> str:
    with pytest.raises(BadPolicy) as caught:
        parse_policy(TEXT % rule, ScoringPolicy)
    return str(caught.value)


def test_the_shipped_rules_say_why_and_become_tables() -> None:
    tables = rule_tables(default_policy())
    assert all(tables["rules.engagement"]["why"].to_pylist())
    assert tables["rules.mql_bars"].to_pylist()[0] == {
        "fit_grade": "A", "mql_from_points": 25.0, "leave_below_points": 12.5,
    }  # fmt: skip


def test_only_one_stage_is_handed_over() -> None:
    stages = rule_tables(default_policy())["rules.stages"].to_pylist()
    assert [row["stage"] for row in stages if row["is_handover"]] == ["mql"]


def test_a_rule_fades_in_one_way() -> None:
    assert "scoring.yaml:3: engagement.rules[0]: a rule fades by half_life_days, percent_per_month or window_days" in (
        _faults(RULE + ", half_life_days: 30, window_days: 90}")
    )


def test_negative_points_have_no_cap() -> None:
    assert "negative points are never capped" in _faults(RULE.replace("5", "-5") + ", cap: 10}")


def test_an_id_given_twice_is_refused() -> None:
    assert "form: the id is given twice" in _faults(RULE + "}\n" + RULE + "}")


def test_an_unknown_cell_is_refused() -> None:
    text = (TEXT % (RULE + "}")).replace("[A2]", "[A2, E7]")
    with pytest.raises(BadPolicy, match=r"scoring\.yaml:5: mql: grid: unknown E7"):
        parse_policy(text, ScoringPolicy)


def test_the_last_pool_must_take_every_lead() -> None:
    with pytest.raises(BadPolicy, match=r"the last one \(a\) must take every lead"):
        parse_policy("pools: [{id: a, mode: claim, where: {grades: [A]}, why: x}]", RoutingPolicy)


def test_the_shipped_routing_ends_in_a_pool_for_all() -> None:
    policy = parse_policy((DEFAULTS / "routing.yaml").read_text(encoding="utf-8"), RoutingPolicy)
    assert policy.pools[-1].id == "public"
