"""Sharing money without losing a cent."""

import numpy as np
import numpy.typing as npt

Cents = npt.NDArray[np.int64]
_MILLION = 1_000_000
_REMAINDER_BITS = 20  # a million and one places


def split_largest_remainder(amounts_cents: Cents, group: Cents, weights: npt.NDArray[np.float64]) -> Cents:
    """Split each group's amount over its rows in proportion to `weights`, in whole cents.

    `amounts_cents` (n,) repeats the group's amount on each of its rows; `group` (n,) is sorted; `weights` (n,) are
    non-negative and finite. Out comes (n,) int64 whose sum per group is the group's amount exactly (negative amounts
    are split by size and keep their sign); a group whose weights are all zero is split equally. The cents left after
    rounding down go to the largest remainders, ties to the earlier row.

    Source: spec 07-attribution (largest remainder, ties by touch order).
    """
    if len(amounts_cents) == 0:
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    sizes = np.diff(np.r_[starts, len(group)])
    index = np.repeat(np.arange(len(starts)), sizes)
    total = np.add.reduceat(weights, starts)
    share = np.where(total[index] > 0, weights / np.where(total > 0, total, 1.0)[index], 1.0 / sizes[index])
    size = np.abs(amounts_cents)
    exact = share * size
    # Float noise just below a whole cent must not turn into a remainder that outranks a real one.
    whole = np.floor(np.round(exact, 6)).astype(np.int64)
    remainder: npt.NDArray[np.float64] = np.round(exact - whole, 6)
    left = size[starts] - np.add.reduceat(whole, starts)
    whole += _is_rounded_up(index, starts, remainder, left)
    # `left` can exceed the rows or be negative only by float error on huge amounts: settle it on the first rows.
    rest = size[starts] - np.add.reduceat(whole, starts)
    whole[starts] += rest
    return np.sign(amounts_cents) * whole


def _is_rounded_up(
    index: Cents, starts: Cents, remainder: npt.NDArray[np.float64], left: Cents
) -> npt.NDArray[np.int64]:
    """1 for the `left` rows of each group with the largest remainders, ties to the earlier row; else 0."""
    up = np.zeros(len(index), dtype=np.int64)
    open_rows = np.flatnonzero((left > 0)[index])
    if not len(open_rows):
        return up
    # One number sorts by group, then by remainder from the largest, then by row: remainders have six places.
    number = np.cumsum(np.diff(index[open_rows], prepend=index[open_rows[0]]) != 0)
    rank = (_MILLION - np.rint(remainder[open_rows] * _MILLION)).astype(np.int64)
    key = (number << _REMAINDER_BITS) + rank
    order = np.argsort(key, kind="stable")
    sizes = np.bincount(number)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen = open_rows[order[place < left[index[open_rows]]]]
    up[chosen] = 1
    return up
