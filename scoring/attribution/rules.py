"""The rule models: how a deal's journey shares 100 per cent, from first touch to the user's own model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.attribution.columns import DAY_US, Floats, Ints, codes, sums
from scoring.attribution.journeys import ANCHORS, NO_ROW, Journeys
from scoring.policies.attribution import PARTICIPATION, AttributionPolicy, CustomModel

# Shares of the anchored models, per cent; the remainder to 100 is spread over the touches that are no anchor.
# Source: the table of spec 07-attribution.
ANCHORED: dict[str, dict[str, float]] = {
    "first_touch": {"first": 100},
    "last_touch": {"last": 100},
    "lead_creation": {"lead": 100},
    "u_shaped": {"first": 40, "lead": 40},
    "u_shaped_50": {"first": 50, "lead": 50},
    "position_based": {"first": 40, "last": 40},
    "j_shaped": {"first": 20, "last": 60},
    "inverse_j": {"first": 60, "last": 20},
    "w_shaped": {"first": 30, "lead": 30, "opportunity": 30},
    "full_path": {"first": 22.5, "lead": 22.5, "opportunity": 22.5, "close": 22.5},
}


@dataclass(frozen=True)
class Weights:
    """One model's weight per row of the journeys: (rows,) summing to 1 per deal, or 0 where nothing could be shared.

    `is_anchor` tells the rows that have their weight as an anchor; `spread` says in a word how the others got theirs.
    """

    weight: Floats
    is_anchor: Any
    spread: str
    anchors: dict[str, Ints] = field(default_factory=dict)


def weigh(journeys: Journeys, model: str, policy: AttributionPolicy, roles: Any = None, types: Any = None) -> Weights:
    """The weights of a rule model. `roles` and `types` are columns (one value a row) for custom models, None = unknown.

    `participation` gives 1 to the first touch of each distinct campaign: an influence figure, not summing to 1.
    """
    if model in ANCHORED:
        return _anchored(journeys, _rows_of(journeys, ANCHORED[model]), np.ones(len(journeys.deal)), "rest_equally")
    if model in policy.custom:
        return _custom(journeys, policy.custom[model], roles, types)
    if model == "linear":
        return _shared(journeys, np.ones(len(journeys.deal)), "equally")
    if model == "linear_campaign":
        return _shared(journeys, _equally_by(journeys, journeys.campaign), "equally_by_campaign")
    if model == "linear_distinct":
        return _shared(journeys, _equally_by(journeys, journeys.channel), "equally_by_channel")
    if model == "time_decay":
        return _shared(journeys, _decay(journeys, policy.half_life_days), "decay")
    if model == "last_non_direct":
        return _last_non_direct(journeys)
    if model == PARTICIPATION:
        first = _first_of_group(journeys, journeys.campaign)
        return Weights(first.astype(np.float64), np.zeros(len(first), dtype=np.bool_), "participation")
    raise ValueError(f"{model} is no rule model")


def with_roles(journeys: Journeys, weights: Weights, roles: Any, factors: dict[str, float]) -> Weights:
    """The weights times the factor of each touch's role (1 where none is given), again summing to 1 per deal."""
    if not factors or weights.spread == "participation":
        return weights
    raised = weights.weight * _factors(roles, factors, len(weights.weight))
    total = _per_deal(journeys, raised)
    kept = np.where(total > 0, 1.0, 0.0)[journeys.deal] > 0
    weight = np.where(kept, raised / np.where(total > 0, total, 1.0)[journeys.deal], weights.weight)
    return Weights(weight, weights.is_anchor, weights.spread, weights.anchors)


def _rows_of(journeys: Journeys, shares: dict[str, float]) -> list[tuple[str, Ints, float]]:
    return [(name, journeys.anchor(name), share / 100) for name, share in shares.items()]


def _anchored(journeys: Journeys, anchors: list[tuple[str, Ints, float]], factors: Floats, spread: str) -> Weights:
    """Shares for the anchors, the rest in proportion to `factors` over the touches that are no anchor.

    Anchors on one touch add up; a missing anchor's share joins the rest; where no other touch is left, the anchors'
    shares are normalised to 1. A model with one anchor of 100 % gives nothing where it is missing.
    """
    weight = np.zeros(len(journeys.deal))
    is_anchor = np.zeros(len(journeys.deal), dtype=np.bool_)
    rest = np.full(journeys.deal_count, 1.0 - sum(share for _, _, share in anchors))
    rest[np.abs(rest) < 1e-12] = 0.0
    for _, row, share in anchors:
        found = row != NO_ROW
        weight[row[found]] += share
        is_anchor[row[found]] = True
        rest[~found] += share
    if len(anchors) == 1 and anchors[0][2] == 1.0:
        return Weights(weight, is_anchor, spread, {name: row for name, row, _ in anchors})
    free = np.where(is_anchor, 0.0, factors)
    room = _per_deal(journeys, free)
    weight += free * np.where(room > 0, rest / np.where(room > 0, room, 1.0), 0.0)[journeys.deal]
    return Weights(_normalised(journeys, weight), is_anchor, spread, {name: row for name, row, _ in anchors})


