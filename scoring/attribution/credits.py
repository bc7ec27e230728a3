"""Weights into cents: every row's part of the deal's amount, adding up exactly."""

from __future__ import annotations

import numpy as np

from abmloop.money import split_largest_remainder
from scoring.attribution.columns import Flags, Floats, Ints, sums
from scoring.attribution.journeys import Journeys


def split_amounts(deal: Ints, weight: Floats, amount_cents: Ints) -> Ints:
    """(rows,) cents: each deal's amount by largest remainder over its rows, ties to the earlier touch.

    `deal` (rows,) sorted row numbers of deals; `weight` (rows,) positive; `amount_cents` (deals,).
    """
    return np.asarray(split_largest_remainder(amount_cents[deal], deal, weight))


def unattributed_deals(journeys: Journeys, weight: Floats) -> Flags:
    """(deals,): deals of which the model could give nothing to any touch."""
    return sums(journeys.deal, weight, journeys.deal_count) <= 0
