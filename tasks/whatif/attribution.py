"""What if deals were shared by another model, window or circle of people: what moves, by campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.attribution import BUILT_IN, PARTICIPATION, AttributionPolicy
from tasks.attribute.step import Share, deal_amounts
from tasks.whatif.history import History

BASES = ("pipeline", "signed", "invoiced", "cash")
_MOVED = """
with told as (
    select campaign_id, basis, sum(credit) as before, null as after from credits_before group by all
    union all
    select campaign_id, basis, null, sum(credit) from credits_after group by all
)
select told.campaign_id, coalesce(campaigns.name, told.campaign_id) as campaign, told.basis,
       coalesce(sum(told.before), 0)::decimal(18, 2) as before, coalesce(sum(told.after), 0)::decimal(18, 2) as after,
       (coalesce(sum(told.after), 0) - coalesce(sum(told.before), 0))::decimal(18, 2) as difference
from told
left join core.campaigns using (campaign_id)
group by all
order by told.basis, abs(difference) desc, told.campaign_id
"""


@dataclass(frozen=True)
class AttributionAnswer:
    """What another setting would have come to. `campaigns`: campaign_id, campaign, basis, before, after, difference."""

    before: dict[str, Any]
    after: dict[str, Any]
    deals: int
    campaigns: pa.Table

    @property
    def is_summed(self) -> bool:
        """Whether both settings share amounts out: an influence figure has no sum."""
        return PARTICIPATION not in (self.before["model"], self.after["model"])

    def of_basis(self, basis: str) -> list[dict[str, Any]]:
        """The campaigns on one basis, those that move most first."""
        return [row for row in self.campaigns.to_pylist() if row["basis"] == basis]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for scripts."""
        return {
            "before": self.before,
            "after": self.after,
            "deals": self.deals,
            "campaigns": self.campaigns.to_pylist(),
        }


def whatif_attribution(history: History, policy: AttributionPolicy, model: str | None = None) -> AttributionAnswer:
    """Share all amounts as the last run did, by its first model, and as `policy` and `model` would have it.

    Without `model` the policy's first one stands on both sides. Raises BadUsage for a model that is not known.
    """
    current = history.policy(AttributionPolicy)
    told = model or policy.models[0]
    if told not in BUILT_IN | set(policy.custom):
        known = ", ".join(sorted(BUILT_IN | set(policy.custom)))
        raise BadUsage(said("usage_model", asked=told, known=known))
    settings = []
    for name, rules, by in (("credits_before", current, current.models[0]), ("credits_after", policy, told)):
        rules = rules.model_copy(update={"models": (by,)})
        share = Share(history, history.as_of, history.settings.timezone, rules)
        history.replace(f"scored.{name}", share.credits(by, deal_amounts(history, share.deals)))
        settings.append(_setting(rules, by))
    moved = history.query(_MOVED.replace("credits_", "scored.credits_"))
    deals = int(history.query("select count(distinct deal_id) as deals from core.deal_amounts")["deals"][0].as_py())
    return AttributionAnswer(settings[0], settings[1], deals, moved)


def _setting(policy: AttributionPolicy, model: str) -> dict[str, Any]:
    """What a setting is known by."""
    named = ("lookback_days", "people", "anchor", "until", "repeats", "half_life_days", "markov_order", "renewals")
    return {"model": model, **{name: getattr(policy, name) for name in named}}
