"""What two directory rows say of being one company: each feature a mask over pairs, its docstring what people read.

The rows come as columns, a pair as two positions in them; texts are compared as numbers (equal text, equal number).
"""

from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc
from rapidfuzz.distance import OSA

from scoring.resolve.pairs import LETTERS_FOR_SLIP, Bools, Pairs

_FORMS = frozenset(("有限公司", "有限责任公司", "股份有限公司", "股份公司", "公司"))

Feature = Callable[[Pairs], Bools]


def same_name(pairs: Pairs) -> Bools:
    """The same name, in whatever script, width and brackets."""
    return pairs.equal("name_key") & ~_any(pairs, "is_local_form") & _says_much(pairs)


def same_short_name(pairs: Pairs) -> Bools:
    """The same short name, without legal form and place."""
    return pairs.equal("name_key") & ~_any(pairs, "is_local_form") & ~_says_much(pairs)


def same_local_name(pairs: Pairs) -> Bools:
    """The same name of a shop or trader, such as every town has."""
    return pairs.equal("name_key") & _any(pairs, "is_local_form")


def other_name(pairs: Pairs) -> Bools:
    """The name of one is a former or short name of the other."""
    return pairs.shares("name") & ~pairs.equal("name_key") & ~english_name(pairs)


def english_name(pairs: Pairs) -> Bools:
    """The same English name, where at least one gives no Chinese one."""
    both_han = pairs.is_han[0] & pairs.is_han[1]
    return pairs.shares("name") & ~pairs.equal("name_key") & ~pairs.one_script & ~both_han


def same_parts(pairs: Pairs) -> Bools:
    """The same proper name, trade, branch and form, the place otherwise written."""
    is_same = _parts(pairs) & pairs.equal("region_code") & ~pairs.differ("form") & ~pairs.one_missing("form")
    return is_same | _same_bag(pairs)


def without_form(pairs: Pairs) -> Bools:
    """The same name, which one writes without its legal form."""
    is_same = _parts(pairs) & pairs.one_missing("form") & ~_region_conflict(pairs) & ~pairs.one_missing("region_code")
    return is_same | _stem_is_name(pairs)


def without_place(pairs: Pairs) -> Bools:
    """The same name, which one writes without its place or without the city of it."""
    is_same = _parts(pairs) & ~pairs.equal("region_code") & ~_region_conflict(pairs) & _has_region(pairs)
    return is_same & ~without_form(pairs)


def short_name(pairs: Pairs) -> Bools:
    """An abbreviation: the letters of the shorter name stand in the longer one, in their order."""
    shorter_lacks_form = np.where(
        pairs.lengths[0] <= pairs.lengths[1], pairs.numbers("form")[0] < 0, pairs.numbers("form")[1] < 0
    )
    fits = shorter_lacks_form | _branch_at_end(pairs)
    fits &= pairs.is_within & ~_parts(pairs) & ~_stem_is_name(pairs) & ~_same_bag(pairs)
    return fits & pairs.is_han[0]


def short_latin_name(pairs: Pairs) -> Bools:
    """One Latin name begins with the other; funds and subsidiaries of one house do too."""
    (one, other), where = pairs.texts("name_key"), pairs.one_script & ~pairs.is_han[0] & ~pairs.equal("name_key")
    begins = np.zeros(len(where), dtype=np.bool_)
    begins[where] = [
        min(len(left), len(right)) >= 5 and (left.startswith(right) or right.startswith(left))
        for left, right in zip(one[where], other[where], strict=True)
    ]
    return begins & ~_parts(pairs) & ~_stem_is_name(pairs) & ~_slip(pairs)


def slip_of_letter(pairs: Pairs) -> Bools:
    """One letter is lost, doubled or swapped with its neighbour."""
    same_length = pairs.lengths[0] == pairs.lengths[1]
    swapped = same_length & (pairs.slips == 1) & _same_letters(pairs)
    return np.asarray(_long(pairs) & (((pairs.slips == 1) & ~same_length) | swapped) & ~_named(pairs), dtype=np.bool_)


