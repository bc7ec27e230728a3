"""Renewals and expansions: to their own touches, to those of the customer's first deal, or half and half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.attribution.columns import Ints, codes, microseconds, sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.rules import Weights

_INHERITED = ("status", "created_at", "closed_at", "lead_created_at")


def inheriting(deals: pa.Table) -> pa.Table:
    """The deals, with renewals and expansions dated as their customer's first won deal, so that its touches serve them.

    `deals`: deal_id, party_id, type, status, created_at, closed_at, lead_created_at. A renewal without an earlier won
    deal keeps its own dates.
    """
    source = pa.array(_first_deals(deals))
    for name in _INHERITED:
        column = pc.take(deals[name], source)
        deals = deals.set_column(deals.column_names.index(name), name, column)
    return deals


def _first_deals(deals: pa.Table) -> Ints:
    """(deals,): for renewals and expansions the row of the party's first won deal, for all others their own row."""
    own = np.arange(deals.num_rows)
    (party,), _ = codes(deals["party_id"])
    won = np.asarray(pc.fill_null(pc.equal(deals["status"], "won"), False).to_numpy()) & (party >= 0)
    (deal_id,), names = codes(deals["deal_id"])
    order_of_id = np.argsort(np.argsort(np.array([str(name) for name in names])))[deal_id] if names else own
    closed = microseconds(deals["closed_at"])
    rows = np.flatnonzero(won)
    rows = rows[np.lexsort((order_of_id[rows], closed[rows], party[rows]))]
    parties, first = np.unique(party[rows], return_index=True)
    first_of = np.full(int(party.max(initial=-1)) + 2, -1)
    first_of[parties] = rows[first]
    again = np.asarray(pc.is_in(deals["type"], value_set=pa.array(["renewal", "expansion"])).to_numpy())
    found = first_of[party]
    return np.where(again & (found >= 0), found, own)


def halved(own: tuple[Journeys, Weights], inherited: tuple[Journeys, Weights]) -> tuple[Journeys, Weights]:
    """Half of each deal by its own journey, half by the inherited one; all by one where the other has nothing.

    Both journeys are of the same deals and touches. The rows come out as journeys of their own, in touch order.
    """
    deal = np.concatenate([own[0].deal, inherited[0].deal])
    weight = np.concatenate([own[1].weight, inherited[1].weight])
    place = np.arange(len(deal))
    touch = np.concatenate([own[0].touch, inherited[0].touch])
    at = np.concatenate([own[0].occurred_at, inherited[0].occurred_at])
    order = np.lexsort((place, touch, at, deal))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (deal[order][1:] != deal[order][:-1]) | (touch[order][1:] != touch[order][:-1])
    joined = np.cumsum(new) - 1
    rows = order[new]
    total = sums(joined, weight[order], len(rows))
    whole = sums(deal[rows], total, own[0].deal_count)
    total = total / np.where(whole > 0, whole, 1.0)[deal[rows]]

    def picked(left: Ints, right: Ints) -> Ints:
        return np.asarray(np.concatenate([left, right])[rows])

    journeys = replace(
        own[0],
        deal=deal[rows],
        touch=touch[rows],
        occurred_at=at[rows],
        campaign=picked(own[0].campaign, inherited[0].campaign),
        channel=picked(own[0].channel, inherited[0].channel),
    )
    is_anchor = np.concatenate([own[1].is_anchor, inherited[1].is_anchor])[rows]
    return journeys, Weights(total, is_anchor, own[1].spread, own[1].anchors)
