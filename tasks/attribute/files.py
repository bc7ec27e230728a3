"""Attribution on two files, touches and deals, without a workspace: every credit to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from abmloop.errors import BadFile, BadUsage
from abmloop.messages import said, together
from abmloop.validation import problem_of
from scoring.attribution.columns import Floats, Ints, codes, decimal_cents
from scoring.attribution.credits import NOTHING, split_amounts, unattributed_deals
from scoring.attribution.journeys import Journeys, Reach, build_journeys
from scoring.attribution.rules import Weights, weigh
from scoring.attribution.spread import journey_paths, weigh_paths, with_dealless_parties
from scoring.attribution.windows import Moments, Windows
from scoring.policies.attribution import PARTICIPATION, PATH_MODELS, RULE_MODELS, AttributionPolicy
from tasks.attribute.inputs import (
    check_touches,
    latest_time,
    read_deals,
    read_reachable,
    read_touches,
    told_in,
    write_table,
)

FILE_MODELS = (*RULE_MODELS, *PATH_MODELS, PARTICIPATION)


def attribute_files(  # noqa: PLR0913 - one argument per option of the command
    touches: Path,
    deals: Path,
    model: str,
    anchor: str = "closed",
    lookback_days: float = 180,
    repeats: str = "one_per_campaign_person_day",
    out: Path | None = None,
    until: str = "closed",
    half_life_days: float = 7,
) -> dict[str, Any]:
    """Share the amounts of won and open deals among their touches; lost deals are left out.

    `model` names one model, or several (`linear,w_shaped`), whose credits stand one after the other.

    Writes `deal_id, touch_id, campaign_id, channel, model, weight, credit` (CSV, or Parquet by the name of `out`):
    weights in full precision summing to 1 per deal, credits in cents summing to its amount; a deal without eligible
    touch has one row of campaign `(unattributed)`. An open deal's window ends at the latest time in the two files.
    Returns a summary. Raises BadFile with file, line and column, or BadUsage for an unknown model.
    """
    policy = window_policy(anchor, lookback_days, repeats, until, half_life_days)
    models = [name.strip() for name in model.split(",")]
    if unknown := [name for name in models if name not in FILE_MODELS]:
        asked = ", ".join(map(repr, unknown))
        raise BadUsage(said("attribute_no_model", asked=asked, known=", ".join(FILE_MODELS)))
    check_touches(touches)
    deal_rows = read_deals(deals).sort_by(
        "deal_id"
    )  # so that the credits stand the same whatever the order of the rows
    as_of_end = latest_time(touches, deal_rows)
    reach = _reach(touches, deal_rows, policy, as_of_end, models)
    journeys = reach.journeys(policy, as_of_end)
    weighed = ((name, _weigh(journeys, name, policy, reach, as_of_end)) for name in models)
    found = [_credits(journeys, weights, name, deal_rows) for name, weights in weighed]
    rows = _named(found, reach)
    if out is not None:
        write_table(rows, out)
    counted = pc.not_equal(deal_rows["status"], "lost")
    return {
        "deals": pc.sum(counted).as_py() or 0,
        "lost_deals_left_out": deal_rows.num_rows - (pc.sum(counted).as_py() or 0),
        "touches_in_reach": reach.touches.num_rows,
        "touches_given_twice": reach.ordered.given_twice,
        "touch_ids_at_several_times": _ids_used_again(reach),
        "eligible_touches": len(journeys.deal),
        "credit_rows": rows.num_rows,
        "credited": _told_sums(found, deal_rows, is_credited=True),
        "unattributed": _told_sums(found, deal_rows, is_credited=False),
        "unattributed_deals": len(np.unique(np.concatenate([each.deal[each.touch < 0] for each in found]))),
        "out": str(out) if out else None,
    }


def window_policy(
    anchor: str, lookback_days: float, repeats: str, until: str = "closed", half_life_days: float = 7
) -> AttributionPolicy:
    """The bare policy with these; BadUsage names what is wrong with one of them."""
    given = {"anchor": anchor, "lookback_days": lookback_days, "repeats": repeats}
    try:
        return AttributionPolicy.model_validate({**given, "until": until, "half_life_days": half_life_days})
    except ValidationError as error:
        faults = [
            said("attribute_fault", name=fault["loc"][0], problem=problem_of(fault), value=fault["input"])
            for fault in error.errors()
        ]
        raise BadUsage(said("attribute_faults", faults=together(faults, "; "))) from error


def _reach(path: Path, deals: pa.Table, policy: AttributionPolicy, as_of_end: int, models: Sequence[str]) -> Reach:
    """The touches that count for any deal; all touches where a path model also looks at accounts without a deal."""
    if set(models) & set(PATH_MODELS):
        touches = read_touches(path)
        reach = Reach.of(touches, deals, policy, as_of_end, None)
    else:
        windows = Windows.of(deals, Moments.of(deals, policy, as_of_end))
        without_people = policy.repeats != "one_per_campaign_person_day"
        touches = read_reachable(path, windows, ("type", "person_id") if without_people else ("type",))
        reach = Reach.inside(touches, deals, windows, told_in(path, touches))
    if nameless := touches["touch_id"].null_count:
        raise BadFile(said("attribute_nameless_touches", file=path, rows=nameless))
    return reach


def _ids_used_again(reach: Reach) -> int:
    """How many of the touches have the id of another, of another time or account."""
    ids = pc.take(reach.touches["touch_id"], pa.array(reach.ordered.row))
    return len(ids) - int(pc.count_distinct(ids).as_py())


@dataclass(frozen=True)
class Credits:
    """One model's credited rows: row numbers of deals and touches (-1 where no touch earned the deal), and the sums."""

    model: str
    deal: Ints
    touch: Ints
    weight: Floats
    cents: Ints


