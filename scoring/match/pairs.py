"""Pairs to be judged: contact profiles joined to accounts by keys, by abbreviation and by rare grams.

Each pair says by what it met (`via`), which is evidence of its own:

- code, crm_id, domain, phone: the same code, id, domain, number; name: the same whole name; alias: the name given is
  one of the account's other names
- stem: the same name but for region, form and branch; core: the same proper name
- core_place: the same proper name in the same province (of the name or of the row's fields)
- slip, slip_place: the stems are the same but for one character of either (typed wrongly, left out, too many, changed
  places with its neighbour); slip_place in the same city, where stems need not be as rare
- sound, sound_place: the stems sound alike in Mandarin (also z and zh, n and l, in and ing); sound_place the proper
  names, in the same province
- letters: the same Latin words but for their spaces; phrase: the Latin name of one stands in that of the other, in
  whole words; starts: the first two Latin words begin alike, as abbreviated words do; initials: one is the other's
  acronym
- romanised: one is the other's Chinese proper name in Mandarin letters (huawei, 华为)
- label: the domains are the same but for their endings (abnova.com, abnova.com.tw); brand: the domain of one is the
  other's name in letters, or its acronym
- short: the characters of a short Chinese name stand in the account's name in this order (江特电机, 江西特种电机)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.abbreviations import AbbreviationRule, WholeNames, find_abbreviated
from scoring.match.epoch import Epoch
from scoring.match.grams import GramRule, Grams, asked_grams, bits_for, nearest
from scoring.match.hashing import Hashes, Rows, distinct
from scoring.match.keys import NEAR_JOINS, SURE_JOINS, Join, SideKeys, join_keys
from scoring.match.sides import Column, Side
from scoring.names.buffers import Texts, positions
from scoring.names.text import fold_names, is_han
from scoring.names.words import load_words
from scoring.policies.match import Candidates

Met = tuple[Rows, Rows]
_SHORT = "short"
_CLOSING = ("code", "crm_id", "name")  # who met an account by these is looked for no further
CLOSED = 2.0


@dataclass(frozen=True)
class Directory:
    """The accounts' side; `aliases` and `domains` as (key, row) columns, since an account has several."""

    side: Side
    aliases: tuple[Column, Rows]
    domains: tuple[Column, Rows]


@dataclass(frozen=True)
class Pairs:
    """Rows of the given side (`given`) and of the directory (`account`), each pair once, in their order.

    `via` says by what the two met, see above; `cosine` is that of their grams, 0 where they met otherwise alone.
    """

    given: np.ndarray
    account: np.ndarray
    via: dict[str, np.ndarray]
    cosine: np.ndarray

    def __len__(self) -> int:
        return len(self.given)

    def taken(self, rows: np.ndarray) -> "Pairs":
        """Those rows."""
        via = {name: flags[rows] for name, flags in self.via.items()}
        return Pairs(self.given[rows], self.account[rows], via, self.cosine[rows])


def collect_pairs(
    given: Side,
    bare_key: Column,
    directory: Directory,
    rule: Candidates,
    most_shared: int,
    epoch: Epoch | None = None,
) -> Pairs:
    """All pairs worth judging. Domains and phones held by more than `most_shared` accounts bring none.

    Whoever met an account by its whole name, a code or an id is not looked for further. Without an epoch what is rare
    is counted in the directory given.
    """
    accounts = directory.side
    asked = SideKeys(given, np.arange(len(given)), {"name": both_names(given, bare_key)})
    held = held_keys(directory)
    most = {"domain": most_shared, "phone": most_shared} | dict(rule.most_shared.items())
    met = _met(SURE_JOINS, asked, held, most)
    met = {via: _kept_apart(found, given, accounts) for via, found in met.items()}
    open_rows = open_rows_of(len(given), met)
    met |= _met(NEAR_JOINS, SideKeys(given, open_rows, {}), held, most)
    spoken = spoken_names(given, bare_key, open_rows)
    texts = gram_texts(directory)
    bits = epoch.grams.bits if epoch else bits_for(texts.texts)
    grams = Grams.of(texts.texts, bits)
    counted = epoch or Epoch.of(grams, bits, accounts.key)
    identity = identities(accounts.ids)
    names = DistinctTexts.of(short_names(spoken), open_rows)
    short = AbbreviationRule(rule.short_most_shared, rule.short_per_name, counted.accounts)
    wholes = WholeNames(_arrow(accounts.key), _arrow(accounts.stem), identity)
    met[_SHORT] = names.spread(find_abbreviated(names.texts, wholes, counted.characters, counted.grams, short))
    spelled = DistinctTexts.of(_chosen_texts(given.stem[open_rows], spoken), open_rows)
    by_grams = gram_rule(rule)
    looked_for = asked_grams(spelled.texts, counted.grams, by_grams)
    lengths = grams.lengths(counted.grams)
    one, text, cosine = nearest(looked_for, grams, lengths, identity[texts.rows], counted.grams, by_grams)
    again, rows = spelled.holders(one)
    pairs = _union(met, (rows, texts.rows[text[again]], cosine[again]), len(accounts))
    pairs = pairs.taken(_apart(pairs.given, pairs.account, given, accounts))
    return pairs.taken(_near_enough(pairs, by_grams.least_of_best))


