"""Which directory rows are one company: rows joined by shared keys, strongest first, never across two codes.

Rows and keys are the two sides of a graph. The kinds of keys are taken in the order of their strength; at each,
clusters that share a key become one, unless that would tie two valid codes together: there, a cluster without a code
goes with the one code it reaches first, and stays by itself where it reaches several at once. So no chain ever ties two
codes, the weakest tie gives way, and the outcome depends neither on the order nor on the landing days of the rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CODE = "code"
# Kinds that leave something open (the city, the place, the legal form, whose other name it is): rows that do not say it
# go with the one account that does. Where several do, rows that say the same province still agree with each other; rows
# of the other kinds do not.
AGREE_WHERE_AMBIGUOUS = {"name_province": True, "name": False, "stem": False, "other_name": False}
_NOBODY = -1
_CUT_SCHEMA = pa.schema({"n": "int64", "kind": "string", "key_n": "int64", "claimant_n": "int64", "claimants": "int64"})


@dataclass(frozen=True)
class Clusters:
    """`rows`: n, root_n (the smallest n of the cluster). `cuts`: n (a row of a cluster without code), kind, key_n,
    claimant_n (a row of a cluster that it was kept apart from), claimants (how many of those the key has)."""

    rows: pa.Table
    cuts: pa.Table


@dataclass(frozen=True)
class _Graph:
    """The distinct pairs of cluster and key of one kind.

    `members`: the clusters, as positions of their first rows, in order; `cluster`, `key`: one pair each, as positions
    in `members` and `keys`; `is_definite`: a row of the cluster that bears the key says what the kind leaves open.
    """

    members: Ints
    keys: Ints
    cluster: Ints
    key: Ints
    is_definite: Bools

    def where(self, mask: Bools) -> "_Graph":
        return _Graph(self.members, self.keys, self.cluster[mask], self.key[mask], self.is_definite[mask])


def cluster_rows(shared_keys: pa.Table) -> Clusters:
    """Clusters of the rows that share a key with another row.

    `shared_keys`: n (row number in naming order), kind, strength (1 is the strongest), key_n (names the key within its
    kind), is_definite, has_code (the row bears a valid code). Rows of one valid code are one cluster, always.

    Source: spec 02-directory (resolve), 11-faults E02, V17.
    """
    numbers, row = np.unique(_ints(shared_keys["n"]), return_inverse=True)
    keys, is_definite = _ints(shared_keys["key_n"]), _bools(shared_keys["is_definite"])
    coded_rows = np.unique(row[_bools(shared_keys["has_code"])])
    cluster = np.arange(len(numbers), dtype=np.int64)
    cuts = [_CUT_SCHEMA.empty_table()]
    for kind in _by_strength(shared_keys):
        mine = _bools(pc.equal(shared_keys["kind"], kind))
        graph = _graph(cluster[row[mine]], keys[mine], is_definite[mine])
        if kind == CODE:
            cluster = _merged(cluster, graph.members, _connected(graph))
            continue
        graph = _clear(graph, kind)
        is_coded = np.isin(graph.members, cluster[coded_rows])
        goes = _goes_with(graph, is_coded)
        cuts.append(_cuts(graph, goes, is_coded, kind, numbers))
        cluster = _merged(cluster, graph.members, _groups(graph, goes))
    return Clusters(pa.table({"n": numbers, "root_n": numbers[cluster]}), pa.concat_tables(cuts))


def _by_strength(shared_keys: pa.Table) -> list[str]:
    found = shared_keys.group_by(["strength", "kind"]).aggregate([]).sort_by("strength")
    return [str(kind) for kind in found["kind"].to_pylist()]


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _bools(column: pa.ChunkedArray) -> Bools:
    return np.asarray(column.to_numpy(), dtype=np.bool_)


def _graph(cluster: Ints, key: Ints, is_definite: Bools) -> _Graph:
    members, cluster = np.unique(cluster, return_inverse=True)
    keys, key = np.unique(key, return_inverse=True)
    pairs, pair = np.unique(key * len(members) + cluster, return_inverse=True)
    definite = np.bincount(pair, weights=is_definite, minlength=len(pairs)) > 0
    return _Graph(members, keys, pairs % max(len(members), 1), pairs // max(len(members), 1), definite)


def _clear(graph: _Graph, kind: str) -> _Graph:
    """Without the ties of rows that do not say what the kind leaves open, where more than one account may be meant."""
    if kind not in AGREE_WHERE_AMBIGUOUS:
        return graph
    bearers = np.bincount(graph.key, weights=graph.is_definite, minlength=len(graph.keys))
    keep = bearers[graph.key] <= 1
    return graph.where(keep | ~graph.is_definite if AGREE_WHERE_AMBIGUOUS[kind] else keep)


def _connected(graph: _Graph) -> Ints:
    """The number of each cluster's component."""
    clusters, keys = len(graph.members), len(graph.keys)
    edges = (np.ones(len(graph.key), dtype=np.int8), (graph.cluster, graph.key + clusters))
    joined = coo_matrix(edges, shape=(clusters + keys, clusters + keys))
    return np.asarray(connected_components(joined, directed=False)[1][:clusters], dtype=np.int64)


