"""One number per deal that stands for all its credits hang on: while it stays the same, so do they."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from scoring.attribution.columns import Ints
from scoring.attribution.credits import Amounts
from scoring.attribution.journeys import ANCHORS, NO_ROW, Journeys

Digests = npt.NDArray[np.uint64]
# Constants of splitmix64, Steele, Lea and Flood 2014.
_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_BITS = (1 << 64) - 1


def journey_digests(journeys: Journeys, touch: Digests, role: Digests | None = None) -> Digests:
    """(deals,): a digest of each deal's touches, of the roles of those who made them, and of where its anchors fall.

    `touch` (touches,) tells the touches apart, with whatever of them counts; `role` (rows,) the roles of their people.
    The order needs no place of its own: it follows from the touches.
    """
    own = touch[journeys.touch]
    rows = _mixed(own if role is None else own + _mixed(role))
    digest = np.zeros(journeys.deal_count, dtype=np.uint64)
    filled = np.flatnonzero(np.diff(journeys.offsets))
    if len(filled):
        digest[filled] = np.add.reduceat(rows, journeys.offsets[filled])
    for number, name in enumerate(ANCHORS, start=1):
        row = journeys.anchor(name)
        found = row != NO_ROW
        digest[found] += _mixed(own[row[found]] + _place(number))
    return digest


def amount_digests(amounts: list[Amounts], deals: int) -> Digests:
    """(deals,): a digest of what each deal comes to on every basis."""
    digest = np.zeros(deals, dtype=np.uint64)
    for each in amounts:
        told = each.cents.astype(np.int64).view(np.uint64) * np.uint64(2) + each.known.astype(np.uint64)
        digest[each.deal] += _mixed(told + _place(crc32(each.basis.encode())))
    return digest


def joined(first: Digests, *others: Digests) -> Digests:
    """One digest of several, in which each has a place of its own."""
    whole = first
    for other in others:
        whole = _mixed(whole) + other
    return whole


def whole_digests(parts: Digests, deal: Ints) -> Digests:
    """(parts,): the digest of all parts of the deal that each belongs to; `deal` (parts,) numbers from 0, sorted."""
    return np.asarray(np.add.reduceat(_mixed(parts), np.flatnonzero(np.diff(deal, prepend=-1)))[deal])


def _place(number: int) -> np.uint64:
    return np.uint64(number * int(_STEP) & _BITS)


def _mixed(values: Digests) -> Digests:
    """Numbers that differ in any bit become numbers that differ in about half of theirs."""
    mixed = values + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
