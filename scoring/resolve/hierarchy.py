"""Which account belongs to which: parents made into trees, circles cut and named, the ultimate parent of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Deeper than this is a chain of mistakes, not a group of companies. Source: spec 11-faults E03.
MAX_DEPTH = 20


@dataclass(frozen=True)
class Hierarchy:
    """`accounts`: account_id, parent_account_id, ultimate_parent_id, depth, evidence; one row per child.
    `cuts`: account_id, parent_account_id, evidence, rule (parent-circle, parent-depth), members (ids in the circle)."""

    accounts: pa.Table
    cuts: pa.Table


def make_hierarchy(claims: pa.Table) -> Hierarchy:
    """Trees from claimed parents: account_id (each once), parent_account_id, evidence, strength (1 is the strongest).

    In every circle the weakest claim gives way, of equal ones that of the largest account id; an account that stands
    more than MAX_DEPTH below the top becomes a top itself. Each account has one ultimate parent; roll-ups always end.

    Source: spec 02-directory (hierarchy), 11-faults E03.
    """
    ids, child, parent = _numbered(claims)
    up = np.arange(len(ids), dtype=np.int64)
    up[child] = parent
    strength = np.zeros(len(ids), dtype=np.int64)
    strength[child] = claims["strength"].to_numpy()
    cut, circles = _weakest_of_circles(up, strength)
    up[cut] = cut
    _, depth = _tops(up)
    deep = np.flatnonzero((depth > 0) & (depth % (MAX_DEPTH + 1) == 0))
    up[deep] = deep
    top, depth = _tops(up)
    kept = up[child] != child
    accounts = {
        "account_id": ids.take(child[kept]),
        "parent_account_id": ids.take(up[child[kept]]),
        "ultimate_parent_id": ids.take(top[child[kept]]),
        "depth": pa.array(depth[child[kept]], pa.int32()),
        "evidence": claims["evidence"].filter(kept).combine_chunks(),
    }
    return Hierarchy(pa.table(accounts), _cut_table(claims, ids, (child, cut, circles), deep))


def _numbered(claims: pa.Table) -> tuple[pa.Array, Ints, Ints]:
    """All account ids in order, and child and parent of each claim as positions in them."""
    both = pa.concat_arrays([claims["account_id"].combine_chunks(), claims["parent_account_id"].combine_chunks()])
    ids, position = np.unique(np.asarray(both.to_pylist(), dtype=object).astype(str), return_inverse=True)
    half = claims.num_rows
    return pa.array(ids.tolist(), pa.string()), position[:half], position[half:]


def _tops(up: Ints) -> tuple[Ints, Ints]:
    """Top and depth of each node, by doubling the step; in or under a circle: a node of the circle, and no depth."""
    top, depth = up.copy(), (up != np.arange(len(up))).astype(np.int64)
    for _ in range(max(len(up), 1).bit_length()):
        depth = depth + depth[top]
        top = top[top]
    return top, depth


def _weakest_of_circles(up: Ints, strength: Ints) -> tuple[Ints, list[Ints]]:
    """For each circle the node whose claim gives way, and the nodes of the circle; circles are few, so one by one."""
    top, _ = _tops(up)
    waiting = set(np.unique(top[up[top] != top]).tolist())
    alone = np.flatnonzero((up == np.arange(len(up))) & (strength > 0))  # claims to be its own parent
    cut: list[int] = alone.tolist()
    circles: list[Ints] = [alone[i : i + 1] for i in range(len(alone))]
    while waiting:
        start = min(waiting)
        circle = [start]
        while up[circle[-1]] != start:
            circle.append(int(up[circle[-1]]))
        waiting.difference_update(circle)
        cut.append(max(circle, key=lambda node: (int(strength[node]), node)))
        circles.append(np.asarray(circle, dtype=np.int64))
    return np.asarray(cut, dtype=np.int64), circles


def _cut_table(claims: pa.Table, ids: pa.Array, circles: tuple[Ints, Ints, list[Ints]], deep: Ints) -> pa.Table:
    """The claims that gave way, with the rule and, for a circle, all its accounts."""
    child, cut, members = circles
    nodes = np.concatenate([cut, deep])
    claim = np.zeros(len(ids), dtype=np.int64)
    claim[child] = np.arange(len(child))
    gone = claims.take(pa.array(claim[nodes]))
    named = [ids.take(circle).to_pylist() for circle in members] + [[ids[int(node)].as_py()] for node in deep]
    return pa.table(
        {
            "account_id": gone["account_id"],
            "parent_account_id": gone["parent_account_id"],
            "evidence": gone["evidence"],
            "rule": pa.array(["parent-circle"] * len(cut) + ["parent-depth"] * len(deep), pa.string()),
            "members": pa.array(named, pa.list_(pa.string())),
        }
    )