def letter_changed(pairs: Pairs) -> Bools:
    """One letter is another one: a slip, or another firm."""
    same_length = pairs.lengths[0] == pairs.lengths[1]
    is_other = (pairs.slips == 1) & same_length & ~_same_letters(pairs)
    return np.asarray(_long(pairs) & is_other & ~_named(pairs), dtype=np.bool_)


def nearly_same(pairs: Pairs) -> Bools:
    """A long name with two letters otherwise."""
    return np.asarray((pairs.slips == 2) & (np.minimum(*pairs.lengths) >= 10) & ~_named(pairs), dtype=np.bool_)


def two_names(pairs: Pairs) -> Bools:
    """Names in two scripts, of which neither says what the other is."""
    return ~pairs.one_script & ~pairs.shares("name")


def unreached(pairs: Pairs) -> Bools:
    """Names in two scripts without a telephone, mail address or domain in common."""
    reached = pairs.shares("phone") | pairs.shares("email") | pairs.shares("domain")
    return two_names(pairs) & ~reached & ~pairs.equal("registration_no") & ~pairs.equal("organisation_code")


def registration(pairs: Pairs) -> Bools:
    """The same registration number."""
    return pairs.equal("registration_no")


def organisation(pairs: Pairs) -> Bools:
    """The same organisation code, which stands inside the credit code too."""
    return pairs.equal("organisation_code")


def english(pairs: Pairs) -> Bools:
    """The same English name beside their own."""
    return pairs.shares("english") & pairs.one_script & ~pairs.equal("name_key")


def phone(pairs: Pairs) -> Bools:
    """The same telephone number, which few others have."""
    return pairs.shares("phone")


def email(pairs: Pairs) -> Bools:
    """The same mail address."""
    return pairs.shares("email")


def domain_in_name(pairs: Pairs) -> Bools:
    """The shared domain begins like the name in Latin letters."""
    (one, other), (one_label, other_label) = pairs.texts("name_key"), pairs.texts("label")
    where = pairs.shares("domain") & ~pairs.one_script
    found = np.zeros(len(where), dtype=np.bool_)
    found[where] = [
        any(len(label) >= 4 and (label[:6] in name or label[:6] in twin) for label in (left, right))
        for name, twin, left, right in zip(one[where], other[where], one_label[where], other_label[where], strict=True)
    ]
    return found


def domain(pairs: Pairs) -> Bools:
    """The same web or mail domain, which few others have."""
    return pairs.shares("domain")


def address(pairs: Pairs) -> Bools:
    """The same address to the house number."""
    return pairs.shares("address")


def representative(pairs: Pairs) -> Bools:
    """The same legal representative."""
    return pairs.equal("legal_representative")


def founded(pairs: Pairs) -> Bools:
    """Founded on the same day."""
    return pairs.equal("founded_on")


def capital(pairs: Pairs) -> Bools:
    """The same registered capital."""
    return pairs.equal("capital")


def same_city(pairs: Pairs) -> Bools:
    """In the same city."""
    return pairs.equal("city")


def same_province(pairs: Pairs) -> Bools:
    """In the same province or country, where one does not say the city."""
    return pairs.equal("place") & ~pairs.equal("city") & ~pairs.differ("city")


def other_city(pairs: Pairs) -> Bools:
    """In two cities of one province."""
    return pairs.differ("city") & ~pairs.differ("place")


def other_province(pairs: Pairs) -> Bools:
    """In two provinces or countries."""
    return pairs.differ("place")


def other_founding_day(pairs: Pairs) -> Bools:
    """Founded on two days."""
    return pairs.differ("founded_on")


def other_representative(pairs: Pairs) -> Bools:
    """Two legal representatives."""
    return pairs.differ("legal_representative")


def other_domain(pairs: Pairs) -> Bools:
    """Two web domains of their own, which differ in more than the ending."""
    differ = pairs.differ("domain") & ~pairs.equal("label")
    return differ & ~pairs.shares("email") & ~pairs.shares("domain")


