"""Sharing money without losing a cent."""

import numpy as np
import numpy.typing as npt

Cents = npt.NDArray[np.int64]


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
    remainder = np.round(exact - whole, 6)
    left = size[starts] - np.add.reduceat(whole, starts)
    order = np.lexsort((np.arange(len(group)), -remainder, index))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(starts, sizes)
    whole += (rank < left[index]).astype(np.int64)
    # `left` can exceed the rows or be negative only by float error on huge amounts: settle it on the first rows.
    rest = size[starts] - np.add.reduceat(whole, starts)
    whole[starts] += rest
    return np.sign(amounts_cents) * whole