def _goes_with(graph: _Graph, is_coded: Bools) -> Ints:
    """For each cluster the position of the coded one it goes with: the first it reaches; NOBODY for none or several."""
    goes = np.where(is_coded, np.arange(len(is_coded)), _NOBODY)
    is_open = ~is_coded
    while True:
        low, high = _range_per(graph.key, goes[graph.cluster], len(graph.keys))
        low, _ = _range_per(graph.cluster, low[graph.key], len(is_open))
        _, high = _range_per(graph.cluster, high[graph.key], len(is_open))
        is_reached = is_open & (high != _NOBODY)
        if not is_reached.any():
            return goes
        goes = np.where(is_reached & (low == high), low, goes)
        is_open &= ~is_reached


def _range_per(index: Ints, values: Ints, size: int) -> tuple[Ints, Ints]:
    """Smallest and largest value that is not NOBODY, per index; NOBODY where there is none."""
    known = values != _NOBODY
    low, high = np.full(size, np.iinfo(np.int64).max), np.full(size, _NOBODY, dtype=np.int64)
    np.minimum.at(low, index[known], values[known])
    np.maximum.at(high, index[known], values[known])
    return np.where(high == _NOBODY, _NOBODY, low), high


def _groups(graph: _Graph, goes: Ints) -> Ints:
    """One number per new cluster: those that go with a code, and the components of those that go with nobody."""
    among_themselves = _connected(graph.where(goes[graph.cluster] == _NOBODY))
    return np.where(goes == _NOBODY, among_themselves + len(goes), goes)


def _merged(cluster: Ints, members: Ints, group: Ints) -> Ints:
    """The clusters anew, each named by its first row; `members` of one `group` are one cluster now."""
    groups, group = np.unique(group, return_inverse=True)
    first = np.full(len(groups), len(cluster), dtype=np.int64)
    np.minimum.at(first, group, members)
    renamed = np.arange(len(cluster), dtype=np.int64)
    renamed[members] = first[group]
    return renamed[cluster]


def _cuts(graph: _Graph, goes: Ints, is_coded: Bools, kind: str, numbers: Ints) -> pa.Table:
    """Where a cluster without a code shares a key with a code that it did not go with."""
    low, high = _range_per(graph.key, goes[graph.cluster], len(graph.keys))
    reached = goes[graph.cluster] != _NOBODY
    codes = np.unique(graph.key[reached] * len(goes) + goes[graph.cluster][reached]) // max(len(goes), 1)
    claimants = np.bincount(codes, minlength=len(graph.keys))[graph.key] - reached
    is_cut = ~is_coded[graph.cluster] & (claimants > 0)
    cluster, key = graph.cluster[is_cut], graph.key[is_cut]
    claimant = np.where(low[key] == goes[cluster], high[key], low[key])
    return pa.table(
        {
            "n": numbers[graph.members[cluster]],
            "kind": pa.array([kind] * len(cluster), pa.string()),
            "key_n": graph.keys[key],
            "claimant_n": numbers[graph.members[claimant]],
            "claimants": claimants[is_cut],
        }
    )