def shop_unsaid(pairs: Pairs) -> Bools:
    """One is a shop or trader, the other does not say so."""
    return pairs.one_script & pairs.one_missing("form") & _any(pairs, "is_local_form")


def other_english(pairs: Pairs) -> Bools:
    """One writes only the English name, and the other's English name is another one."""
    where = two_names(pairs) & pairs.differ("english")
    one, other = pairs.texts("english")
    found = np.zeros(len(where), dtype=np.bool_)
    found[where] = [
        OSA.distance(left, right) > 2 and not left.startswith(right) and not right.startswith(left)
        for left, right in zip(one[where], other[where], strict=True)
    ]
    return found


def registrations_differ(pairs: Pairs) -> Bools:
    """Two registration numbers."""
    return pairs.differ("registration_no")


def organisations_differ(pairs: Pairs) -> Bools:
    """Two organisation codes."""
    return pairs.differ("organisation_code")


def branches_differ(pairs: Pairs) -> Bools:
    """A company and its branch, or two branches."""
    differs = pairs.differ("branch") | pairs.one_missing("branch")
    return pairs.one_script & differs & ~_slip(pairs) & ~_alias(pairs) & ~_branch_at_end(pairs) & ~_same_bag(pairs)


def forms_differ(pairs: Pairs) -> Bools:
    """Two legal forms."""
    garbled = _slip(pairs) & (_holds(pairs, "form", "公司") | (pairs.lengths[0] != pairs.lengths[1]))
    explained = _alias(pairs) | _stem_is_name(pairs) | garbled | _branch_at_end(pairs)
    return np.asarray(pairs.one_script & pairs.differ("form") & ~explained, dtype=np.bool_)


def places_differ(pairs: Pairs) -> Bools:
    """Two places in the names."""
    # The head office's place in front, the firm's own in brackets.
    in_brackets = _parts(pairs) & pairs.equal("region_code") & pairs.differ("letters") & pairs.differ("city")
    return pairs.one_script & (_region_conflict(pairs) | in_brackets) & ~_alias(pairs) & ~_same_bag(pairs)


def numbers_differ(pairs: Pairs) -> Bools:
    """Other numbers or points of the compass in the names (一厂, 二厂)."""
    turned = pairs.differ("compass") & (pairs.slips == 1) & (pairs.lengths[0] == pairs.lengths[1])
    lost = pairs.one_missing("numerals") & (pairs.slips != 1) & ~short_name(pairs)
    other = pairs.differ("numerals") | lost | turned
    return np.asarray(pairs.one_script & other & ~_alias(pairs) & ~pairs.equal("name_key"), dtype=np.bool_)


def trades_differ(pairs: Pairs) -> Bools:
    """One proper name in two trades: sister firms."""
    is_sister = pairs.one_script & pairs.equal("core") & pairs.differ("word")
    shortened = pairs.is_within & (pairs.one_missing("form") | (pairs.slips == 1))
    return np.asarray(is_sister & ~shortened & ~_alias(pairs) & ~pairs.equal("name_key"), dtype=np.bool_)


def names_differ(pairs: Pairs) -> Bools:
    """Two names that have nothing to do with each other."""
    in_english = pairs.shares("english") & ~(pairs.is_han[0] & pairs.is_han[1])
    return pairs.one_script & ~_related(pairs) & ~_alias(pairs) & ~in_english


def _alias(pairs: Pairs) -> Bools:
    return pairs.shares("name")


def _any(pairs: Pairs, column: str) -> Bools:
    values = np.asarray(pairs.rows[column].to_numpy(), dtype=np.bool_)
    return values[pairs.a] | values[pairs.b]


def _says_much(pairs: Pairs) -> Bools:
    """The name says a legal form, a place or a branch; a Latin one says enough by itself."""
    return ~pairs.is_han[0] | (pairs.numbers("form")[0] >= 0) | _has_region(pairs) | (pairs.numbers("branch")[0] >= 0)


