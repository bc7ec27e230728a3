"""What the judge weighs, pair by pair: numbers, each named, the first line of each saying what it measures."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import JaroWinkler, Postfix
from rapidfuzz.process import cpdist

from scoring.match.said import form_kind, numerals, said_by, trade, where_both
from scoring.match.sides import Column
from scoring.match.slips import LIKE
from scoring.match.weighed import Numbers, Weighed, scored

_MEASURES: dict[str, Callable[[Weighed], Numbers]] = {}


def measure(function: Callable[[Weighed], Numbers]) -> Callable[[Weighed], Numbers]:
    """Take the function into the matrix, as the next column."""
    _MEASURES[function.__name__] = function
    return function


def measure_names() -> list[str]:
    """The columns of the matrix, in order."""
    return list(_MEASURES)


def measured(weighed: Weighed) -> np.ndarray:
    """The matrix of all measures: one row per pair, one column per measure."""
    matrix = np.empty((len(weighed.pairs), len(_MEASURES)), np.float32)
    for column, function in enumerate(_MEASURES.values()):
        matrix[:, column] = function(weighed)
    return matrix


@measure
def stem_ratio(weighed: Weighed) -> Numbers:
    """How alike proper name and trade are."""
    return weighed.compared.ratio


@measure
def core_ratio(weighed: Weighed) -> Numbers:
    """How alike the proper names are."""
    return weighed.core_ratio


@measure
def name_ratio(weighed: Weighed) -> Numbers:
    """How alike the whole names are."""
    return weighed.key_ratio


@measure
def beginning_alike(weighed: Weighed) -> Numbers:
    """How alike proper name and trade are, their beginnings counting most."""
    return scored(weighed.compared.given.stem, weighed.compared.account.stem, JaroWinkler.normalized_similarity, 1)


@measure
def given_in_order(weighed: Weighed) -> Numbers:
    """Share of what is given that stands in the account's name in this order."""
    return weighed.covered


@measure
def account_in_order(weighed: Weighed) -> Numbers:
    """Share of the account's proper name and trade that stands in what is given in this order."""
    return weighed.stem_common / np.maximum(weighed.compared.account_length, 1)


@measure
def common_beginning_of_given(weighed: Weighed) -> Numbers:
    """Share of what is given that both begin with."""
    return weighed.compared.prefix / np.maximum(weighed.compared.given_length, 1)


@measure
def common_beginning_of_account(weighed: Weighed) -> Numbers:
    """Share of the account's proper name and trade that both begin with."""
    return weighed.compared.prefix / np.maximum(weighed.compared.account_length, 1)


@measure
def common_ending(weighed: Weighed) -> Numbers:
    """How many characters both end with."""
    ending = cpdist(weighed.compared.given.stem, weighed.compared.account.stem, scorer=Postfix.similarity)
    return np.asarray(ending, np.float32)


@measure
def stem_errors(weighed: Weighed) -> Numbers:
    """Slips between proper names and trades."""
    return np.minimum(weighed.compared.stem_errors, 20)


@measure
def name_errors(weighed: Weighed) -> Numbers:
    """Slips between the whole names."""
    return np.minimum(weighed.compared.key_errors, 20)


@measure
def given_units_shared(weighed: Weighed) -> Numbers:
    """Share of the given words or characters, by rarity, that the account's name has."""
    return weighed.shared.of_given


@measure
def account_units_shared(weighed: Weighed) -> Numbers:
    """Share of the account's words or characters, by rarity, that are given."""
    return weighed.shared.of_account


@measure
def grams_shared(weighed: Weighed) -> Numbers:
    """How many rare pieces the names share (cosine)."""
    return weighed.pairs.cosine


@measure
def same_core(weighed: Weighed) -> Numbers:
    """The proper name 字号 is the same."""
    return weighed.same_core_as_given


@measure
def is_same_name(weighed: Weighed) -> Numbers:
    """The whole names are the same."""
    return weighed.pairs.via["name"]


@measure
def is_one_slip(weighed: Weighed) -> Numbers:
    """The names are the same but for one character: 1, in the same city 2."""
    return _via(weighed, "slip") + 2 * _via(weighed, "slip_place")


