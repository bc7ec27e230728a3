"""Attribution on two files, touches and deals, without a workspace: every credit to the cent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from abmloop.errors import BadFile, BadUsage
from abmloop.messages import said, together
from abmloop.validation import problem_of
from scoring.attribution.columns import Ints, decimal_cents
from scoring.attribution.credits import split_amounts, unattributed_deals
from scoring.attribution.journeys import Journeys, Reach, build_journeys
from scoring.attribution.rules import Weights, weigh
from scoring.attribution.spread import journey_paths, weigh_paths, with_dealless_parties
from scoring.attribution.windows import Moments, Windows
from scoring.policies.attribution import PARTICIPATION, PATH_MODELS, RULE_MODELS, AttributionPolicy
from tasks.attribute.inputs import check_touches, latest_time, read_deals, read_touches, write_table

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
    windows = Windows.of(deal_rows, Moments.of(deal_rows, policy, as_of_end))
    # Path models also look at accounts without a deal; the others need no more than the windows hold.
    touch_rows = read_touches(touches, None if set(models) & set(PATH_MODELS) else windows)
    if nameless := touch_rows["touch_id"].null_count:
        raise BadFile(said("attribute_nameless_touches", file=touches, rows=nameless))
    reach = Reach.of(touch_rows, deal_rows, policy, as_of_end, None)
    journeys = reach.journeys(policy, as_of_end)
    rows = pa.concat_tables(
        _credit_rows(
            journeys, _weigh(journeys, name, policy, touch_rows, deal_rows, as_of_end), touch_rows, deal_rows, name
        )
        for name in models
    )
    if out is not None:
        write_table(rows, out)
    counted = pc.not_equal(deal_rows["status"], "lost")
    missing = pc.is_null(rows["touch_id"])
    unattributed = rows.filter(missing)
    return {
        "deals": pc.sum(counted).as_py() or 0,
        "lost_deals_left_out": deal_rows.num_rows - (pc.sum(counted).as_py() or 0),
        "touches_in_reach": touch_rows.num_rows,
        "touches_given_twice": reach.ordered.given_twice,
        "eligible_touches": len(journeys.deal),
        "credit_rows": rows.num_rows,
        "credited": _told_sums(rows.filter(pc.invert(missing)), deal_rows),
        "unattributed": _told_sums(unattributed, deal_rows),
        "unattributed_deals": len(unattributed["deal_id"].unique()),
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


def _told_sums(rows: pa.Table, deals: pa.Table) -> str:
    """The sum of the credits, by model and currency where there are several; influence figures are never summed."""
    place = pc.index_in(pc.cast(rows["deal_id"], pa.string()), value_set=pc.cast(deals["deal_id"], pa.string()))
    currency = deals["currency"] if "currency" in deals.column_names else pa.nulls(deals.num_rows, pa.string())
    summed = pa.table(
        {
            "model": pc.cast(rows["model"], pa.string()),
            "currency": pc.fill_null(pc.take(pc.cast(currency, pa.string()), place), ""),
            "credit": rows["credit"],
        }
    ).filter(pc.not_equal(pc.cast(rows["model"], pa.string()), PARTICIPATION))
    found = summed.group_by(["model", "currency"]).aggregate([("credit", "sum")]).sort_by(
        [("model", "ascending"), ("currency", "ascending")]
    )  # fmt: skip
    models, currencies = (set(found[name].to_pylist()) for name in ("model", "currency"))
    told = [
        " ".join(
            [row["model"]] * (len(models) > 1)
            + [str(row["credit_sum"] or "0.00")]
            + [row["currency"] or "(no currency)"] * (len(currencies) > 1)
        )
        for row in found.to_pylist()
    ]
    return "; ".join(told) or "0.00"


def _weigh(
    journeys: Journeys, model: str, policy: AttributionPolicy, touches: pa.Table, deals: pa.Table, as_of_end: int
) -> Weights:
    if model not in PATH_MODELS:
        return weigh(journeys, model, policy)
    everyone = with_dealless_parties(deals, touches)
    status = np.asarray(everyone["status"].to_pylist(), dtype=object)
    found = build_journeys(touches, everyone, policy, as_of_end)
    paths = journey_paths(found, status == "won", status == "lost", policy.path_by)
    return weigh_paths(journeys, paths, model, policy.markov_order, policy.path_by)


def _credit_rows(journeys: Journeys, weights: Weights, touches: pa.Table, deals: pa.Table, model: str) -> pa.Table:
    """The credited rows of won and open deals, and one row for each of them that no touch earned."""
    is_counted = np.asarray(pc.not_equal(deals["status"], "lost").to_numpy())
    kept = np.flatnonzero((weights.weight > 0) & is_counted[journeys.deal])
    deal, touch, weight = journeys.deal[kept], journeys.touch[kept], weights.weight[kept]
    known = np.asarray(pc.is_valid(deals["cents"]).to_numpy())
    cents = np.asarray(pc.fill_null(deals["cents"], 0).to_numpy())
    credit = cents[deal] if model == PARTICIPATION else split_amounts(deal, weight, cents)
    alone = np.flatnonzero(unattributed_deals(journeys, weights.weight) & is_counted)
    if len(alone):
        place = np.argsort(np.concatenate([deal, alone]), kind="stable")
        deal = np.concatenate([deal, alone])[place]
        touch = np.concatenate([touch, np.full(len(alone), -1)])[place]
        weight = np.concatenate([weight, np.ones(len(alone))])[place]
        credit = np.concatenate([credit, cents[alone]])[place]
    return pa.table(
        {
            "deal_id": _taken(deals["deal_id"], deal, None),
            "touch_id": _taken(touches["touch_id"], touch, None),
            "campaign_id": _taken(touches["campaign_id"], touch, "(unattributed)"),
            "channel": _taken(touches["channel"], touch, None),
            "model": pa.array([model]).dictionary_encode().take(pa.array(np.zeros(len(deal), dtype=np.int32))),
            "weight": weight,
            "credit": decimal_cents(credit, known[deal]),
        }
    )


def _taken(column: Any, rows: Ints, filler: str | None) -> pa.DictionaryArray:
    """The texts of the rows, each held once; the filler for row -1."""
    whole = column.combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        whole = pa.DictionaryArray.from_arrays(
            pa.array(np.arange(len(whole), dtype=np.int32), mask=np.asarray(whole.is_null())),
            pc.fill_null(pc.cast(whole, pa.string()), ""),
        )
    filling = [filler] if filler is not None else []
    words = pa.concat_arrays([pc.cast(whole.dictionary, pa.string()), pa.array(filling, pa.string())])
    indices = whole.indices.take(pa.array(rows, mask=rows < 0))
    if filler is not None and (rows < 0).any():
        indices = pc.if_else(pa.array(rows < 0), pa.scalar(len(words) - 1, indices.type), indices)
    return pa.DictionaryArray.from_arrays(indices, words)
