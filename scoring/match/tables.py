"""Matching from table to table: contact profiles and accounts in, decisions and candidates out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.blocks import InThisProcess, Mapper
from scoring.match.blocks import Block, in_blocks
from scoring.match.calibrate import kinds_of
from scoring.match.counts import Counts
from scoring.match.features import only
from scoring.match.judge import Judged, Ranked, judge_pairs, rank_pairs
from scoring.match.measures import measured
from scoring.match.model import MatchModel, load_model
from scoring.match.pairs import Directory, Pairs, collect_pairs, reach_of
from scoring.match.relation import relations
from scoring.match.sides import Column, Side, account_side, given_side
from scoring.match.weighed import Weighed, weigh
from scoring.names import parse_names
from scoring.policies.match import MatchPolicy

_EVIDENCE_HIDDEN = ("names_agree", "no_name", "is_near", "branch_or_company")
_KEYS_MET = ("code", "crm_id", "name", "alias", "domain", "phone")
_NEAR_RATIO = 0.7  # pairs as alike as this are kept to explain what was near
_NO_NAME, _NOTHING_NEAR, _NEW_ACCOUNT = "no_company_name", "nothing_near", "new_account_candidate"


@dataclass(frozen=True)
class Matches:
    """`decisions`: one row per contact. `candidates`: the nearest accounts of each, best first. `reach`: see
    `pairs.reach_of`; `kinds`: see `calibrate.kinds_of`. `tied`: whether accounts stood equal among those nearest, or
    the last of them with the next, so that the tie order says which are told.
    """

    decisions: pa.Table
    candidates: pa.Table
    reach: np.ndarray
    kinds: np.ndarray
    tied: np.ndarray


def match_tables(
    contacts: pa.Table,
    accounts: pa.Table,
    policy: MatchPolicy,
    counts: Counts | None = None,
    model: MatchModel | None = None,
    mapper: Mapper | None = None,
) -> Matches:
    """Decide for every contact which account it belongs to.

    contacts: contact_id and whatever is known of company_name, domain, phone, uscc, crm_account_id, province_code,
    city_code, district_code, city. accounts: account_id, name, and whatever is known of those, of domains (list),
    alias_keys (list of comparison keys) and of the columns of the tie order: has_open_deal, is_customer, is_target,
    contact_count, first_landed_on.

    counts: of the epoch; without, what is rare is counted in the accounts given. model: the judge, by default the one
    that ships. mapper: who judges the blocks of contacts, by default this process.

    decisions: contact_id, account_id, decision (auto, review, none), method, confidence (0..1), evidence (names of
    features), runner_up_account_id, margin, tie_break, relation (what the account is to the company named). A contact
    in review keeps its best account; one without a match has none.
    """
    given, bare_key = given_side(contacts)
    directory = directory_of(accounts)
    epoch, rarity = (counts.epoch, counts.rarity) if counts else (None, None)
    pairs = collect_pairs(given, bare_key, directory, policy.candidates, policy.most_shared, epoch)
    reach = reach_of(pairs, len(given), policy.candidates)
    ties = _tie_columns(accounts, policy)
    whole = Block(pairs, given, bare_key, directory.side, ties, policy, rarity, model)
    judged = (mapper or InThisProcess()).map(judge_block, in_blocks(whole, mapper.workers if mapper else 1))
    decisions = _with_why_none(pa.concat_tables([part.decisions for part in judged]), given)
    candidates = pa.concat_tables([part.candidates for part in judged])
    tied = np.concatenate([part.tied for part in judged])
    return Matches(decisions, candidates, reach, kinds_of(given), tied)


class JudgedBlock(NamedTuple):
    """As in `Matches`, of the contacts of a block."""

    decisions: pa.Table
    candidates: pa.Table
    tied: np.ndarray


def judge_block(block: Block) -> JudgedBlock:
    """What is said of the contacts of a block."""
    accounts, policy = block.accounts, block.policy
    weighed = weigh(block.pairs, block.given, block.bare_key, accounts, block.rarity)
    pairs, judged = _judged(weighed, policy, block.model or load_model())
    ties = {name: column[pairs.account] for name, column in block.ties.items()}
    ranked = rank_pairs(pairs.given, judged, lambda rows: _twins(accounts, pairs.account[rows]), ties)
    decisions = _decisions(block.given, pairs, judged, ranked, accounts, policy)
    decisions = _with_relation(decisions, block, pairs, ranked.order[ranked.rank == 0])
    tied = np.zeros(len(block.given), bool)
    tied[pairs.given[ranked.order[ranked.is_tied & (ranked.rank < policy.candidates_kept)]]] = True
    return JudgedBlock(decisions, _candidates(block.given, pairs, judged, ranked, accounts, policy), tied)


def find_pairs(contacts: pa.Table, accounts: pa.Table, policy: MatchPolicy) -> tuple[Pairs, Side, Directory]:
    """The pairs that would be judged, and the two sides their rows refer to."""
    given, bare_key = given_side(contacts)
    directory = directory_of(accounts)
    return collect_pairs(given, bare_key, directory, policy.candidates, policy.most_shared), given, directory


def _judged(weighed: Weighed, policy: MatchPolicy, model: MatchModel) -> tuple[Pairs, Judged]:
    """The pairs that keep a chance, or that a key or likeness brought together, judged."""
    kind = kinds_of(weighed.given)[weighed.pairs.given]
    chance = model.calibration.probability(model.chances(measured(weighed)), kind)
    met = np.logical_or.reduce([weighed.pairs.via[name] for name in _KEYS_MET])
    kept = np.flatnonzero(met | (chance >= policy.least_chance) | (weighed.compared.ratio >= _NEAR_RATIO))
    return weighed.pairs.taken(kept), judge_pairs(only(weighed.compared, kept), chance[kept], policy)


def directory_of(accounts: pa.Table) -> Directory:
    """The accounts' side with the keys of which an account has several."""
    side = account_side(accounts)
    rows = np.arange(len(side))
    aliases = _list_items(accounts, "alias_keys")
    domains = _list_items(accounts, "domains")
    own = (side.domain, rows)
    return Directory(side, aliases, (np.concatenate([domains[0], own[0]]), np.concatenate([domains[1], own[1]])))


