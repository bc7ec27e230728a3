"""What two companies have in common, pair by pair. The first line of each feature says what it holds true."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, LCSseq, Prefix
from rapidfuzz.process import cpdist

from scoring.match.pairs import Pairs
from scoring.match.regions import regions_agree
from scoring.match.sides import Column, Side
from scoring.match.slips import LIKE, Names, SlipRows, Slips, slips_between

Flags = Any  # a NumPy array of booleans
_NUMERALS = "0123456789一二三四五六七八九十百"
_LONG_LATIN, _LONG_HAN = 13, 12  # letters, characters: an error of one is then unlikely to be another company
_LONG_CORE = 4  # characters: in a shorter proper name one character makes another name (银丰, 瑞丰)
_SHORT_CORE = 3
_FIRST_LETTERS = 3


@dataclass(frozen=True)
class Compared:
    """Both sides of the pairs as columns of equal length, and the measures that several features need."""

    given: Side
    account: Side
    bare_key: Column
    via: dict[str, np.ndarray]
    ratio: np.ndarray
    stem_errors: np.ndarray
    key_errors: np.ndarray
    common: np.ndarray
    prefix: np.ndarray
    given_length: np.ndarray
    account_length: np.ndarray
    is_han: np.ndarray
    regions: np.ndarray
    places: np.ndarray
    slip_kind: np.ndarray
    slip_place: np.ndarray
    slip_given: np.ndarray
    slip_is_odd: Flags


def compare(pairs: Pairs, given: Side, bare_key: Column, accounts: Side) -> Compared:
    """The pairs' columns side by side, measured in batches."""
    one, other = _taken(given, pairs.given), _taken(accounts, pairs.account)
    stems = (one.stem, other.stem)
    bare = bare_key[pairs.given]
    in_names, in_fields = regions_agree(one.region, other.region), regions_agree(one.place, other.place)
    compared = Compared(
        given=one,
        account=other,
        bare_key=bare,
        via=pairs.via,
        ratio=_measured(*stems, fuzz.ratio) / 100,
        stem_errors=_measured(*stems, OSA.distance),
        key_errors=_measured(bare, other.key, OSA.distance),
        common=_measured(one.stem, other.key, LCSseq.similarity),
        prefix=_measured(*stems, Prefix.similarity),
        given_length=_lengths(one.stem),
        account_length=_lengths(other.stem),
        is_han=_is_han(one.stem),
        regions=np.where(_both(one.region, other.region), in_names, regions_agree(one.region, other.place)),
        places=np.where(_both(one.place, other.place), in_fields, regions_agree(one.place, other.region)),
        slip_kind=np.zeros(0),
        slip_place=np.zeros(0),
        slip_given=np.zeros(0),
        slip_is_odd=np.zeros(len(bare), bool),
    )
    slips = _slips(compared)
    return replace(compared, slip_kind=slips.kind, slip_place=slips.place, slip_given=slips.given)


def _slips(pairs: Compared) -> Slips:
    """Where all but a character or two agree, what these are; two of three names are not looked at."""
    one, other = pairs.given, pairs.account
    equal_wholes, equal_bares = (
        (errors > 0) & (errors <= 2) & (_lengths(given) == _lengths(account))
        for errors, given, account in (
            (pairs.key_errors, pairs.bare_key, other.key),
            (pairs.stem_errors, one.stem, other.stem),
        )
    )
    rows = SlipRows(
        np.flatnonzero(pairs.is_han & (pairs.common == pairs.given_length - 1) & (pairs.given_length > 1)),
        np.flatnonzero(pairs.is_han & equal_wholes),
        np.flatnonzero(~pairs.is_han & equal_bares),
    )
    return slips_between(Names(pairs.bare_key, other.key, other.core), Names(one.stem, other.stem, other.core), rows)


def same_code(pairs: Compared) -> Flags:
    """The unified social credit code is the same."""
    return pairs.via["code"]


def same_crm_id(pairs: Compared) -> Flags:
    """The CRM's account id is the same."""
    return pairs.via["crm_id"]


