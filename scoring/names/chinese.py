"""Names in Chinese characters: region, core (字号), industry word, legal form and branch."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.places import place_codes, strip_places, strip_trailing_place
from scoring.names.slices import heads, tails
from scoring.names.text import fold_names
from scoring.names.words import load_words

_MIN_CORE = 2  # a proper name has two characters or more
_INDUSTRY_ROUNDS = 3
_PREPARING = (
    r"\((?:筹|筹备|筹建|筹备处|原[^()]*|曾用名[^()]*|[^()\p{Han}]*)\)"  # (筹), (原宏达), (BizLink Holding Inc.)
)
_ZONE = (
    r"^(?:国家)?(?:级)?(?:经济|高新|高新技术|经济技术|新技术)(?:产业|技术)?(?:开发区|产业园区|园区|区)"
    r"|^(?:\p{Han}{2})?(?:自贸区|保税区|工业园区?|开发区)"
)
_TOWN = r"^\p{Han}{2,3}?(?:镇|乡|街道)"


@dataclass(frozen=True)
class NameParts:
    """Columns of equal length; "" where a part is absent."""

    name_key: pa.Array
    region: pa.Array
    region_code: pa.Array
    core: pa.Array
    industry_word: pa.Array
    form: pa.Array
    branch: pa.Array


def parse_chinese(folded: pa.Array) -> NameParts:
    """Parts of folded Chinese names.

    The comparison key is the whole name without brackets and spaces, its legal form in canonical writing; it keeps the
    branch, so that a 分公司 never equals its company.
    """
    glued = pc.replace_substring(folded, " ", "")
    without_notes = pc.replace_substring_regex(glued, _PREPARING, "")
    glued = pc.if_else(pc.equal(pc.replace_substring_regex(without_notes, r"[()&]", ""), ""), glued, without_notes)
    bracket = pc.struct_field(pc.extract_regex(glued, r"\((?P<inside>[^()]{2,10})\)"), 0)
    bracket_code = pc.if_else(pc.equal(bracket, "中国"), "", place_codes(bracket))
    is_place = pc.is_valid(bracket_code)
    opened = pc.if_else(is_place, pc.replace_substring_regex(glued, r"\([^()]{2,10}\)", "", max_replacements=1), glued)
    head, branch = _split_branch(_plain(opened))
    stem, form, form_ending = _split_form(head)
    placed = strip_places(stem)
    named = _after_town(placed.rest, pc.not_equal(placed.text, ""))
    core, industry = _split_industry(named, stem)
    inside = strip_trailing_place(core, _MIN_CORE)
    keeps_place = pc.or_(pc.not_equal(placed.text, ""), is_place)
    core = pc.if_else(keeps_place, core, inside.rest)
    branch_place = strip_places(branch)
    region = _first_filled(
        branch_place.text, placed.text, pc.if_else(is_place, bracket, None), pc.if_else(keeps_place, None, inside.text)
    )
    code = _first_filled(branch_place.code, placed.code, bracket_code, pc.if_else(keeps_place, None, inside.code))
    key = pc.binary_join_element_wise(
        _without_form(_plain(glued), head, branch, form_ending), _key_form(form, form_ending), branch, ""
    )
    return NameParts(key, region, code, core, industry, form, branch)


def _plain(glued: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(glued, r"[()&]", "")


def _without_form(plain: pa.Array, head: pa.Array, branch: pa.Array, ending: pa.Array) -> pa.Array:
    """The whole name up to its form: brackets opened, places where they stood."""
    end = pc.add(pc.utf8_length(branch), pc.utf8_length(ending))
    return heads(plain, pc.subtract(pc.utf8_length(plain), end))


def _key_form(form: pa.Array, ending: pa.Array) -> pa.Array:
    """Form as the key writes it: 有限责任公司 is 有限公司; other endings stay as written."""
    return pc.if_else(pc.match_substring_regex(form, "有限公司$|合伙企业$"), form, ending)


def _split_branch(names: pa.Array) -> tuple[pa.Array, pa.Array]:
    """What follows the first full legal form, or the part that ends in a word for branches."""
    words = load_words()
    forms = "|".join(fold_names(list(words.forms_before_branch)))
    endings = "|".join(sorted(fold_names(list(words.branch_suffixes)), key=len, reverse=True))
    after_form = rf"^(?P<head>.{{2,}}?(?:有限责任公司|股份有限公司|{forms}))(?P<branch>.+)$"
    after_company = rf"^(?P<head>.{{2,}}?(?:公司|银行|集团|信用社|厂))(?P<branch>.{{0,24}}(?:{endings}))$"
    bare = r"^(?P<head>.{2,}?)(?P<branch>分公司|支公司|办事处|代表处|支行|分行)$"
    head, branch = names, pa.array([""] * len(names), pa.string())
    for pattern in (after_form, after_company, bare):
        is_new = pc.and_(pc.equal(branch, ""), pc.match_substring_regex(names, pattern))
        split = pc.extract_regex(names.filter(is_new), pattern)
        head = pc.replace_with_mask(head, is_new, pc.struct_field(split, 0))
        branch = pc.replace_with_mask(branch, is_new, pc.struct_field(split, 1))
    return head, branch


@lru_cache(maxsize=1)
def _form_endings() -> dict[int, tuple[pa.Array, pa.Array]]:
    """Endings by length, longest first, each with its canonical form."""
    by_length: dict[int, dict[str, str]] = defaultdict(dict)
    for form, endings in load_words().forms.items():
        for ending in fold_names(list(endings)):
            by_length[len(ending)][ending] = form
    return {
        n: (pa.array(list(by_length[n])), pa.array(list(by_length[n].values())))
        for n in sorted(by_length, reverse=True)
    }


def _split_form(heads_: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """(stem, canonical form, ending as written), by hash lookup on the endings."""
    form, cut = pa.nulls(len(heads_), pa.string()), pa.array([0] * len(heads_), pa.int32())
    for length, (endings, forms) in _form_endings().items():
        hit = forms.take(pc.index_in(pc.utf8_slice_codeunits(heads_, -length), endings))
        is_new = pc.fill_null(pc.and_(pc.is_valid(hit), pc.is_null(form)), False)
        form, cut = pc.if_else(is_new, hit, form), pc.if_else(is_new, pa.scalar(length, pa.int32()), cut)
    keep = pc.subtract(pc.utf8_length(heads_), cut)
    return heads(heads_, keep), pc.fill_null(form, ""), tails(heads_, keep)


@lru_cache(maxsize=1)
def _industry_by_length() -> dict[int, pa.Array]:
    words = sorted(set(fold_names(list(load_words().industry_words))))
    return {n: pa.array([w for w in words if len(w) == n]) for n in sorted({len(w) for w in words}, reverse=True)}


def _split_industry(names: pa.Array, stems: pa.Array) -> tuple[pa.Array, pa.Array]:
    """(core, industry words): words go while a proper name stays; with none left the core is the stem."""
    core = names
    for _ in range(_INDUSTRY_ROUNDS):
        lengths = pc.utf8_length(core)
        cut = pa.array([0] * len(core), pa.int32())
        for length, words in _industry_by_length().items():
            hit = pc.is_in(pc.utf8_slice_codeunits(core, -length), words)
            is_new = pc.and_(pc.and_(hit, pc.equal(cut, 0)), pc.greater_equal(lengths, length + _MIN_CORE))
            cut = pc.if_else(is_new, pa.scalar(length, pa.int32()), cut)
        core = heads(core, pc.subtract(lengths, cut))
    industry = tails(names, pc.utf8_length(core))
    too_little = pc.or_(pc.less(pc.utf8_length(core), _MIN_CORE), pc.is_in(core, _nobodys()))
    return pc.if_else(too_little, stems, core), industry


@lru_cache(maxsize=1)
def _nobodys() -> pa.Array:
    """Words that are no proper name by themselves."""
    words = load_words()
    return pa.array(fold_names(list(words.industry_words + words.generic_names)))


def _after_town(rest: pa.Array, has_place: pa.Array) -> pa.Array:
    """Zones and towns after a place are no part of the core."""
    for pattern in (_ZONE, _TOWN):
        shorter = pc.replace_substring_regex(rest, pattern, "")
        is_name = pc.greater_equal(pc.utf8_length(shorter), _MIN_CORE)
        rest = pc.if_else(pc.and_(has_place, is_name), shorter, rest)
    return rest


def _first_filled(*columns: pa.Array) -> pa.Array:
    filled = [pc.if_else(pc.equal(column, ""), None, column) for column in columns]
    return pc.fill_null(pc.coalesce(*filled), "")


def is_person(core: pa.Array, form: pa.Array, industry_word: pa.Array, region: pa.Array) -> pa.Array:
    """Two or three characters that begin with a family name and hold no word of a company."""
    names = "|".join(re.escape(name) for name in fold_names(list(load_words().surnames)))
    like_person = pc.match_substring_regex(core, rf"^(?:{names})\p{{Han}}{{1,2}}$")
    bare = pc.equal(pc.binary_join_element_wise(form, industry_word, region, ""), "")
    return pc.and_(pc.and_(like_person, bare), pc.less_equal(pc.utf8_length(core), 3))