def gram_rule(rule: Candidates) -> GramRule:
    """How far candidates are looked for by grams."""
    return GramRule(rule.max_frequency, rule.grams_per_name, rule.per_name, rule.least_cosine, rule.least_of_best)


def _near_enough(pairs: Pairs, least_of_best: float) -> Rows:
    """All but those whom grams alone brought together, and far less of them than the best of the contact shares."""
    if not len(pairs):
        return np.zeros(0, np.int64)
    met = np.logical_or.reduce([pairs.cosine <= 0, *pairs.via.values()])
    return np.flatnonzero(met | (pairs.cosine >= least_of_best * _best_cosine(pairs)))


def _best_cosine(pairs: Pairs) -> np.ndarray:
    """The greatest cosine of the contact, pair by pair."""
    starts = np.flatnonzero(np.diff(pairs.given, prepend=-1))
    return np.repeat(np.maximum.reduceat(pairs.cosine, starts), np.diff(starts, append=len(pairs)))


def _kept_apart(met: Met, given: Side, accounts: Side) -> Met:
    rows = _apart(*met, given, accounts)
    return met[0][rows], met[1][rows]


def _apart(one: Rows, other: Rows, given: Side, accounts: Side) -> Rows:
    """Which of these may meet: all but a rehearsed contact and the accounts of the name it is to do without."""
    if not (given.apart != "").any():
        return np.arange(len(one))
    return np.flatnonzero(given.apart[one] != accounts.key[other])


@dataclass(frozen=True)
class GramTexts:
    """The texts of accounts whose grams are looked at, and the rows of the accounts."""

    texts: Column
    rows: Rows


def gram_texts(directory: Directory) -> GramTexts:
    """Whole Chinese names and the stems of others, then the accounts' other names."""
    accounts = directory.side
    texts = np.concatenate([_chosen_texts(accounts.stem, accounts.key), directory.aliases[0]])
    return GramTexts(texts, np.concatenate([np.arange(len(accounts)), directory.aliases[1]]))


def held_keys(directory: Directory) -> SideKeys:
    """The keys of the accounts."""
    rows = np.arange(len(directory.side))
    named = {"name": (directory.side.key, rows), "alias": directory.aliases, "domain": directory.domains}
    return SideKeys(directory.side, rows, named)


def _arrow(texts: Column) -> pa.Array:
    return pa.array(texts, pa.string())


def identities(ids: Column) -> np.ndarray:
    """A number from 0 to 1 for each account id, by which equals are told apart whatever their order."""
    numbers = Hashes(Texts.of(pa.array(ids, pa.string()))).wholes()
    shares: np.ndarray = numbers.astype(np.float64) / float(1 << 64)
    return shares


def open_rows_of(size: int, met: dict[str, Met]) -> Rows:
    """Rows that met nobody by a whole name, a code or an id."""
    found = np.zeros(size, bool)
    for via in _CLOSING:
        found[met[via][0]] = True
    return np.flatnonzero(~found)


def both_names(given: Side, bare_key: Column) -> tuple[Column, Rows]:
    rows = np.arange(len(given))
    return np.concatenate([given.key, bare_key]), np.concatenate([rows, rows])


def _met(joins: tuple[Join, ...], asked: SideKeys, held: SideKeys, most: dict[str, int]) -> dict[str, Met]:
    """By what rows of the two sides meet; each kind of the accounts' keys is made once."""
    met: dict[str, list[Met]] = {}
    for kind in dict.fromkeys(join.account for join in joins):
        keys = held.of(kind, asked.bases(kind))
        for join in joins:
            if join.account == kind:
                met.setdefault(join.via, []).append(join_keys(asked.of(join.given), keys, most.get(join.via)))
    return {
        via: (np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found]))
        for via, found in met.items()
    }