def same_name(pairs: Compared) -> Flags:
    """The whole names are the same after normalisation."""
    return pairs.via["name"]


def same_alias(pairs: Compared) -> Flags:
    """The name given is a short, former, English or learnt name of the account."""
    return pairs.via["alias"]


def same_domain(pairs: Compared) -> Flags:
    """The mail or website domain is the account's own."""
    return pairs.via["domain"]


def same_phone(pairs: Compared) -> Flags:
    """The phone number is the account's own."""
    return pairs.via["phone"]


def same_label(pairs: Compared) -> Flags:
    """The mail or website domain is the account's own but for its ending."""
    return pairs.via["label"]


def same_stem(pairs: Compared) -> Flags:
    """Proper name and trade are the same; region and form aside."""
    return (pairs.given.stem == pairs.account.stem) & (pairs.given_length > 0)


def same_letters(pairs: Compared) -> Flags:
    """The words are the same but for the spaces between them."""
    flags = ~pairs.is_han & (pairs.ratio > 0.8)
    rows = np.flatnonzero(flags)
    flags[rows] = _unspaced(pairs.given.stem[rows]) == _unspaced(pairs.account.stem[rows])
    return flags


def same_core(pairs: Compared) -> Flags:
    """The proper name 字号 is the same."""
    return (pairs.given.core == pairs.account.core) & (pairs.given.core != "")


def begins_account_name(pairs: Compared) -> Flags:
    """What is given is the beginning of the account's name."""
    whole = (
        (pairs.prefix == pairs.given_length) & (pairs.given_length >= 2) & (pairs.account_length > pairs.given_length)
    )
    return _at_word_end(pairs.account.stem, pairs.given_length, whole & ~pairs.is_han) | (whole & pairs.is_han)


def account_name_begins(pairs: Compared) -> Flags:
    """What is given begins with the account's name and goes on."""
    whole = (pairs.prefix == pairs.account_length) & (pairs.account_length >= 2)
    asked = whole & ~pairs.is_han & (pairs.given_length > pairs.account_length)
    return _at_word_end(pairs.given.stem, pairs.account_length, asked)


def is_abbreviation(pairs: Compared) -> Flags:
    """The characters given stand in the account's name in this order (江特电机 in 江西特种电机)."""
    inside = (pairs.common == pairs.given_length) & (pairs.given_length >= 2)
    return inside & pairs.is_han & (_lengths(pairs.account.key) > pairs.given_length)


def swapped_letters(pairs: Compared) -> Flags:
    """Two neighbours have changed places; nothing else differs."""
    is_close = pairs.key_errors == 1
    flags = np.zeros(len(is_close), bool)
    rows = np.flatnonzero(is_close)
    flags[rows] = [sorted(pairs.bare_key[row]) == sorted(pairs.account.key[row]) for row in rows]
    # 平和 and 和平 are two names.
    is_short = (_lengths(pairs.given.core) == 2) & (_lengths(pairs.account.core) == 2)
    return flags & ~(is_short & (pairs.given.core != pairs.account.core))


def one_error_in_long_name(pairs: Compared) -> Flags:
    """A single character differs in a long name."""
    proper = same_core(pairs) | (_lengths(pairs.account.core) >= _LONG_CORE)
    han = pairs.is_han & (pairs.key_errors == 1) & (_lengths(pairs.bare_key) >= _LONG_HAN) & proper
    latin = ~pairs.is_han & (pairs.stem_errors == 1) & (pairs.account_length >= _LONG_LATIN)
    return han | (latin & (pairs.prefix >= _FIRST_LETTERS))


def one_error(pairs: Compared) -> Flags:
    """A single character differs: a slip or another company."""
    return (pairs.stem_errors == 1) | (pairs.key_errors == 1)


def alike(pairs: Compared) -> Flags:
    """The names are alike."""
    return (pairs.ratio >= 0.8) & (pairs.given_length > 2)