def _list_items(table: pa.Table, column: str) -> tuple[Column, np.ndarray]:
    """(item, row) of a list column; nothing where the table has no such column."""
    if column not in table.column_names:
        return np.zeros(0, object), np.zeros(0, np.int64)
    lists = table[column].combine_chunks()
    items = pc.fill_null(pc.cast(pc.list_flatten(lists), pa.string()), "")
    said = pc.not_equal(items, "")
    rows = pc.list_parent_indices(lists).filter(said).to_numpy().astype(np.int64)
    return np.asarray(items.filter(said).to_numpy(zero_copy_only=False), object), rows


def _twins(side: Side, rows: np.ndarray) -> Any:
    """A number per row that is the same for accounts of one name in one province: one company written twice."""
    place: Any = np.where(side.place[rows] == "", side.region[rows], side.place[rows])
    key: Any = np.where(side.key[rows] == "", side.ids[rows], side.key[rows])
    provinces = place.astype("U2").astype(object)
    return pd.factorize(key + "|" + provinces)[0].astype(np.int64)


def _tie_columns(accounts: pa.Table, policy: MatchPolicy) -> dict[str, np.ndarray]:
    """Columns of the tie order, less is better; columns the table lacks decide nothing."""
    source = {
        "open_deal": ("has_open_deal", -1),
        "customer": ("is_customer", -1),
        "target": ("is_target", -1),
        "most_contacts": ("contact_count", -1),
        "oldest": ("first_landed_on", 1),
        "account_id": ("account_id", 1),
    }
    columns: dict[str, np.ndarray] = {}
    for tie in policy.tie_order:
        name, sign = source[tie]
        if name in accounts.column_names:
            ranks = pc.rank(accounts[name].combine_chunks(), sort_keys="ascending", tiebreaker="dense")
            columns[tie] = sign * ranks.to_numpy().astype(np.int64)
    return columns


def _decisions(
    given: Side, pairs: Pairs, judged: Judged, ranked: Ranked, accounts: Side, policy: MatchPolicy
) -> pa.Table:
    size = len(given)
    first = ranked.order[ranked.rank == 0]
    contact = pairs.given[first]
    equal = ranked.equal[ranked.rank == 0]
    confidence = np.zeros(size)
    # Of so many that stand equal one is right at most.
    confidence[contact] = np.minimum(judged.confidence[first], 1 / np.maximum(equal, 1))
    runner_up, margin = _runner_up(pairs, judged, ranked, accounts, confidence)
    account, method, tie, nobody = (np.full(size, None, object) for _ in range(4))
    methods = np.array([rule.method for rule in policy.rules], object)
    account[contact], method[contact] = accounts.ids[pairs.account[first]], methods[judged.rule[first]]
    tie[contact] = [name or None for name in ranked.tie_break[ranked.rank == 0]]
    guarded = np.zeros(size, bool)
    guarded[contact] = judged.guarded[first]
    decision = decide(confidence, guarded, policy.auto_from, policy.review_from)
    is_none = decision == "none"
    nearest = np.where(is_none & (account != None), account, runner_up)  # noqa: E711  (elementwise)
    return pa.table(
        {
            "contact_id": pa.array(given.ids, pa.string()),
            "account_id": pa.array(np.where(is_none, nobody, account), pa.string()),
            "decision": pa.array(decision, pa.string()),
            "method": pa.array(np.where(is_none, nobody, method), pa.string()),
            "confidence": np.round(confidence, 4),
            "evidence": _evidence(judged, first, contact, size),
            "runner_up_account_id": pa.array(nearest, pa.string()),
            "margin": np.round(margin, 4),
            "tie_break": pa.array(np.where(is_none, nobody, tie), pa.string()),
        }
    )


