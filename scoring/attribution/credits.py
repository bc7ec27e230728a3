"""Weights into cents: every row's part of the deal's amount, adding up exactly, with the reason beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.money import split_largest_remainder
from scoring.attribution.columns import Flags, Floats, Ints, decimal_cents, sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.rules import Weights, anchor_names

NOTHING = "(unattributed)"


@dataclass(frozen=True)
class Amounts:
    """A basis: which deals have an amount on it (`deal`, sorted row numbers), how many `cents`, and whether `known`."""

    basis: str
    deal: Ints
    cents: Ints
    known: Flags


def split_amounts(deal: Ints, weight: Floats, amount_cents: Ints) -> Ints:
    """(rows,) cents: each deal's amount by largest remainder over its rows, ties to the earlier touch.

    `deal` (rows,) sorted row numbers of deals; `weight` (rows,) positive; `amount_cents` (deals,).
    """
    return np.asarray(split_largest_remainder(amount_cents[deal], deal, weight))


def unattributed_deals(journeys: Journeys, weight: Floats) -> Flags:
    """(deals,): deals of which the model could give nothing to any touch."""
    return sums(journeys.deal, weight, journeys.deal_count) <= 0


@dataclass(frozen=True)
class CreditRows:
    """Everything credits are made of besides the amounts: the journeys and the names that stand in the rows."""

    journeys: Journeys
    touches: pa.Table
    deals: pa.Table

    @cached_property
    def anchors(self) -> pa.Array:
        """(rows,): the anchors that fall on each touch."""
        return anchor_names(self.journeys)

    def of_model(self, model: str, weights: Weights, amounts: list[Amounts]) -> pa.Table:
        """The credit rows of one model on every basis; what no touch earned is one row of campaign (unattributed)."""
        rows = np.flatnonzero(weights.weight > 0)
        alone = unattributed_deals(self.journeys, weights.weight)
        return pa.concat_tables([self._of_basis(model, weights, rows, alone, each) for each in amounts])

    def _of_basis(self, model: str, weights: Weights, rows: Ints, alone: Flags, amounts: Amounts) -> pa.Table:
        counted = np.zeros(self.journeys.deal_count, dtype=np.bool_)
        counted[amounts.deal] = True
        cents = np.zeros(self.journeys.deal_count, dtype=np.int64)
        cents[amounts.deal] = amounts.cents
        known = np.zeros(self.journeys.deal_count, dtype=np.bool_)
        known[amounts.deal] = amounts.known
        rows = rows[counted[self.journeys.deal[rows]]]
        deal, weight = self.journeys.deal[rows], weights.weight[rows]
        credit = cents[deal] if weights.spread == "participation" else split_amounts(deal, weight, cents)
        left = np.flatnonzero(alone & counted)
        every = np.concatenate([deal, left])
        lone = pa.nulls(len(left), pa.string())
        how = np.where(weights.is_anchor[rows], "anchor", weights.spread).astype(object)
        size = len(every)
        return pa.table(
            {
                "deal_id": pc.take(self.deals["deal_id"], pa.array(every)),
                "touch_id": _joined(_text(self.touches["touch_id"], self.journeys.touch[rows]), lone),
                "campaign_id": _joined(
                    pc.take(pa.array(self.journeys.campaigns, pa.string()), pa.array(self.journeys.campaign[rows])),
                    pa.array([NOTHING] * len(left), pa.string()),
                ),
                "channel": _joined(_text(self.touches["channel"], self.journeys.touch[rows]), lone),
                "party_id": pc.take(self.deals["party_id"], pa.array(every)),
                "model": pa.array([model] * size, pa.string()),
                "basis": pa.array([amounts.basis] * size, pa.string()),
                "weight": pa.array(np.concatenate([weight, np.ones(len(left))])),
                "credit": decimal_cents(np.concatenate([credit, cents[left]]), known[every]),
                "anchors": _joined(pc.take(self.anchors, pa.array(rows)), lone),
                "reason": pa.array(np.concatenate([how, self._why_nothing(left)]), pa.string()),
            }
        )

    def _why_nothing(self, deals: Ints) -> Any:
        """Why these deals' amounts are unattributed."""
        reached = np.bincount(self.journeys.deal, minlength=self.journeys.deal_count) > 0
        has_party = np.asarray(pc.is_valid(self.deals["party_id"]).to_numpy())
        why = np.where(reached[deals], "anchor_missing", "no_eligible_touch")
        return np.where(has_party[deals], why, "no_party").astype(object)


def _text(column: Any, rows: Ints) -> Any:
    return pc.cast(pc.take(column, pa.array(rows)), pa.string())


def _joined(first: Any, second: Any) -> pa.ChunkedArray:
    chunks = first.chunks if isinstance(first, pa.ChunkedArray) else [first]
    return pa.chunked_array([*chunks, second], type=pa.string())