@measure
def sounds_alike(weighed: Weighed) -> Numbers:
    """The names sound alike in Mandarin: 1, in the same province 2."""
    return _via(weighed, "sound") + 2 * _via(weighed, "sound_place")


@measure
def same_latin_letters(weighed: Weighed) -> Numbers:
    """The same Latin words but for their spaces 2; one name stands in the other in whole words 1."""
    return 2 * _via(weighed, "letters") + _via(weighed, "phrase")


@measure
def words_begin_alike(weighed: Weighed) -> Numbers:
    """The first two words begin alike, as abbreviated words do."""
    return _via(weighed, "starts")


@measure
def is_acronym(weighed: Weighed) -> Numbers:
    """One name is the other's acronym."""
    return _via(weighed, "initials")


@measure
def is_romanised(weighed: Weighed) -> Numbers:
    """One name is the other in Mandarin letters (huawei, 华为)."""
    return _via(weighed, "romanised")


@measure
def is_short_name(weighed: Weighed) -> Numbers:
    """A short name whose characters stand in the account's name in this order."""
    return _via(weighed, "short")


@measure
def given_length(weighed: Weighed) -> Numbers:
    """Length of what is given without region and form."""
    return weighed.compared.given_length


@measure
def account_length(weighed: Weighed) -> Numbers:
    """Length of the account's proper name and trade."""
    return weighed.compared.account_length


@measure
def given_core_length(weighed: Weighed) -> Numbers:
    """Length of the given proper name."""
    return _by_side(weighed.given.core, weighed.pairs.given, pc.utf8_length)


@measure
def account_core_length(weighed: Weighed) -> Numbers:
    """Length of the account's proper name."""
    return _by_side(weighed.accounts.core, weighed.pairs.account, pc.utf8_length)


@measure
def given_is_chinese(weighed: Weighed) -> Numbers:
    """What is given is Chinese."""
    return weighed.compared.is_han


@measure
def region_levels(weighed: Weighed) -> Numbers:
    """How far the regions in the names agree: province, city, district; below zero where they do not."""
    return weighed.compared.regions


@measure
def place_levels(weighed: Weighed) -> Numbers:
    """How far the contact's place and the account's agree; below zero where they do not."""
    return weighed.compared.places


@measure
def regions_stated(weighed: Weighed) -> Numbers:
    """Which of the two names states a region."""
    return said_by(weighed.compared.given.region, weighed.compared.account.region)


@measure
def places_stated(weighed: Weighed) -> Numbers:
    """Which of the two has a place of its own."""
    return said_by(weighed.compared.given.place, weighed.compared.account.place)


@measure
def forms_agree(weighed: Weighed) -> Numbers:
    """Legal forms: the same 3, one of them not said 1 or 2, none said 0, different -1."""
    one, other = weighed.compared.given.form, weighed.compared.account.form
    stated = said_by(one, other)
    return np.where(stated == 3, np.where(one == other, 3, -1), stated)


@measure
def given_form(weighed: Weighed) -> Numbers:
    """Kind of the given legal form."""
    return form_kind(weighed.given.form)[weighed.pairs.given]


@measure
def account_form(weighed: Weighed) -> Numbers:
    """Kind of the account's legal form."""
    return form_kind(weighed.accounts.form)[weighed.pairs.account]


@measure
def branches_agree(weighed: Weighed) -> Numbers:
    """Branches: the same 3, one of them no branch 1 or 2, neither 0, different -1."""
    one, other = weighed.compared.given.branch, weighed.compared.account.branch
    stated = said_by(one, other)
    return np.where(stated == 3, np.where(one == other, 3, -1), stated)


@measure
def branch_ratio(weighed: Weighed) -> Numbers:
    """How alike the words for the branch are."""
    return where_both(weighed.compared.given.branch, weighed.compared.account.branch)


@measure
def trade_ratio(weighed: Weighed) -> Numbers:
    """How alike the words for the trade are."""
    rows, of_account = np.unique(weighed.pairs.account, return_inverse=True)
    other = trade(weighed.accounts.stem[rows], weighed.accounts.core[rows])[of_account]
    return where_both(trade(weighed.given.stem, weighed.given.core)[weighed.pairs.given], other)