def _with_relation(decisions: pa.Table, block: Block, pairs: Pairs, first: np.ndarray) -> pa.Table:
    relation = np.full(len(block.given), None, object)
    contact = pairs.given[first]
    relation[contact] = relations(block.given, block.bare_key, block.accounts, (contact, pairs.account[first]))
    relation[np.asarray(pc.equal(decisions["decision"], "none"))] = None
    return decisions.append_column("relation", pa.array(relation, pa.string()))


def decide(confidence: np.ndarray, guarded: np.ndarray, auto_from: float, review_from: float) -> Any:
    """auto, review or none by confidence; what is guarded is asked for however sure."""
    is_auto = (confidence >= auto_from) & ~guarded
    return np.select([is_auto, confidence >= review_from], ["auto", "review"], "none")


def _runner_up(
    pairs: Pairs, judged: Judged, ranked: Ranked, accounts: Side, confidence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(account id, how far it lies behind) of the second of each contact; the whole confidence where there is none."""
    runner_up, margin = np.full(len(confidence), None, object), confidence.copy()
    is_second = ranked.rank == 1
    second = ranked.order[is_second]
    contact = pairs.given[second]
    runner_up[contact] = accounts.ids[pairs.account[second]]
    shared = np.minimum(judged.confidence[second], 1 / np.maximum(ranked.equal[is_second], 1))
    margin[contact] = np.maximum(confidence[contact] - shared, 0)
    return runner_up, margin


def _evidence(judged: Judged, rows: np.ndarray, places: np.ndarray, size: int) -> pa.Array:
    """Names of the features that these rows of the pairs have, as lists at rising `places` of `size`."""
    names = [name for name in judged.flags if name not in _EVIDENCE_HIDDEN]
    table = np.zeros((len(rows), len(names)), bool)
    for column, name in enumerate(names):
        table[:, column] = judged.flags[name][rows]
    counts = np.zeros(size + 1, np.int32)
    counts[places + 1] = table.sum(axis=1)
    said = pa.array(names, pa.string()).take(pa.array(np.nonzero(table)[1]))
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), said)


def _with_why_none(decisions: pa.Table, given: Side) -> pa.Table:
    """The method of those who have no match: why nobody was found."""
    is_none = pc.equal(decisions["decision"], "none").to_numpy()
    method = pc.if_else(pa.array(is_none), pa.array(_why_none(given, is_none), pa.string()), decisions["method"])
    return decisions.set_column(decisions.column_names.index("method"), "method", method)


def _why_none(given: Side, is_none: np.ndarray) -> Column:
    """No name, a plausible new company, or nothing near."""
    rows = np.flatnonzero(is_none)
    names = given.names[rows].tolist()
    plausible = parse_names(names)["is_company_name"].to_numpy(zero_copy_only=False)
    is_said = (given.form[rows] != "") | np.array([" " in name for name in names], bool)
    why = np.full(len(given), _NOTHING_NEAR, object)
    why[rows] = np.where(plausible & is_said, _NEW_ACCOUNT, _NOTHING_NEAR)
    return np.where(given.key == "", _NO_NAME, why).astype(object)


def _candidates(
    given: Side, pairs: Pairs, judged: Judged, ranked: Ranked, accounts: Side, policy: MatchPolicy
) -> pa.Table:
    near = ranked.rank < policy.candidates_kept
    rows = ranked.order[near]
    rules = np.array([rule.id for rule in policy.rules], object)
    return pa.table(
        {
            "contact_id": pa.array(given.ids[pairs.given[rows]], pa.string()),
            "account_id": pa.array(accounts.ids[pairs.account[rows]], pa.string()),
            "rank": ranked.rank[near] + 1,
            "score": judged.confidence[rows],
            "rule": pa.array(rules[judged.rule[rows]], pa.string()),
            "features": _evidence(judged, rows, np.arange(len(rows)), len(rows)),
        }
    )
