"""What campaigns or channels earn by several models and windows at once, on two files, before rounding to cents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.attribution.columns import Floats, sums
from scoring.attribution.credits import unattributed_deals
from scoring.attribution.journeys import Journeys, Reach
from scoring.attribution.rules import Weights, weigh
from scoring.attribution.windows import Moments, Windows
from scoring.policies.attribution import PARTICIPATION, RULE_MODELS, AttributionPolicy
from tasks.attribute.files import window_policy
from tasks.attribute.inputs import check_touches, latest_time, read_deals, read_reachable, told_in, write_table

TOTAL_MODELS = (*RULE_MODELS, PARTICIPATION)


def attribute_totals(  # noqa: PLR0913 - one argument per option of the command
    touches: Path,
    deals: Path,
    models: Sequence[str],
    lookback_days: Sequence[float] = (180,),
    by: str = "campaign",
    anchor: str = "closed",
    repeats: str = "one_per_campaign_person_day",
    out: Path | None = None,
    until: str = "closed",
    half_life_days: float = 7,
) -> dict[str, Any]:
    """What each campaign or channel earns of won and open deals by each model and window, without a row per touch.

    Writes `model, lookback_days, campaign_id` (or `channel`)`, deals, credit` in full precision: shares of deals
    summed, and of their amounts, where these are known; what no touch earned stands under
    `(unattributed)`. The touches are read once. Returns a summary. Raises BadFile with file, line and column, BadUsage
    for a model that is no rule.
    """
    if unknown := [model for model in models if model not in TOTAL_MODELS]:
        raise BadUsage(said("attribute_totals_models", known=", ".join(TOTAL_MODELS), asked=", ".join(unknown)))
    if by not in ("campaign", "channel"):
        raise BadUsage(said("attribute_totals_by", by=by))
    if by == "channel" and PARTICIPATION in models:
        raise BadUsage(said("attribute_totals_participation"))
    policies = [window_policy(anchor, days, repeats, until, half_life_days) for days in lookback_days]
    check_touches(touches)
    deal_rows = read_deals(deals)
    # In the order of their ids, so that sums come out the same to the last bit whatever the order of the rows.
    deal_rows = deal_rows.filter(pc.not_equal(deal_rows["status"], "lost")).sort_by("deal_id")
    pa.default_memory_pool().release_unused()
    as_of_end = latest_time(touches, deal_rows)
    widest = max(policies, key=lambda policy: policy.lookback_days or np.inf)
    windows = Windows.of(deal_rows, Moments.of(deal_rows, widest, as_of_end))
    touch_rows = read_reachable(touches, windows, _unneeded(repeats, by, models))
    reach = Reach.inside(touch_rows, deal_rows, windows, told_in(touches, touch_rows))
    found = touch_rows.num_rows
    del touch_rows, windows
    pa.default_memory_pool().release_unused()
    tables = [table for policy in policies for table in _of_window(reach, policy, as_of_end, models, by)]
    rows = pa.concat_tables(tables)
    if out is not None:
        write_table(rows, out)
    return {"deals": deal_rows.num_rows, "touches_in_reach": found, "rows": rows.num_rows,
            "out": str(out) if out else None}  # fmt: skip


def _unneeded(repeats: str, by: str, models: Sequence[str]) -> tuple[str, ...]:
    """Columns of the touches that no figure depends on; ids only settle the order within a second."""
    unneeded = ["touch_id", "type"]
    if repeats != "one_per_campaign_person_day":
        unneeded.append("person_id")
    if by == "channel" and repeats == "every_touch" and not {"linear_campaign", PARTICIPATION} & set(models):
        unneeded.append("campaign_id")
    return tuple(unneeded)


def _of_window(
    reach: Reach, policy: AttributionPolicy, as_of_end: int, models: Sequence[str], by: str
) -> Iterator[pa.Table]:
    """One table a model under this window."""
    journeys = reach.journeys(policy, as_of_end)
    cents = reach.deals["cents"]
    amounts = np.asarray(pc.fill_null(cents, 0).to_numpy()) / 100
    for model in models:
        yield _of_model(journeys, weigh(journeys, model, policy), (model, policy.lookback_days, by), amounts)


def _of_model(journeys: Journeys, weights: Weights, named: tuple[str, float, str], amounts: Floats) -> pa.Table:
    model, days, by = named
    place, names = (
        (journeys.campaign, journeys.campaigns) if by == "campaign" else (journeys.channel, journeys.channels)
    )
    count = sums(place, weights.weight, len(names))
    credit = sums(place, weights.weight * amounts[journeys.deal], len(names))
    left = unattributed_deals(journeys, weights.weight)
    order = np.argsort(np.array(names, dtype=object), kind="stable") if names else np.zeros(0, dtype=np.int64)
    total = len(names) + 1
    return pa.table(
        {
            "model": pa.repeat(model, total),
            "lookback_days": pa.repeat(float(days), total),
            "campaign_id" if by == "campaign" else "channel": pa.array(
                [*(names[row] for row in order), "(unattributed)"], pa.string()
            ),
            "deals": np.append(count[order], float(left.sum())),
            "credit": np.append(credit[order], amounts[left].sum()),
        }
    )
