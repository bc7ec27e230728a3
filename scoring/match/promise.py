"""Matches that keep a promised precision in the directory at hand, rehearsed on contacts made from that directory.

A threshold chosen on one directory does not hold in another: the more companies, the more namesakes. So some accounts
are written down as people write them, a share of them as if the directory did not hold them, and matched with the rest.
How often those matches are right corrects the confidence of all; the threshold follows from the promise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.blocks import Mapper
from scoring.match.calibrate import Calibration, threshold_for
from scoring.match.model import MatchModel
from scoring.match.sides import Column
from scoring.match.tables import decide, match_tables
from scoring.match.training.noise import write_down
from scoring.names import parse_names
from scoring.policies.match import MatchPolicy

_MOST_REHEARSED = 1500
_LEAST_ACCOUNTS = 1000  # a smaller directory says too little of itself
_ABSENT, _EXACT, _WITH_PLACE = 0.25, 0.4, 0.6  # shares: without their account; of those written exactly; with a place
_MISTAKEN = 0.3  # of the share in training, where they are frequent to be learnt
_PARTS = ("name", "region", "core", "industry_word", "form", "branch")
_PLACE = ("province_code", "city_code", "district_code", "city")
_MARK = "\x00rehearsed "
# What a rule says is not for a rehearsal of names to correct.
_BY_RULE = ("code", "domain", "name", "alias", "phone", "domain_only")


@dataclass(frozen=True)
class Promised:
    """`decisions` as of `match_tables`; from which confidence on matches are taken, and the share expected right."""

    decisions: pa.Table
    threshold: float
    expected: float | None
    rehearsed: int


@dataclass(frozen=True)
class Rehearsed:
    """Matches whose confidence a rehearsal has corrected, before any promise: `guarded` are never taken unasked."""

    decisions: pa.Table
    confidence: np.ndarray
    guarded: np.ndarray
    contacts: int

    def promised(self, promise: float, review_from: float) -> Promised:
        """So many of them taken that `promise` of those are right (0..1)."""
        open_to_all = self.confidence[~self.guarded & _has_account(self.decisions)]
        threshold, expected = threshold_for(open_to_all, promise, review_from)
        decision = decide(self.confidence, self.guarded, threshold, review_from)
        return Promised(_decided(self.decisions, decision, self.confidence), threshold, expected, self.contacts)


@dataclass(frozen=True)
class _Rehearsal:
    """Contacts made from accounts, and the rows of those accounts."""

    contacts: pa.Table
    accounts: np.ndarray
    keys: Column


def match_promised(
    contacts: pa.Table,
    accounts: pa.Table,
    policy: MatchPolicy,
    promise: float,
    model: MatchModel | None = None,
    mapper: Mapper | None = None,
) -> Promised:
    """Decide as `match_tables` does, taking so many matches that `promise` of them are right (0..1)."""
    return match_rehearsed(contacts, accounts, policy, model, mapper).promised(promise, policy.review_from)


def match_rehearsed(
    contacts: pa.Table,
    accounts: pa.Table,
    policy: MatchPolicy,
    model: MatchModel | None = None,
    mapper: Mapper | None = None,
) -> Rehearsed:
    """Match as `match_tables` does; the confidence is what it was worth in contacts made from these accounts."""
    rehearsal = _rehearse(accounts)
    both = pa.concat_tables([contacts, rehearsal.contacts], promote_options="default")
    matches = match_tables(both, accounts, policy, model=model, mapper=mapper)
    found, kinds = matches.decisions, matches.kinds
    own, tried = slice(0, contacts.num_rows), slice(contacts.num_rows, None)
    learnt = _learnt(found.slice(contacts.num_rows), rehearsal, accounts, kinds[tried])
    decisions = found.slice(0, contacts.num_rows)
    confidence = _corrected(decisions, learnt, kinds[own])
    return Rehearsed(decisions, confidence, _guarded(decisions, policy), len(rehearsal.accounts))


def _rehearse(accounts: pa.Table) -> _Rehearsal:
    """Accounts chosen by the hash of their ids, so that the same directory gives the same rehearsal in any order."""
    if accounts.num_rows < _LEAST_ACCOUNTS:
        return _Rehearsal(
            pa.table({"contact_id": pa.array([], pa.string())}), np.zeros(0, np.int64), np.zeros(0, object)
        )
    ids = np.asarray(accounts["account_id"].to_numpy(zero_copy_only=False), object)
    hashes = pd.util.hash_array(ids, categorize=False)
    rows = np.argsort(hashes, kind="stable")[: min(_MOST_REHEARSED, accounts.num_rows // 10)]
    some = accounts.take(pa.array(rows))
    parsed = parse_names(some["name"]).select([*_PARTS, "name_key"]).to_pylist()
    chances = [np.random.default_rng(int(one)) for one in hashes[rows]]
    is_absent = np.array([chance.random() < _ABSENT for chance in chances], bool)
    with_place = pa.array([chance.random() < _WITH_PLACE for chance in chances])
    names = [
        _written({part: one[part] or "" for part in _PARTS}, chance, absent)
        for one, chance, absent in zip(parsed, chances, is_absent, strict=True)
    ]
    keys = np.array([one["name_key"] or "" for one in parsed], object)
    places = {name: pc.cast(some[name], pa.string()) for name in _PLACE if name in some.column_names}
    table = {
        "contact_id": pa.array([f"{_MARK}{at}" for at in range(len(rows))]),
        "company_name": pa.array(names, pa.string()),
        "apart": pa.array(np.where(is_absent, keys, "").astype(object), pa.string()),
        **{name: pc.if_else(with_place, column, None) for name, column in places.items()},
    }
    return _Rehearsal(pa.table(table), rows, keys)


def _written(parts: dict[str, str], chance: np.random.Generator, is_absent: bool) -> str:
    return parts["name"] if is_absent and chance.random() < _EXACT else write_down(parts, chance, _MISTAKEN)


def _learnt(found: pa.Table, rehearsal: _Rehearsal, accounts: pa.Table, kinds: np.ndarray) -> Calibration:
    """What confidence was worth among the rehearsed contacts for whom names decided."""
    if not found.num_rows:
        return Calibration()
    given = _has_account(found) & ~_by_rule(found)
    chosen = pc.index_in(found["account_id"], accounts["account_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    chosen = np.nan_to_num(chosen, nan=0).astype(np.int64)
    names = accounts["name"].take(pa.array(chosen))
    keys = np.array([key or "" for key in parse_names(names)["name_key"].to_pylist()], object)
    is_absent = np.asarray(rehearsal.contacts["apart"].to_numpy(zero_copy_only=False) != "", bool)
    is_right = (keys == rehearsal.keys) & _same_place(accounts, chosen, rehearsal.accounts) & ~is_absent
    confidence = found["confidence"].to_numpy()
    return Calibration().learnt_from(confidence[given], is_right[given], kinds[given])


def _same_place(accounts: pa.Table, one: np.ndarray, other: np.ndarray) -> Any:
    is_same = np.ones(len(one), bool)
    for name in _PLACE[:2]:
        if name in accounts.column_names:
            column = pc.fill_null(pc.cast(accounts[name], pa.string()), "")
            is_same &= pc.equal(column.take(pa.array(one)), column.take(pa.array(other))).to_numpy()
    return is_same


def _corrected(decisions: pa.Table, learnt: Calibration, kinds: np.ndarray) -> Any:
    """Confidence by the rehearsal; rising in what it was."""
    said = decisions["confidence"].to_numpy()
    probability = learnt.probability(said, kinds)
    return np.round(np.where(_by_rule(decisions) | (said <= 0), said, probability), 4)


def _by_rule(decisions: pa.Table) -> Any:
    return np.asarray(pc.is_in(decisions["method"], pa.array(_BY_RULE)).to_numpy(), bool)


def _has_account(decisions: pa.Table) -> Any:
    return np.array(pc.is_valid(decisions["account_id"]).to_numpy(), bool)


def _guarded(decisions: pa.Table, policy: MatchPolicy) -> Any:
    """What is never taken without asking, by its evidence."""
    evidence = decisions["evidence"].combine_chunks()
    said, row = pc.list_flatten(evidence), pc.list_parent_indices(evidence).to_numpy()

    def says(names: tuple[str, ...]) -> Any:
        flags = np.zeros(len(evidence), bool)
        flags[row[pc.is_in(said, pa.array(names, pa.string())).to_numpy(zero_copy_only=False)]] = True
        return flags

    held = [says((guard.when,)) & ~says(tuple(guard.unless)) for guard in policy.guards]
    return np.logical_or.reduce([np.zeros(len(evidence), bool), *held])


def _decided(decisions: pa.Table, decision: np.ndarray, confidence: np.ndarray) -> pa.Table:
    """The decisions made anew; who had no account has none."""
    made = pa.array(np.where(_has_account(decisions), decision, "none").astype(object), pa.string())
    at = decisions.column_names.index
    columns = decisions.set_column(at("decision"), "decision", made)
    return columns.set_column(at("confidence"), "confidence", pa.array(confidence))