def _stem_is_name(pairs: Pairs) -> Bools:
    """One name is the other without its legal form, letter by letter."""
    (name, other_name_key), (stem, other_stem) = pairs.texts("name_key"), pairs.texts("stem")
    is_stem = ((name == other_stem) | (other_name_key == stem)) & pairs.one_script
    # Half a form is said to be none: 集团 of 集团有限公司.
    where = pairs.is_within & pairs.differ("form")
    is_stem[where] = [
        (left.startswith(right) and left[len(right) :] in _FORMS)
        or (right.startswith(left) and right[len(left) :] in _FORMS)
        for left, right in zip(name[where], other_name_key[where], strict=True)
    ]
    return np.asarray(is_stem, dtype=np.bool_)


def _same_bag(pairs: Pairs) -> Bools:
    """The same letters in another order: a place that moved into brackets or out of them."""
    return pairs.equal("letters") & pairs.one_script & ~pairs.equal("name_key") & _long(pairs)


def _branch_at_end(pairs: Pairs) -> Bools:
    """The shorter name ends in the branch of the longer one, and stands in it otherwise too."""
    (one, other), (branch, other_branch) = pairs.texts("name_key"), pairs.texts("branch")
    ends = np.zeros(len(one), dtype=np.bool_)
    where = pairs.is_within & (branch != other_branch)
    ends[where] = [
        bool(mine or theirs) and left.endswith(mine or theirs) and right.endswith(mine or theirs)
        for left, right, mine, theirs in zip(one[where], other[where], branch[where], other_branch[where], strict=True)
    ]
    return ends


def _holds(pairs: Pairs, column: str, text: str) -> Bools:
    one, other = pairs.texts(column)
    return np.asarray((one == text) | (other == text), dtype=np.bool_)


def _parts(pairs: Pairs) -> Bools:
    """Proper name, trade and branch are the same, the whole names are not."""
    is_same = pairs.equal("core") & ~pairs.differ("word") & ~pairs.one_missing("word")
    return (
        is_same & ~pairs.differ("branch") & ~pairs.one_missing("branch") & ~pairs.equal("name_key") & pairs.one_script
    )


def _has_region(pairs: Pairs) -> Bools:
    one, other = pairs.numbers("region_code")
    return (one >= 0) | (other >= 0)


def _region_conflict(pairs: Pairs) -> Bools:
    """Places in the names of which neither lies in the other."""
    codes = pc.fill_null(pairs.rows["region_code"], "")
    short = np.asarray(pc.replace_substring_regex(codes, "(00)+$", "").to_pylist(), dtype="U6")
    one, other = short[pairs.a], short[pairs.b]
    return ~(np.char.startswith(one, other) | np.char.startswith(other, one))


def _long(pairs: Pairs) -> Bools:
    return np.asarray(np.minimum(*pairs.lengths) >= LETTERS_FOR_SLIP)


def _same_letters(pairs: Pairs) -> Bools:
    one, other = pairs.texts("name_key")
    near = pairs.slips == 1
    same = np.zeros(len(near), dtype=np.bool_)
    same[near] = [sorted(left) == sorted(right) for left, right in zip(one[near], other[near], strict=True)]
    return same


def _slip(pairs: Pairs) -> Bools:
    return (pairs.slips <= 1) & _long(pairs)


def _named(pairs: Pairs) -> Bools:
    """Already explained by its parts or by another name."""
    return _parts(pairs) | _alias(pairs) | short_name(pairs) | _stem_is_name(pairs) | _same_bag(pairs)


def _related(pairs: Pairs) -> Bools:
    is_near = _slip(pairs) | nearly_same(pairs)
    return (
        pairs.equal("name_key")
        | _parts(pairs)
        | short_name(pairs)
        | short_latin_name(pairs)
        | is_near
        | _stem_is_name(pairs)
        | _same_bag(pairs)
    )
