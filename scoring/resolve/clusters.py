"""Which directory rows are one company: rows tied by codes and judged pairs, strongest first, never across two codes.

Ties are taken by their strength, the strongest first; at each, clusters that are tied become one, unless that would
put two valid codes, or two rows that are known to be apart, into one. There a cluster goes with the one side that it is
tied to alone, and stays by itself where it is tied to several. So no chain ever ties two codes, the weakest tie gives
way, and the outcome depends neither on the order nor on the landing days of the rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NO_CODE = -1
# What a pair is: one company; one company with what would tell namesakes apart known on both sides; two as far as is
# known, which a sure link outweighs; two whatever else agrees.
LINK, LINK_SURE, APART_SO_FAR, APART = 1, 2, -1, -2


@dataclass(frozen=True)
class Ties:
    """Pairs of rows as positions: `a`, `b`; `verdict`; `strength` of links, the larger the stronger."""

    a: Ints
    b: Ints
    strength: Ints
    verdict: Ints

    def pairs(self, mask: Bools) -> tuple[Ints, Ints]:
        """The positions of some."""
        return self.a[mask], self.b[mask]


def cluster_rows(codes: Ints, ties: Ties) -> Ints:
    """The position of the first row of each row's cluster.

    `codes`: one number per row, equal for equal valid codes, NO_CODE without. Rows of one code are one cluster, always.

    Source: spec 02-directory (resolve), 11-faults E02, V17.
    """
    cluster = _by_code(codes)
    for strength in np.unique(ties.strength[ties.verdict > 0])[::-1]:
        cluster = _joined(cluster, codes, ties, strength)
    return cluster


def components(size: int, a: Ints, b: Ints) -> Ints:
    """The number of each position's component."""
    # Imported here: most days tie nothing anew, and importing SciPy takes as long as all else such a day does here.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int64)


def _by_code(codes: Ints) -> Ints:
    first = np.arange(len(codes), dtype=np.int64)
    _, where, group = np.unique(codes, return_index=True, return_inverse=True)
    return np.where(codes == NO_CODE, first, where[group])


def _joined(cluster: Ints, codes: Ints, ties: Ties, strength: int) -> Ints:
    """The clusters after the ties of one strength."""
    tied = ties.pairs((ties.verdict > 0) & (ties.strength == strength))
    a, b = _distinct(cluster[tied[0]], cluster[tied[1]])
    nodes = np.unique(np.concatenate([a, b]))
    if not len(nodes):
        return cluster
    a, b = np.searchsorted(nodes, a), np.searchsorted(nodes, b)
    conflicts = _conflicts(cluster, nodes, ties)
    code = _codes_of(cluster, codes, nodes)
    direct = np.isin(a * len(nodes) + b, conflicts[0] * len(nodes) + conflicts[1])
    direct |= (code[a] != code[b]) & (code[a] != NO_CODE) & (code[b] != NO_CODE)
    a, b = a[~direct], b[~direct]
    keep = _unambiguous(len(nodes), a, b, code, conflicts)
    group = components(len(nodes), a[keep], b[keep])
    first = np.full(group.max() + 1, len(cluster), dtype=np.int64)
    np.minimum.at(first, group, nodes)
    renamed = np.arange(len(cluster), dtype=np.int64)
    renamed[nodes] = first[group]
    return renamed[cluster]


def _distinct(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Pairs once, the smaller first, without pairs of one with itself."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    size = int(high.max(initial=0)) + 1
    pairs = np.unique(low[low != high] * size + high[low != high])
    return pairs // size, pairs % size


def _conflicts(cluster: Ints, nodes: Ints, ties: Ties) -> tuple[Ints, Ints]:
    """Pairs of `nodes`, as positions in them, that must not be one."""
    apart = _inside(cluster, nodes, ties.pairs(ties.verdict == APART))
    so_far = _inside(cluster, nodes, ties.pairs(ties.verdict == APART_SO_FAR))
    sure = _inside(cluster, nodes, ties.pairs(ties.verdict == LINK_SURE))
    keys = np.union1d(apart, np.setdiff1d(so_far, sure))
    return keys // len(nodes), keys % len(nodes)


def _inside(cluster: Ints, nodes: Ints, pairs: tuple[Ints, Ints]) -> Ints:
    """The pairs of `nodes` that pairs of rows stand for, each as one number."""
    a, b = _distinct(cluster[pairs[0]], cluster[pairs[1]])
    known = np.isin(a, nodes) & np.isin(b, nodes)
    return np.searchsorted(nodes, a[known]) * len(nodes) + np.searchsorted(nodes, b[known])


def _codes_of(cluster: Ints, codes: Ints, nodes: Ints) -> Ints:
    """The code of each node's cluster."""
    held = np.full(len(cluster), NO_CODE, dtype=np.int64)
    coded = codes != NO_CODE
    held[cluster[coded]] = codes[coded]
    return held[nodes]


def _unambiguous(size: int, a: Ints, b: Ints, code: Ints, conflicts: tuple[Ints, Ints]) -> Bools:
    """Which ties hold: all where no conflict would come of it; else those of nodes tied to one side alone."""
    keep = np.ones(len(a), dtype=np.bool_)
    bad = _broken(components(size, a, b), code, conflicts)
    if not bad.any():
        return keep
    # A side is a node with a code, or one that is known to be apart from another of its component.
    group = components(size, a, b)
    inside = group[conflicts[0]] == group[conflicts[1]]
    is_side = code != NO_CODE
    is_side[conflicts[0][inside]] = True
    is_side[conflicts[1][inside]] = True
    sides = _sides_reached(size, a, b, is_side)
    one_of_both = is_side[a] != is_side[b]
    inner = np.where(is_side[a], b, a)
    with_its_side = one_of_both & (sides[inner] == 1)
    among_free = ~is_side[a] & ~is_side[b] & (sides[a] == 0) & (sides[b] == 0)
    keep = ~bad[a] | with_its_side | among_free
    # What still breaks, a longer chain, gives way altogether.
    still = _broken(components(size, a[keep], b[keep]), code, conflicts)
    return np.asarray(keep & ~still[a], dtype=np.bool_)


def _broken(group: Ints, code: Ints, conflicts: tuple[Ints, Ints]) -> Bools:
    """Whether each node's component holds two codes or two nodes that must be apart."""
    count = int(group.max(initial=-1)) + 1
    bad = np.zeros(count, dtype=np.bool_)
    coded = code != NO_CODE
    pairs = np.unique(np.stack([group[coded], code[coded]]), axis=1)
    bad[np.bincount(pairs[0], minlength=count) > 1] = True
    same = group[conflicts[0]] == group[conflicts[1]]
    bad[group[conflicts[0][same]]] = True
    return np.asarray(bad[group], dtype=np.bool_)


def _sides_reached(size: int, a: Ints, b: Ints, is_side: Bools) -> Ints:
    """How many sides each other node is tied to."""
    node, side = np.concatenate([a, b]), np.concatenate([b, a])
    return np.asarray(np.bincount(node[is_side[side] & ~is_side[node]], minlength=size), dtype=np.int64)