def shares_words(pairs: Compared) -> Flags:
    """Another word of the name is the same."""
    close = np.flatnonzero(~pairs.is_han & (pairs.ratio > 0.5))
    flags = np.zeros(len(pairs.ratio), bool)
    flags[close] = [not set(pairs.given.stem[row].split()).isdisjoint(pairs.account.stem[row].split()) for row in close]
    return flags


def region_agrees(pairs: Compared) -> Flags:
    """The region in the name agrees."""
    return pairs.regions > 0


def region_is_wider(pairs: Compared) -> Flags:
    """One name says a region, the other a place inside it (河南 against 平顶山): often two companies."""
    both = _both(pairs.given.region, pairs.account.region)
    return both & (pairs.regions > 0) & (pairs.given.region != pairs.account.region)


def region_differs(pairs: Compared) -> Flags:
    """The region in the name is another one."""
    return pairs.regions < 0


def place_agrees(pairs: Compared) -> Flags:
    """The contact is where the account is."""
    same_town = (pairs.given.town == pairs.account.town) & (pairs.given.town != "")
    return (pairs.places > 0) | ((pairs.places == 0) & same_town)


def place_differs(pairs: Compared) -> Flags:
    """The contact is in another city or province than the account."""
    return (pairs.places < 0) & ~(pairs.regions > 0)


def place_unlike_region(pairs: Compared) -> Flags:
    """The contact is elsewhere, although the region in the name agrees."""
    return (pairs.places < 0) & (pairs.regions > 0)


def form_differs(pairs: Compared) -> Flags:
    """The legal form is another one (股份有限公司 against 有限公司, group against company)."""
    one, other = pairs.given.form, pairs.account.form
    is_said = (one != "") & (other != "")
    return is_said & (one != other) & ~_is_loose(one, other) & ~_is_loose(other, one)


def branch_differs(pairs: Compared) -> Flags:
    """One is a branch of a company, the other the company or another branch."""
    return (pairs.given.branch != pairs.account.branch) & ~pairs.via["name"]


def branch_or_company(pairs: Compared) -> Flags:
    """One is a branch, the other is not."""
    return ((pairs.given.branch == "") != (pairs.account.branch == "")) & ~pairs.via["name"]


def shares_differ(pairs: Compared) -> Flags:
    """One is limited by shares, the other is not (股份有限公司 against 有限公司)."""
    is_said = (pairs.given.form != "") & (pairs.account.form != "") & pairs.is_han
    return is_said & (_holds(pairs.given.form, "股份") != _holds(pairs.account.form, "股份"))


def short_core_differs(pairs: Compared) -> Flags:
    """One character of a short proper name differs (华为 against 华微): a slip or another company."""
    one, other = pairs.given.core, pairs.account.core
    short = np.flatnonzero(
        pairs.is_han & (one != other) & (_lengths(one) <= _SHORT_CORE) & (_lengths(other) <= _SHORT_CORE)
    )
    flags = np.zeros(len(one), bool)
    errors = _measured(one[short], other[short], OSA.distance)
    flags[short] = (errors == 1) & (_lengths(one[short]) == _lengths(other[short]))
    return flags & ~pairs.via["name"]


def likely_slip(pairs: Compared) -> Flags:
    """The one character that differs sounds the same or looks alike: a slip of the keyboard or the eye."""
    return pairs.slip_kind >= LIKE


def odd_slip(pairs: Compared) -> Flags:
    """The character given in its stead sounds the same or looks alike, and hardly a company is called by it."""
    return likely_slip(pairs) & pairs.slip_is_odd


def only_a_slip(pairs: Compared) -> Flags:
    """Nothing but that one character differs in the whole names."""
    is_one = (pairs.key_errors == 1) & (_lengths(pairs.bare_key) == _lengths(pairs.account.key))
    return likely_slip(pairs) & is_one


