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
class CreditNames:
    """The names that stand in credit rows: `touch_id` and `channel` of touches, `deal_id` and `party_id` of deals."""

    touches: pa.Table
    deals: pa.Table

    def named(self, name: str, rows: Ints) -> pa.DictionaryArray:
        """The column's texts in those rows, each held once; -1 = null."""
        column = self._column(name)
        if len(rows) * _FEW < len(column) and name not in self._whole:
            return _encoded(pc.take(column, pa.array(rows, mask=rows < 0)))
        if name not in self._whole:
            self._whole[name] = _encoded(column)
        return _named(self._whole[name], rows)

    def _column(self, name: str) -> pa.Array:
        """The column in one piece: many are taken from it, each of which would join its pieces."""
        if name not in self._joined:
            table = self.touches if name in _OF_TOUCHES else self.deals
            self._joined[name] = table[name].combine_chunks()
        return self._joined[name]

    @cached_property
    def _joined(self) -> dict[str, pa.Array]:
        return {}

    @cached_property
    def _whole(self) -> dict[str, pa.DictionaryArray]:
        return {}


_OF_TOUCHES = ("touch_id", "channel")
_FEW = 8  # for fewer than one row in so many the texts are fetched one by one


def _encoded(column: Any) -> pa.DictionaryArray:
    return pc.cast(column, pa.string()).dictionary_encode()


@dataclass(frozen=True)
class CreditRows:
    """Everything credits are made of besides the amounts: the journeys and the names of their touches and deals.

    `share` (deals,) says what part of its deal a journey stands for, where deals are split.
    """

    journeys: Journeys
    names: CreditNames
    share: Floats | None = None

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
        touch = np.concatenate([self.journeys.touch[rows], np.full(len(left), -1)])
        nothing = len(self.journeys.campaigns)
        whole = np.concatenate([weight, np.ones(len(left))])
        campaign = np.concatenate([self.journeys.campaign[rows], np.full(len(left), nothing)])
        return pa.table(
            {
                "deal_id": self.names.named("deal_id", every),
                "touch_id": self.names.named("touch_id", touch),
                "campaign_id": _named(pa.array([*self.journeys.campaigns, NOTHING]).dictionary_encode(), campaign),
                "channel": self.names.named("channel", touch),
                "party_id": self.names.named("party_id", every),
                "model": pa.repeat(model, len(every)),
                "basis": pa.repeat(amounts.basis, len(every)),
                "weight": pa.array(whole if self.share is None else whole * self.share[every]),
                "credit": decimal_cents(np.concatenate([credit, cents[left]]), known[every]),
                "anchors": _named(self.anchors, np.concatenate([rows, np.full(len(left), -1)])),
                "reason": self._reasons(weights, rows, left),
            }
        )

    def _reasons(self, weights: Weights, rows: Ints, left: Ints) -> pa.DictionaryArray:
        """How each row came to its weight; for deals that no touch earned, why not."""
        reached = np.bincount(self.journeys.deal, minlength=self.journeys.deal_count) > 0
        has_party = np.asarray(pc.is_valid(self.names.deals["party_id"]).to_numpy(zero_copy_only=False))
        why = np.where(has_party[left], np.where(reached[left], 2, 3), 4)
        words = pa.array([weights.spread, "anchor", "anchor_missing", "no_eligible_touch", "no_party"])
        return _named(words.dictionary_encode(), np.concatenate([weights.is_anchor[rows].astype(np.int64), why]))


def _named(names: pa.DictionaryArray, rows: Ints) -> pa.DictionaryArray:
    """The names of the rows; -1 = null."""
    indices = pc.take(names.indices, pa.array(rows, mask=rows < 0))
    return pa.DictionaryArray.from_arrays(indices, names.dictionary)