@measure
def numerals_agree(weighed: Weighed) -> Numbers:
    """Numbers in the names: the same 1, none 0, different -1."""
    one = numerals(weighed.bare_key)[weighed.pairs.given]
    rows, of_account = np.unique(weighed.pairs.account, return_inverse=True)
    other = numerals(weighed.accounts.key[rows])[of_account]
    return np.where((one == "") & (other == ""), 0, np.where(one == other, 1, -1))


@measure
def candidates(weighed: Weighed) -> Numbers:
    """How many accounts were looked at."""
    return np.diff(weighed.groups, append=len(weighed.pairs))[weighed.group_of]


@measure
def candidates_of_same_core(weighed: Weighed) -> Numbers:
    """How many of them have the given proper name."""
    return weighed.summed(weighed.same_core_as_given)


@measure
def candidates_of_same_stem(weighed: Weighed) -> Numbers:
    """How many of them have the given proper name and trade."""
    return weighed.summed(weighed.same_stem_as_given)


@measure
def candidates_holding_given(weighed: Weighed) -> Numbers:
    """How many of them hold all that is given, in order."""
    return weighed.summed(weighed.covered >= 1)


@measure
def ratio_ahead(weighed: Weighed) -> Numbers:
    """How far the proper name and trade are more alike than those of the best other."""
    return weighed.ahead(weighed.compared.ratio)


@measure
def name_ahead(weighed: Weighed) -> Numbers:
    """How far the whole name is more alike than that of the best other."""
    return weighed.ahead(weighed.key_ratio)


@measure
def grams_ahead(weighed: Weighed) -> Numbers:
    """How far more rare pieces are shared than with the best other."""
    return weighed.ahead(weighed.pairs.cosine)


@measure
def given_units_ahead(weighed: Weighed) -> Numbers:
    """How far more of what is given is found than in the best other."""
    return weighed.ahead(weighed.shared.of_given)


@measure
def account_units_ahead(weighed: Weighed) -> Numbers:
    """How far less of the account's name is left over than of the best other."""
    return weighed.ahead(weighed.shared.of_given + weighed.shared.of_account)


@measure
def place_ahead(weighed: Weighed) -> Numbers:
    """How far the place agrees better than that of the best other."""
    return weighed.ahead((weighed.compared.places + weighed.compared.regions).astype(np.float32))


@measure
def namesakes_of_account(weighed: Weighed) -> Numbers:
    """How many accounts have this account's proper name and trade (logarithm)."""
    return np.log1p(weighed.rarity.stems_of(weighed.compared.account.stem))


@measure
def core_shared_by(weighed: Weighed) -> Numbers:
    """How many accounts have this account's proper name (logarithm)."""
    return np.log1p(weighed.rarity.cores_of(weighed.compared.account.core))


@measure
def given_core_shared_by(weighed: Weighed) -> Numbers:
    """How many accounts have the given proper name (logarithm)."""
    return np.log1p(weighed.rarity.cores_of(weighed.given.core))[weighed.pairs.given]


@measure
def slip_kind(weighed: Weighed) -> Numbers:
    """All but one character agree: it sounds the same 5, looks alike 4, sounds nearly the same 3, looks somewhat alike
    2, neither 1; otherwise 0.
    """
    return weighed.compared.slip_kind


@measure
def slip_place(weighed: Weighed) -> Numbers:
    """Where that character stands: before the account's proper name 1, in it 2, behind it 3."""
    return weighed.compared.slip_place


@measure
def candidates_a_slip_away(weighed: Weighed) -> Numbers:
    """How many of the candidates sound or look alike but for such a character."""
    return weighed.summed(weighed.compared.slip_kind >= LIKE)


def _via(weighed: Weighed, key: str) -> Numbers:
    return weighed.pairs.via[key].astype(np.float32)


def _by_side(column: Column, rows: np.ndarray, function: Callable[[pa.Array], pa.Array]) -> Numbers:
    return np.asarray(function(pa.array(column, pa.string())).to_numpy(zero_copy_only=False))[rows]