def spoken_names(given: Side, bare_key: Column, rows: Rows) -> Column:
    """Whole names for comparison, also those that say only a place or a trade (東台, 測繪股份): a short name may."""
    keys = bare_key[rows].copy()
    blank = np.flatnonzero(keys == "")
    folded = np.array([name.replace(" ", "") for name in fold_names(given.names[rows[blank]].tolist())], object)
    placeholders = {word.replace(" ", "") for word in fold_names(list(load_words().placeholders))}
    keys[blank] = ["" if name in placeholders else name for name in folded]
    return keys


def short_names(names: Column) -> Column:
    """Names without the legal form, the share class and the mark of special treatment that short names bear."""
    bare = pc.replace_substring_regex(pa.array(names, pa.string()), r"^(?:s?st|xd|xr|dr|n|c)(\p{Han})", r"\1")
    bare = pc.replace_substring_regex(bare, r"(?:集团|控股|股份|有限|责任|公司|ky|u|w|uw|vu|a|b|h|r|s|sw|dr|cdr)+$", "")
    return np.asarray(bare.to_numpy(zero_copy_only=False), object)


def looked_for_texts(given: Side, bare_key: Column) -> Column:
    """The texts of contacts whose grams are looked for."""
    return _chosen_texts(given.stem, spoken_names(given, bare_key, np.arange(len(given))))


def _chosen_texts(stems: Column, keys: Column) -> Column:
    texts = Texts.of(pa.array(stems, pa.string()))
    is_latin = (texts.counts(is_han(texts.codes)) == 0) & (texts.lengths > 0)
    chosen: Column = np.where(is_latin, stems, keys)
    return chosen


@dataclass(frozen=True)
class DistinctTexts:
    """The texts to look up once each, and the rows that hold them."""

    texts: Column
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, texts: Column, rows: Rows) -> "DistinctTexts":
        filled = np.flatnonzero(texts != "")
        which, distinct = pd.factorize(texts[filled], sort=True)
        order = np.argsort(which, kind="stable")
        starts = np.searchsorted(which[order], np.arange(len(distinct) + 1))
        return cls(np.asarray(distinct, object), rows[filled[order]], starts)

    def holders(self, texts: Rows) -> tuple[Rows, Rows]:
        """(place in `texts`, row that holds that text)."""
        counts = self.starts[texts + 1] - self.starts[texts]
        again = np.repeat(np.arange(len(texts)), counts)
        return again, self.order[positions(self.starts[texts], self.starts[texts + 1])]

    def spread(self, found: Met) -> Met:
        """What texts met as what the rows that hold them met."""
        again, rows = self.holders(found[0])
        return rows, found[1][again]


def reach_of(pairs: Pairs, contacts: int, rule: Candidates) -> np.ndarray:
    """The cosine below which an account is no candidate of a contact, however near others are; `CLOSED` where none is
    by grams, since a whole name, a code or an id has decided.
    """
    near = np.flatnonzero(pairs.cosine > 0)
    order = near[np.lexsort((-pairs.cosine[near], pairs.given[near]))]
    rank = np.arange(len(order)) - np.searchsorted(pairs.given[order], pairs.given[order])
    reach = np.full(contacts, rule.least_cosine)
    last = order[rank == rule.per_name - 1]
    reach[pairs.given[last]] = pairs.cosine[last]
    first = order[rank == 0]
    reach[pairs.given[first]] = np.maximum(reach[pairs.given[first]], rule.least_of_best * pairs.cosine[first])
    for via in _CLOSING:
        reach[pairs.given[pairs.via[via]]] = CLOSED
    return reach


def _union(met: dict[str, Met], grams: tuple[Rows, Rows, np.ndarray], accounts: int) -> Pairs:
    """Each pair once, with what it met by; of several cosines (of a name and an alias) the greatest."""
    codes = {name: rows * accounts + account for name, (rows, account) in met.items()}
    gram_codes = grams[0] * accounts + grams[1]
    every = distinct(np.concatenate([gram_codes, *codes.values()]))
    cosine = np.zeros(len(every))
    np.maximum.at(cosine, np.searchsorted(every, gram_codes), grams[2])
    via = {}
    for name, found in codes.items():
        via[name] = np.zeros(len(every), bool)
        via[name][np.searchsorted(every, found)] = True
    return Pairs(every // max(accounts, 1), every % max(accounts, 1), via, cosine)
