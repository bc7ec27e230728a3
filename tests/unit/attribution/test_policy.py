"""What attribution.yaml may say."""

from pathlib import Path

import pytest

import scoring.policies.attribution as policies
from abmloop.errors import BadPolicy
from abmloop.policy import parse_policy
from scoring.policies.attribution import AttributionPolicy, plain_word


def _shipped() -> str:
    return Path(policies.__file__).with_suffix(".yaml").read_text(encoding="utf-8")


def test_the_default_file_is_valid_and_excludes_what_we_did_ourselves() -> None:
    policy = parse_policy(_shipped(), AttributionPolicy)
    assert {"email_sent", "email_opened", "曝光"} <= set(policy.excluded_types)
    assert policy.lookback_days == 180
    assert set(policy.models) >= {*policies.RULE_MODELS, "markov", "shapley", "participation"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [linear, best]", r"attribution.yaml:1: models: unknown best; there are"),
        ("models: []", "name at least one model"),
        ("models: [linear, linear]", "each once"),
        ("custom:\n  linear: {}", r"attribution.yaml:1: custom: linear is the name of a built-in model"),
        ("custom:\n  own:\n    anchors: {first: 80, last: 30}", r"more than 100 per cent together"),
        ("custom:\n  own:\n    positions: {0: 10}", "position 0 does not exist"),
        ("lookback_days: -1\nhalf_life_days: 0", r"(?s)lookback_days.*half_life_days"),
        ("lookback: 3", "unknown key; known here: .*lookback_days"),
    ],
)
def test_mistakes_are_named_with_line_and_key(text: str, message: str) -> None:
    with pytest.raises(BadPolicy, match=message):
        parse_policy(text, AttributionPolicy)


def test_an_own_model_may_be_listed() -> None:
    policy = parse_policy("models: [own]\ncustom:\n  own: {anchors: {first: 100}}", AttributionPolicy)
    assert policy.models == ("own",)


def test_stage_words_are_compared_without_case_spaces_and_hyphens() -> None:
    assert plain_word("Closed - Won") == plain_word("closed_won") == "closedwon"


def test_words_are_compared_as_staging_writes_them() -> None:
    text = "excluded_types: [Email Sent]\nrole_weights: {Decision Maker: 2}\ncustom: {own: {types: {Form-Submit: 3}}}"
    policy = parse_policy(text, AttributionPolicy)
    assert policy.excluded_types == ("email_sent",)
    assert policy.role_weights == {"decisionmaker": 2}
    assert policy.custom["own"].types == {"form_submit": 3}


def test_a_file_that_is_silent_on_stages_and_roles_goes_by_the_words_of_the_shipped_one() -> None:
    shipped = parse_policy(_shipped(), AttributionPolicy)
    short = parse_policy("lookback_days: 30", AttributionPolicy)
    assert (short.deal_stages, short.decision_roles) == (shipped.deal_stages, shipped.decision_roles)
