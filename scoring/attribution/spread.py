"""Path models on deals: one path is one deal, and what a channel is worth is spread over each deal's own touches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import Flags, Floats, Ints, sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.markov import markov_removal_effects
from scoring.attribution.paths import Paths, shapley_rate_shares, shapley_shares
from scoring.attribution.rules import Weights


def with_dealless_parties(deals: pa.Table, touches: pa.Table) -> pa.Table:
    """The deals, and a lost one without dates for every party with touches and no deal: its path did not convert."""
    own = deals["party_id"].combine_chunks()
    with_deal = pc.is_in(touches["party_id"], value_set=pc.cast(own, touches["party_id"].type))
    parties = touches.filter(pc.invert(with_deal))["party_id"].combine_chunks().unique().drop_null()
    columns = {name: pa.nulls(len(parties), deals[name].type) for name in deals.column_names}
    columns |= {"party_id": pc.cast(parties, own.type), "status": pa.array(["lost"] * len(parties), pa.string())}
    return pa.concat_tables([deals, pa.table(columns)])


def journey_paths(journeys: Journeys, won: Flags, lost: Flags, by: str) -> Paths:
    """Each won deal as a path that converted once, each lost one as a path that did not; open deals are left out."""
    step = won[journeys.deal] | lost[journeys.deal]
    group, names = places(journeys, by)
    return Paths(
        path=journeys.deal[step],
        channel=group[step],
        conversions=won.astype(np.float64),
        value=won.astype(np.float64),
        nulls=lost.astype(np.float64),
        channels=names,
    )


def places(journeys: Journeys, by: str) -> tuple[Ints, list[str]]:
    """The channel or the campaign of each row, and the names."""
    return (journeys.campaign, journeys.campaigns) if by == "campaign" else (journeys.channel, journeys.channels)


def path_shares(paths: Paths, model: str, order: int) -> Floats:
    """(channels or campaigns,): what each is worth by a path model."""
    if model == "markov":
        return markov_removal_effects(paths, order).conversions
    return shapley_shares(paths, paths.conversions) if model == "shapley" else shapley_rate_shares(paths)


def weigh_paths(journeys: Journeys, paths: Paths, model: str, order: int, by: str) -> Weights:
    """A path model's shares of channels (or campaigns), spread over each deal's own touches."""
    return spread_shares(journeys, path_shares(paths, model, order), model, by)


def spread_shares(journeys: Journeys, shares: Floats, model: str, by: str) -> Weights:
    """The shares of channels (or campaigns) spread over each deal's own touches.

    A touch gets its channel's share divided by that channel's touches in the deal, normalised to 1 per deal; a deal
    whose channels are all worth nothing (or less) shares equally.
    """
    group, names = places(journeys, by)
    _, inverse, counts = np.unique(journeys.deal * max(len(names), 1) + group, return_inverse=True, return_counts=True)
    weight = np.maximum(shares, 0.0)[group] / counts[inverse] if len(group) else np.zeros(0)
    total = sums(journeys.deal, weight, journeys.deal_count)
    rows = np.bincount(journeys.deal, minlength=journeys.deal_count)
    equal = (1.0 / np.maximum(rows, 1))[journeys.deal]
    weight = np.where(total[journeys.deal] > 0, weight / np.where(total > 0, total, 1.0)[journeys.deal], equal)
    return Weights(weight, np.zeros(len(weight), dtype=np.bool_), model)
