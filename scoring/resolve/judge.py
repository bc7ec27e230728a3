"""The judge of pairs: features add up to points; enough points and an agreeing name make two rows one company."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from scoring.resolve import features
from scoring.resolve.clusters import APART, APART_SO_FAR, LINK, LINK_SURE
from scoring.resolve.features import Feature
from scoring.resolve.pairs import Bools, Ints, Pairs

# The order is that of the bits of `reasons`; points come from the policy (directory.yaml).
NAMES: tuple[Feature, ...] = (
    features.same_name,
    features.same_short_name,
    features.same_local_name,
    features.other_name,
    features.english_name,
    features.same_parts,
    features.without_form,
    features.without_place,
    features.short_name,
    features.short_latin_name,
    features.slip_of_letter,
    features.letter_changed,
    features.nearly_same,
    features.two_names,
)
SUPPORT: tuple[Feature, ...] = (
    features.registration,
    features.organisation,
    features.english,
    features.phone,
    features.email,
    features.domain,
    features.domain_in_name,
    features.address,
    features.representative,
    features.founded,
    features.capital,
    features.same_city,
    features.same_province,
    features.other_city,
    features.other_province,
    features.other_founding_day,
    features.other_representative,
    features.other_domain,
    features.other_english,
    features.shop_unsaid,
    features.unreached,
)
CONFLICTS: tuple[Feature, ...] = (
    features.registrations_differ,
    features.organisations_differ,
    features.branches_differ,
    features.forms_differ,
    features.places_differ,
    features.numbers_differ,
    features.trades_differ,
    features.names_differ,
)
FEATURES = {feature.__name__: feature for feature in (*NAMES, *SUPPORT, *CONFLICTS)}
BITS = {name: 1 << place for place, name in enumerate(FEATURES)}
NAME_BITS = sum(BITS[feature.__name__] for feature in NAMES)
_CODE_POINTS = 20
_SURE_POINTS = 8


@dataclass(frozen=True)
class Judgement:
    """One per pair: points; reasons (bits of BITS); verdict (as in Ties, 0 where the pair says nothing); is_code
    (linked by a code that was mended)."""

    points: Ints
    reasons: Ints
    verdict: Ints
    is_code: Bools


def judge_pairs(pairs: Pairs, points: Mapping[str, float], link_from: float, link_unnamed_from: float) -> Judgement:
    """What the evidence of each pair adds up to.

    Names in two scripts need `link_unnamed_from` points, all others `link_from`. A conflict (two registration numbers,
    a branch and its company, two forms, places or numbers in the name, names that have nothing in common) keeps a pair
    apart whatever else agrees; so does, while nothing supports it, a namesake elsewhere, or a name one letter away.

    Source: spec 02-directory (resolve), 11-faults V16, V17, 14-matching-notes.
    """
    held = {name: feature(pairs) for name, feature in FEATURES.items()}
    reasons = np.zeros(len(pairs.a), dtype=np.int64)
    total = np.zeros(len(pairs.a))
    for name, mask in held.items():
        reasons |= np.where(mask, BITS[name], 0)
        total += np.where(mask, points.get(name, 0.0), 0.0)
    total -= np.where(held["email"] & held["domain"], points["email_and_domain"], 0.0)
    conflict = np.logical_or.reduce([held[feature.__name__] for feature in CONFLICTS[:-1]])
    conflict &= ~_sure(held)
    is_other = held["names_differ"] & ~_sure(held)
    is_code = pairs.shares("code") & pairs.equal("name_key")
    enough = total >= np.where(held["two_names"], link_unnamed_from, link_from)
    is_link = (enough & ~conflict & ~is_other) | is_code
    total = np.where(is_code, _CODE_POINTS, total)
    is_near = held["slip_of_letter"] | held["letter_changed"] | held["nearly_same"]
    is_elsewhere = (held["same_name"] | held["same_short_name"] | held["same_local_name"]) & pairs.differ("city")
    is_sure = is_near | held["same_city"] | held["other_city"] | held["other_province"] | (total >= _SURE_POINTS)
    verdict = np.select(
        [is_link & is_sure, is_link, conflict, is_near | is_elsewhere | is_other],
        [LINK_SURE, LINK, APART, APART_SO_FAR],
        0,
    )
    return Judgement(np.floor(total).astype(np.int64), reasons, verdict.astype(np.int64), is_code)


def _sure(held: Mapping[str, Bools]) -> Bools:
    """A number that only one company has outweighs what the names say, unless the other number speaks against it."""
    speaks_against = held["registrations_differ"] | held["organisations_differ"] | held["branches_differ"]
    return (held["registration"] | held["organisation"]) & ~speaks_against


def describe(reasons: Ints) -> pa.Array:
    """The reasons in words that point at the features: `same_name, phone, same_city`."""
    distinct, place = np.unique(reasons, return_inverse=True)
    words = [", ".join(name for name, bit in BITS.items() if value & bit) for value in distinct.tolist()]
    return pa.array(words, pa.string()).take(pa.array(place))
