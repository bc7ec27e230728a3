"""match.yaml: its own mistakes are told with line and key."""

from pathlib import Path

import pytest

from abmloop.errors import BadPolicy
from abmloop.messages import say
from abmloop.policy import parse_policy
from scoring.match import features
from scoring.policies.match import MatchPolicy

TEXT = (Path(__file__).parents[3] / "scoring" / "policies" / "match.yaml").read_text(encoding="utf-8")


def test_every_feature_named_is_computed_and_told_in_both_languages() -> None:
    policy = parse_policy(TEXT, MatchPolicy)
    named = {name for rule in policy.rules for name in (*rule.all_of, *rule.none_of)}
    named |= {name for cap in policy.caps for name in (cap.when, *cap.unless)}
    assert all(getattr(features, name).__doc__ for name in named)
    assert all(say(f"match_feature_{name}", language) for name in named for language in ("en", "zh"))


def test_every_method_and_tie_is_told_in_both_languages() -> None:
    policy = parse_policy(TEXT, MatchPolicy)
    assert all(say(f"match_method_{rule.method}", language) for rule in policy.rules for language in ("en", "zh"))
    assert all(say(f"match_tie_{tie}", language) for tie in policy.tie_order for language in ("en", "zh"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("all_of: [same_code]", "all_of: [same_moon]", "same_moon"),
        ("most_contacts, oldest, account_id]", "most_contacts, oldest]", "account_id, which always decides"),
        ("review_from: 0.30", "review_from: 0.99", "above auto_from"),
        ("{id: crm_id,", "{id: code,", "given twice"),
        ("most_shared: 5 ", "most_shard: 5 ", "unknown key"),
    ],
)
def test_a_mistake_is_told(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(BadPolicy, match=told):
        parse_policy(TEXT.replace(old, new, 1), MatchPolicy)