def _credits(journeys: Journeys, weights: Weights, model: str, deals: pa.Table) -> Credits:
    """The credits of won and open deals by deal and touch, those that no touch earned in their places."""
    is_counted = np.asarray(pc.not_equal(deals["status"], "lost").to_numpy())
    kept = np.flatnonzero((weights.weight > 0) & is_counted[journeys.deal])
    deal, touch, weight = journeys.deal[kept], journeys.touch[kept], weights.weight[kept]
    cents = np.asarray(pc.fill_null(deals["cents"], 0).to_numpy())
    credit = cents[deal] if model == PARTICIPATION else split_amounts(deal, weight, cents)
    alone = np.flatnonzero(unattributed_deals(journeys, weights.weight) & is_counted)
    if len(alone):
        place = np.searchsorted(deal, alone)
        deal, touch = np.insert(deal, place, alone), np.insert(touch, place, -1)
        weight, credit = np.insert(weight, place, 1.0), np.insert(credit, place, cents[alone])
    return Credits(model, deal, touch, weight, credit)


def _told_sums(found: list[Credits], deals: pa.Table, is_credited: bool) -> str:
    """The sum of what touches earned, or of the rest, by model and currency where there are several; influence figures
    are never summed."""
    currency = pa.nulls(deals.num_rows, pa.string())
    if "currency" in deals.column_names:
        currency = pc.cast(deals["currency"], pa.string())
    (of_deal,), names = codes(pc.fill_null(currency, ""))
    told = []
    for each in sorted(found, key=lambda one: one.model):
        if each.model == PARTICIPATION:
            continue
        rows = np.flatnonzero((each.touch >= 0) == is_credited)
        place, cents = of_deal[each.deal[rows]], each.cents[rows]
        told += [(each.model, names[number], int(cents[place == number].sum())) for number in np.unique(place)]
    models, currencies = ({row[place] for row in told} for place in (0, 1))
    return "; ".join(
        " ".join(
            [model] * (len(models) > 1)
            + [str(Decimal(cents).scaleb(-2))]
            + [currency or "(no currency)"] * (len(currencies) > 1)
        )
        for model, currency, cents in told
    ) or "0.00"  # fmt: skip


def _weigh(journeys: Journeys, model: str, policy: AttributionPolicy, reach: Reach, as_of_end: int) -> Weights:
    if model not in PATH_MODELS:
        return weigh(journeys, model, policy)
    everyone = with_dealless_parties(reach.deals, reach.touches)
    status = np.asarray(everyone["status"].to_pylist(), dtype=object)
    found = build_journeys(reach.touches, everyone, policy, as_of_end)
    paths = journey_paths(found, status == "won", status == "lost", policy.path_by)
    return weigh_paths(journeys, paths, model, policy.markov_order, policy.path_by)


def _named(found: list[Credits], reach: Reach) -> pa.Table:
    """The credits as they are written, by model."""
    known = np.asarray(pc.is_valid(reach.deals["cents"]).to_numpy())
    deal_id = _Names.of(reach.deals["deal_id"])
    campaign, channel = (_Names.of(reach.touches[name]) for name in ("campaign_id", "channel"))
    model = _Names.of(pa.array([each.model for each in found]))
    return pa.concat_tables(
        pa.table(
            {
                "deal_id": deal_id.at(each.deal),
                "touch_id": pc.take(reach.touches["touch_id"], pa.array(each.touch, mask=each.touch < 0)),
                "campaign_id": campaign.at(each.touch, NOTHING),
                "channel": channel.at(each.touch),
                "model": model.at(np.full(len(each.deal), number)),
                "weight": each.weight,
                "credit": decimal_cents(each.cents, known[each.deal]),
            }
        )
        for number, each in enumerate(found)
    )


@dataclass(frozen=True)
class _Names:
    """A column's texts, each held once and in their order, so that they stand the same whatever the order of rows."""

    number: Ints
    words: list[str | None]

    @classmethod
    def of(cls, column: Any) -> _Names:
        (number,), words = codes(column)
        return cls(np.append(number, -1), words)

    def at(self, rows: Ints, filler: str | None = None) -> pa.DictionaryArray:
        """The texts of the rows, the filler for row -1."""
        number, words = self.number[rows], self.words
        if filler is not None:
            number = np.where(rows < 0, len(words), number)
            words = [*words, filler]
        indices = pa.array(number.astype(np.int32), mask=number < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))