def numerals_differ(pairs: Compared) -> Flags:
    """The numbers in the names differ (第一 against 第二)."""
    close = pairs.ratio > 0.5
    flags = np.zeros(len(close), bool)
    rows = np.flatnonzero(close & (pairs.stem_errors > 0))
    flags[rows] = _numerals(pairs.given.stem[rows]) != _numerals(pairs.account.stem[rows])
    return flags


def two_characters(pairs: Compared) -> Flags:
    """Only two characters are given, without trade, form or region."""
    return pairs.is_han & (pairs.given_length == 2) & (pairs.given.form == "") & (pairs.given.region == "")


def two_characters_of_many(pairs: Compared) -> Flags:
    """Only two characters are given, and the account is not limited by shares, as those known by two characters are."""
    return two_characters(pairs) & ~_holds(pairs.account.form, "股份")


def account_is_local(pairs: Compared) -> Flags:
    """The account's name has a place inside, as those of subsidiaries do, and what is given has none."""
    flags = (pairs.account.region != "") & (pairs.given.region == "")
    rows = np.flatnonzero(flags)
    keys, cores = pairs.account.key[rows], pairs.account.core[rows]
    flags[rows] = [key.startswith(core) for key, core in zip(keys, cores, strict=True)]
    return flags


def is_near(pairs: Compared) -> Flags:
    """The names share something rare."""
    return np.ones(len(pairs.ratio), bool)


def names_agree(pairs: Compared) -> Flags:
    """The names have enough in common, or are in scripts that cannot be compared."""
    cross_script = pairs.is_han != _is_han(pairs.account.stem)
    return cross_script | (pairs.ratio >= 0.5) | is_abbreviation(pairs) | same_core(pairs) | begins_account_name(pairs)


def no_name(pairs: Compared) -> Flags:
    """No company name was given."""
    return pairs.bare_key == ""


def only(pairs: Compared, rows: np.ndarray) -> Compared:
    """Those rows of the columns."""
    columns = {name: column[rows] for name, column in pairs.__dict__.items() if isinstance(column, np.ndarray)}
    via = {name: flags[rows] for name, flags in pairs.via.items()}
    return Compared(**columns, via=via, given=_taken(pairs.given, rows), account=_taken(pairs.account, rows))


def _holds(texts: Column, word: str) -> np.ndarray:
    found = pc.match_substring(pa.array(texts, pa.string()), word)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _taken(side: Side, rows: np.ndarray) -> Side:
    return Side(**{name: column[rows] for name, column in side.__dict__.items()})


def _measured(one: Column, other: Column, scorer: Callable[..., float]) -> np.ndarray:
    return np.asarray(cpdist(one, other, scorer=scorer), dtype=np.float64)


def _lengths(texts: Column) -> np.ndarray:
    return np.fromiter(map(len, texts), np.int64, len(texts))


def _is_han(texts: Column) -> np.ndarray:
    found = pc.match_substring_regex(pa.array(texts, pa.string()), r"\p{Han}")
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _unspaced(texts: Column) -> Column:
    return np.array([text.replace(" ", "") for text in texts], object)


def _at_word_end(texts: Column, lengths: np.ndarray, asked: Flags) -> Flags:
    """Where it is asked: the text ends, or a word of it, after so many letters."""
    flags = np.zeros(len(texts), bool)
    rows = np.flatnonzero(asked)
    both = zip(texts[rows], lengths[rows], strict=True)
    flags[rows] = [text[length : length + 1] in ("", " ") for text, length in both]
    return flags


def _numerals(texts: Column) -> Column:
    kept = pc.replace_substring_regex(pa.array(texts, pa.string()), f"[^{_NUMERALS}]+", "")
    return np.asarray(kept.to_numpy(zero_copy_only=False), object)


def _is_loose(one: Column, other: Column) -> np.ndarray:
    """公司 alone is a 有限公司 as well, 集团 any group."""
    any_company = (one == "公司") & (other == "有限公司")
    return np.asarray(any_company | ((one == "集团") & np.char.startswith(other.astype(str), "集团")), bool)


def _both(one: Column, other: Column) -> np.ndarray:
    return np.asarray((one != "") & (other != ""), bool)
