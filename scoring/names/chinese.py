"""Names in Chinese characters: region, core (字号), industry word, legal form and branch."""

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.brackets import Opened, open_brackets
from scoring.names.branches import are_sure, split_branches
from scoring.names.buffers import Codes, Flags, Positions, Texts, positions
from scoring.names.parts import NameParts
from scoring.names.places import Placed, branch_places, place_codes, place_heads, place_tails, with_urban
from scoring.names.text import fold_names, is_han
from scoring.names.tries import Numbers, Trie
from scoring.names.words import load_words

_MIN_CORE = 2  # a proper name has two characters or more
_INDUSTRY_ROUNDS = 3
_SPACE = ord(" ")
_ZONES = (
    ("", "国家"),
    ("", "级"),
    ("经济", "高新", "高新技术", "经济技术", "新技术"),
    ("", "产业", "技术"),
    ("开发区", "产业园区", "园区", "区"),
)
_NAMED_ZONES = ("自贸区", "保税区", "工业园区", "工业园", "开发区")
_TOWNS = ("镇", "乡", "街道")
_ZONE_NAMES, _TOWN_NAMES = (2, 0), (2, 3)  # characters before those words
_KEY_FORMS = ("有限公司", "合伙企业")  # forms that end so stand in keys in their canonical writing, others as they are


@dataclass(frozen=True)
class _Branched:
    """Names without the place in brackets, where it stood (their start if nowhere inside), where their branches begin,
    and how long a bracket stood at their end.
    """

    names: Texts
    bracket_at: Positions
    branch_at: Positions
    bracket_behind: Positions


@dataclass(frozen=True)
class _Shape:
    """Where the parts of each name begin and end."""

    names: Texts
    head: Placed
    core_starts: Positions
    core_ends: Positions
    industry_at: Positions
    form_at: Positions
    branch_at: Positions
    form: Numbers


@dataclass(frozen=True)
class _Forms:
    """Endings of legal forms; entry 0 of the columns is no form, entry n + 1 that of the ending of number n."""

    endings: Trie
    canonical: pa.Array
    is_rewritten: Flags


def parse_chinese(folded: Texts) -> NameParts:
    """Parts of folded Chinese names.

    The comparison key is the whole name without brackets and spaces, its legal form in canonical writing; it keeps the
    branch, so that a 分公司 never equals its company.
    """
    opened = open_brackets(folded.without(np.flatnonzero(folded.codes == _SPACE)))
    branched = _branched(opened)
    shape = _shape(branched)
    region, region_code, core_ends = _regions(opened, shape)
    return NameParts(
        name_key=_key(opened.texts, branched, shape),
        region=region,
        region_code=region_code,
        core=shape.names.slices(shape.core_starts, core_ends).column(),
        industry_word=shape.names.slices(shape.industry_at, shape.form_at).column(),
        form=_forms().canonical.take(pa.array(shape.form)),
        branch=shape.names.slices(shape.branch_at, shape.names.ends).column(),
    )


def _branched(opened: Opened) -> _Branched:
    """The place in brackets goes, but stays where it is that of the branch (…有限公司(北京)分公司)."""
    whole, starts, ends = opened.texts, opened.starts, opened.ends
    is_behind = (ends > starts) & (ends == whole.ends)
    ahead = whole.without(positions(starts, np.where(is_behind, ends, starts)))
    branches = ahead.ends - split_branches(ahead)
    goes = is_behind | (ends <= whole.ends - branches)
    names = whole.without(positions(starts, np.where(goes, ends, starts)))
    bracket_at = names.starts + np.where(goes & ~is_behind, starts - whole.starts, 0)
    return _Branched(names, bracket_at, names.ends - branches, whole.lengths - ahead.lengths)


def _shape(branched: _Branched) -> _Shape:
    names, branch_at = branched.names, branched.branch_at
    codes, starts = names.codes, names.starts
    form = _forms().endings.longest(codes, branched.bracket_at, branch_at)
    form_at = branch_at - form.length
    head = _head(codes, starts, form_at)
    named_at = _after_town(codes, head.ends, np.where(head.ends > starts, form_at, head.ends))
    industry_at = _industry_at(codes, named_at, form_at)
    is_nobody = _is_nobody(codes, named_at, industry_at)
    return _Shape(
        names=names,
        head=head,
        core_starts=np.where(is_nobody, starts, named_at),
        core_ends=np.where(is_nobody, form_at, industry_at),
        industry_at=industry_at,
        form_at=form_at,
        branch_at=branch_at,
        form=form.number + 1,
    )


def _head(codes: Codes, starts: Positions, ends: Positions) -> Placed:
    """The places at the head; the short name of a district stays in the name if that has nothing else proper."""
    head = place_heads(codes, starts, ends)
    urban = with_urban(head, codes, ends)
    rows = np.flatnonzero(urban.ends > head.ends)
    behind, until = urban.ends[rows], ends[rows]
    rows = rows[~_is_nobody(codes, behind, _industry_at(codes, behind, until))]
    placed, code = head.ends.copy(), head.code.copy()
    placed[rows], code[rows] = urban.ends[rows], urban.code[rows]
    return Placed(placed, code)


