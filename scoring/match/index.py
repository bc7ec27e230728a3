"""The index of a directory: its keys as rows of a table, so that those who may meet are found without reading it all.

A row says that an account holds a key: kind, number (32 bits of it: what is found so is looked at again), holder, and
for grams their part of the cosine. Contacts' keys have the same kinds and numbers. Whoever shares no row with a contact
is no candidate of it, so that matching against those who do gives what matching against all would.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from scoring.match.abbreviations import AbbreviationRule, WholeNames, find_abbreviated, find_holders
from scoring.match.epoch import Epoch
from scoring.match.grams import Grams, asked_grams
from scoring.match.hashing import Numbers, Rows
from scoring.match.keys import NEAR_JOINS, SURE_JOINS, SideKeys
from scoring.match.pairs import (
    Directory,
    both_names,
    gram_rule,
    gram_texts,
    held_keys,
    identities,
    looked_for_texts,
    short_names,
    spoken_names,
)
from scoring.match.sides import Column, Side
from scoring.policies.match import MatchPolicy

_JOINS = (*SURE_JOINS, *NEAR_JOINS)
KINDS = tuple(dict.fromkeys(join.account for join in _JOINS))
GRAM = len(KINDS)  # the kind of grams
# Kinds of keys that hang on fields of their own, not on name and place.
FIELD_KINDS = tuple(KINDS.index(kind) for kind in ("code", "crm_id", "domain", "phone", "label"))
SURE_KINDS = tuple(KINDS.index(join.account) for join in SURE_JOINS)
TEXTS_BITS = 10  # a holder is the account's number, then that of the text (its name, its other names) in so many bits
_UNBOUNDED = (1 << 31) - 1


def held_rows(
    directory: Directory, numbers: Rows, epoch: Epoch, kinds: tuple[int, ...] | None = None
) -> Iterator[pa.Table]:
    """The index rows (kind, number, holder, value) of these accounts, kind by kind; `numbers` are the accounts' own.

    Of all kinds, or of these alone.
    """
    held = held_keys(directory)
    for kind in range(len(KINDS)) if kinds is None else kinds:
        found, rows = held.of(KINDS[kind])
        yield _rows(kind, _short(found), numbers[rows] << TEXTS_BITS, np.zeros(len(rows), np.float32))
    if kinds is not None:
        return
    texts = gram_texts(directory)
    every = Grams.of(texts.texts, epoch.grams.bits)
    grams, lengths = every.once(), every.lengths(epoch.grams)
    holders = (numbers[texts.rows] << TEXTS_BITS) + _places_among_equals(texts.rows)
    value = epoch.grams.weight(grams.grams) / np.maximum(lengths, 1e-9)[grams.rows]
    yield _rows(GRAM, grams.grams, holders[grams.rows], value)


def asked_rows(given: Side, bare_key: Column, epoch: Epoch, policy: MatchPolicy) -> pa.Table:
    """What contacts ask the index for: kind, number, holder (the contact's row), value, most.

    `most` accounts at most may hold the key, else it finds nobody.
    """
    asked = SideKeys(given, np.arange(len(given)), {"name": both_names(given, bare_key)})
    most = {"domain": policy.most_shared, "phone": policy.most_shared} | dict(policy.candidates.most_shared.items())
    tables = []
    for join in _JOINS:
        numbers, rows = asked.of(join.given)
        found = _rows(KINDS.index(join.account), _short(numbers), rows, np.zeros(len(rows), np.float32))
        tables.append(_with_most(found, most.get(join.via, _UNBOUNDED)))
    rule = policy.candidates
    texts = looked_for_texts(given, bare_key)
    grams = asked_grams(texts, epoch.grams, gram_rule(rule))
    weight = epoch.grams.weight(grams.grams)
    known = np.where(epoch.grams.frequency[grams.grams] > 0, weight**2, 0)
    length = np.sqrt(np.bincount(grams.rows, weights=known, minlength=grams.size))
    value = weight / np.where(length > 0, length, 1)[grams.rows]
    tables.append(_with_most(_rows(GRAM, grams.grams, grams.rows, value), _UNBOUNDED))
    return pa.concat_tables(tables)


def short_names_of(given: Side, bare_key: Column) -> Column:
    """What each contact's name is as an abbreviation; "" where it is none."""
    return short_names(spoken_names(given, bare_key, np.arange(len(given))))


def abbreviated(
    shorts: Column, ids: pa.Array, keys: pa.Array, stems: pa.Array, epoch: Epoch, rule: AbbreviationRule
) -> tuple[Rows, Rows]:
    """(row of shorts, row of accounts): who may be meant by distinct short names, the likeliest of each."""
    names = WholeNames(keys, stems, identities(np.asarray(ids.to_numpy(zero_copy_only=False), object)))
    return find_abbreviated(shorts, names, epoch.characters, epoch.grams, rule)


def perhaps_abbreviated(shorts: Column, keys: pa.Array, epoch: Epoch, rule: AbbreviationRule) -> Rows:
    """Rows of the accounts that `abbreviated` looks at for these short names: those who have the rare characters."""
    return find_holders(shorts, keys, epoch.characters, epoch.grams, rule)[2]


def nearest_holders(asked: pa.Table, held: pa.Table, most: int) -> pa.Array:
    """The holders of the `most` greatest cosines of each row asked for; both tables are rows of grams."""
    from scipy import sparse
    from sparse_dot_topn import sp_matmul_topn

    if not asked.num_rows or not held.num_rows:
        return pa.array([], pa.int64())
    grams, of_held = np.unique(held["number"].to_numpy(), return_inverse=True)
    holders, columns = np.unique(held["holder"].to_numpy(), return_inverse=True)
    is_held = np.isin(asked["number"].to_numpy(), grams)
    numbers, rows, values = (asked[name].to_numpy()[is_held] for name in ("number", "holder", "value"))
    size = (int(asked["holder"].to_numpy().max()) + 1, len(grams))
    wanted = sparse.csr_matrix((values.astype(np.float64), (rows, np.searchsorted(grams, numbers))), shape=size)
    shape = (len(grams), len(holders))
    offered = sparse.csr_matrix((held["value"].to_numpy().astype(np.float64), (of_held, columns)), shape=shape)
    best = sp_matmul_topn(wanted, offered, top_n=most, sort=False).tocoo()
    return pa.array(holders[np.unique(best.col)])


def _short(numbers: Numbers) -> Numbers:
    return (numbers >> np.uint64(32)).astype(np.uint32)


def _rows(kind: int, numbers: Numbers, holders: Rows, values: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "kind": pa.repeat(pa.scalar(kind, pa.uint8()), len(numbers)),
            "number": pa.array(numbers.astype(np.uint32)),
            "holder": pa.array(holders.astype(np.int64)),
            "value": pa.array(values.astype(np.float32)),
        }
    )


def _with_most(rows: pa.Table, most: int) -> pa.Table:
    return rows.append_column("most", pa.repeat(pa.scalar(most, pa.int32()), rows.num_rows))


def _places_among_equals(rows: Rows) -> Rows:
    """0 for the first of equal numbers, 1 for the second, …"""
    order = np.argsort(rows, kind="stable")
    places = np.empty(len(rows), np.int64)
    places[order] = np.arange(len(rows)) - np.searchsorted(rows[order], rows[order])
    return places