def _custom(journeys: Journeys, model: CustomModel, roles: Any, types: Any) -> Weights:
    rows = _rows_of(journeys, {str(name): share for name, share in model.anchors.items()})
    rows += [(str(number), journeys.position(number), share / 100) for number, share in model.positions.items()]
    size = len(journeys.deal)
    by_channel = np.array([model.channels.get(name, 1.0) for name in journeys.channels])
    factors = by_channel[journeys.channel] if size else np.ones(0)
    factors = factors * _factors(types, model.types, size) * _factors(roles, model.roles, size)
    return _anchored(journeys, rows, factors, "rest_by_factors")


def _factors(names: Any, factors: dict[str, float], size: int) -> Floats:
    """The factor of each row's name; 1 where the name is unknown or has none."""
    if names is None or not factors:
        return np.ones(size)
    (number,), known = codes(names)
    table = np.array([*(factors.get(str(name), 1.0) for name in known), 1.0])
    return np.asarray(table[number])


def _shared(journeys: Journeys, size: Floats, spread: str) -> Weights:
    return Weights(_normalised(journeys, size), np.zeros(len(size), dtype=np.bool_), spread)


def _equally_by(journeys: Journeys, group: Ints) -> Floats:
    """Equal over each deal's distinct groups, then equal over each group's touches (not yet normalised)."""
    _, inverse, counts = np.unique(_pair_key(journeys, group), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[inverse]) if len(group) else np.zeros(0)


def _pair_key(journeys: Journeys, group: Ints) -> Ints:
    return np.asarray(journeys.deal.astype(np.int64) * (int(group.max(initial=0)) + 1) + group)


def _first_of_group(journeys: Journeys, group: Ints) -> Any:
    """True on the first touch of each of a deal's groups."""
    _, first = np.unique(_pair_key(journeys, group), return_index=True)
    flags = np.zeros(len(group), dtype=np.bool_)
    flags[first] = True
    return flags


def _decay(journeys: Journeys, half_life_days: float) -> Floats:
    """2^(-days/half_life), counted from each deal's last touch: the same after normalising, and it cannot vanish."""
    last = journeys.occurred_at[journeys.anchor("last")[journeys.deal]]
    return np.asarray(np.exp2((journeys.occurred_at - last) / DAY_US / half_life_days))


def _last_non_direct(journeys: Journeys) -> Weights:
    is_direct = np.array([name == "direct" for name in journeys.channels], dtype=np.bool_)
    other = ~is_direct[journeys.channel] if len(journeys.deal) else np.zeros(0, dtype=np.bool_)
    row = journeys.last_row_where(other)
    row = np.where(row == NO_ROW, journeys.anchor("last"), row)
    return _anchored(journeys, [("last_non_direct", row, 1.0)], np.ones(len(journeys.deal)), "rest_equally")


def _per_deal(journeys: Journeys, amounts: Floats) -> Floats:
    return sums(journeys.deal, amounts, journeys.deal_count)


def _normalised(journeys: Journeys, weight: Floats) -> Floats:
    """Weights that sum to 1 in every deal that has any."""
    total = _per_deal(journeys, weight)
    return np.asarray(weight / np.where(total > 0, total, 1.0)[journeys.deal])


def anchor_names(journeys: Journeys) -> pa.DictionaryArray:
    """(rows,): which anchors fall on the touch, in the order first, last, lead, opportunity, close: `first+lead`."""
    bits = np.zeros(len(journeys.deal), dtype=np.int64)
    for place, name in enumerate(ANCHORS):
        row = journeys.anchor(name)
        bits[row[row != NO_ROW]] |= 1 << place
    texts = [
        "+".join(name for place, name in enumerate(ANCHORS) if mask >> place & 1) for mask in range(1 << len(ANCHORS))
    ]
    return pa.DictionaryArray.from_arrays(pa.array(bits, mask=bits == 0), pa.array(texts))