def _regions(opened: Opened, shape: _Shape) -> tuple[pa.Array, pa.Array, Positions]:
    """(text, code, where the core ends without it) of each region: the branch's, that at the head, in brackets, or
    at the end of the core.
    """
    names, head, place = shape.names, shape.head, np.maximum(opened.place, 0)
    is_sure = are_sure(names, shape.branch_at)
    own = np.where(head.code > 0, head.code, place)
    branch = branch_places(names.codes, shape.branch_at, names.ends, own, is_sure)
    has_branch, has_head, has_bracket = branch.ends > shape.branch_at, head.ends > names.starts, opened.place >= 0
    inside_at, core_ends, inside_code = _place_inside(shape, has_head | has_bracket)
    starts = np.select([has_branch, has_head], [shape.branch_at, names.starts], inside_at)
    ends = np.select([has_branch, has_head], [branch.ends, head.ends], shape.core_ends)
    of_bracket = has_bracket & ~has_branch & ~has_head
    in_brackets = opened.texts.slices(opened.starts, opened.ends).column()
    text = pc.if_else(pa.array(of_bracket), in_brackets, names.slices(starts, ends).column())
    known = [branch.code, head.code, place, inside_code]
    return text, place_codes(np.select([code > 0 for code in known], known, 0)), core_ends


def _place_inside(shape: _Shape, has_place: Flags) -> tuple[Positions, Positions, Numbers]:
    """(where a place at the end of the core begins, where the core ends before it and before a trade, its code) of
    names with no other place; a proper name must be left (not 中国 of 中国宁波国际合作).
    """
    codes, starts, ends = shape.names.codes, shape.core_starts, shape.core_ends
    inside = place_tails(codes, starts + _MIN_CORE, np.where(has_place, starts, ends))
    at: Positions = np.where(has_place, ends, inside.ends)
    rows = np.flatnonzero(at < ends)
    core_ends: Positions = ends.copy()
    core_ends[rows] = _industry_at(codes, starts[rows], at[rows])
    rows = rows[_is_nobody(codes, starts[rows], core_ends[rows])]
    at[rows], core_ends[rows] = ends[rows], ends[rows]
    return at, core_ends, np.where(at < ends, inside.code, 0)


def _key(whole: Texts, branched: _Branched, shape: _Shape) -> pa.Array:
    """The whole name, its legal form in canonical writing."""
    is_rewritten = _forms().is_rewritten[shape.form]
    rows = np.flatnonzero(is_rewritten)
    ends = whole.ends[rows]
    behind_at = ends - (shape.names.ends - shape.branch_at + branched.bracket_behind)[rows]
    form_at = behind_at - (shape.branch_at - shape.form_at)[rows]
    rewritten = pc.binary_join_element_wise(
        whole.slices(whole.starts[rows], form_at).column(),
        _forms().canonical.take(pa.array(shape.form[rows])),
        whole.slices(behind_at, ends).column(),
        "",
    )
    return pc.replace_with_mask(whole.column(), pa.array(is_rewritten), rewritten)


@lru_cache(maxsize=1)
def _forms() -> _Forms:
    form_of = {ending: form for form, endings in load_words().forms.items() for ending in fold_names(list(endings))}
    canonical = list(form_of.values())
    is_rewritten = [form != ending and form.endswith(_KEY_FORMS) for ending, form in form_of.items()]
    numbers = {ending: number for number, ending in enumerate(form_of)}
    return _Forms(Trie.backward(numbers), pa.array(["", *canonical]), np.array([False, *is_rewritten]))


@lru_cache(maxsize=1)
def _industries() -> Trie:
    return Trie.backward(dict.fromkeys(fold_names(list(load_words().industry_words)), 0))


def _industry_at(codes: Codes, starts: Positions, ends: Positions) -> Positions:
    """Where the industry words begin: words go while a proper name stays before them."""
    at = ends
    for _ in range(_INDUSTRY_ROUNDS):
        at = at - _industries().longest(codes, starts + _MIN_CORE, at).length
    return at


@lru_cache(maxsize=1)
def _nobodys() -> Trie:
    """Words that are no proper name by themselves."""
    words = load_words()
    return Trie.forward(dict.fromkeys(fold_names(list(words.industry_words + words.generic_names)), 0))


def _is_nobody(codes: Codes, starts: Positions, ends: Positions) -> Flags:
    length = ends - starts
    return (length < _MIN_CORE) | (_nobodys().longest(codes, starts, ends).length == length)


@lru_cache(maxsize=1)
def _zones() -> tuple[Trie, Trie, Trie]:
    """(development zones, endings of named ones, endings of towns)."""
    zones = dict.fromkeys(("".join(words) for words in itertools.product(*_ZONES)), 0)
    return Trie.forward(zones), Trie.forward(dict.fromkeys(_NAMED_ZONES, 0)), Trie.forward(dict.fromkeys(_TOWNS, 0))


def _after_town(codes: Codes, starts: Positions, ends: Positions) -> Positions:
    """Zones and towns after a place are no part of the core: where they end, if a name is left."""
    zones, named_zones, towns = _zones()
    zone = zones.longest(codes, starts, ends).length
    zone = np.where(zone > 0, zone, _named(codes, starts, ends, named_zones, _ZONE_NAMES))
    starts = starts + np.where(ends - starts - zone >= _MIN_CORE, zone, 0)
    town = _named(codes, starts, ends, towns, _TOWN_NAMES)
    return starts + np.where(ends - starts - town >= _MIN_CORE, town, 0)


def _named(codes: Codes, starts: Positions, ends: Positions, endings: Trie, lengths: tuple[int, ...]) -> Positions:
    """Length of a word at the start that is so many Chinese characters and one of the endings; the first that fits."""
    found = np.zeros(len(starts), np.int64)
    for length in lengths:
        ending = endings.longest(codes, np.minimum(starts + length, ends), ends).length
        rows = np.flatnonzero((ending > 0) & (found == 0))
        for behind in range(length):
            rows = rows[is_han(codes[starts[rows] + behind])]
        found[rows] = length + ending[rows]
    return found
