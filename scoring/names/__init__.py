"""Company names taken apart: what a name says of region, proper name, trade, legal form and branch."""

import re
import sys
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.buffers import Flags, Texts, is_one_of
from scoring.names.chinese import parse_chinese
from scoring.names.latin import parse_latin
from scoring.names.mojibake import is_mojibake
from scoring.names.parts import PARTS, NameParts
from scoring.names.places import are_places
from scoring.names.text import clean_texts, fold_names, fold_texts, is_han
from scoring.names.words import load_words

_CHUNK_NAMES = 200_000  # bounds the memory of the intermediate columns
_NO_NAME = r"^(?:[0-9]*|.|x+|a+|测试.?|test[0-9]*)$"
_NO_NAME_BEGINS = "0123456789xat测"
_LOOK_ALIKES = (0x370, 0x530)  # Greek and Cyrillic
_MIXED = r"[a-z][\p{Greek}\p{Cyrillic}]|[\p{Greek}\p{Cyrillic}][a-z]"
_LONGEST_PERSON = 3  # characters


def parse_names(values: pa.Array | pa.ChunkedArray | list[str | None]) -> pa.Table:
    """One row per value, in order: value, name, name_key, region, region_code, core, industry_word, form, branch,
    is_company_name, rule.

    `name` is for display; `name_key` compares whole names (null for what is no name); `core` is the proper name without
    region, form and branch; absent parts are null. `rule` says why a value is no company name: name-placeholder,
    name-mojibake, name-mixed-script (look-alike letters), name-generic (only a form, a trade or a place), all of which
    have no key, or name-person.

    Source: spec 02-directory (names), 11-faults F05, V09, V13-V16.
    """
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values], pa.string())
    starts = range(0, max(len(column), 1), _CHUNK_NAMES)
    chunks = [column.slice(start, _CHUNK_NAMES).combine_chunks() for start in starts]
    return pa.concat_tables([_parse_chunk(pc.cast(chunk, pa.string())) for chunk in chunks])


def _parse_chunk(values: pa.Array) -> pa.Table:
    cleaned = clean_texts(values)
    folded, names = fold_texts(cleaned), cleaned.column()
    is_chinese = folded.counts(~is_han(folded.codes)) < folded.lengths
    parts = _by_script(folded, is_chinese)
    rule = _rule(names, folded, parts, is_chinese)
    is_name = pc.or_kleene(pc.is_null(rule), pc.equal(rule, "name-person"))
    keep = {
        column: pc.if_else(pc.and_(is_name, pc.not_equal(getattr(parts, column), "")), getattr(parts, column), None)
        for column in PARTS
    }
    return pa.table(
        {"value": values, "name": pc.if_else(pc.equal(names, ""), None, names)}
        | keep
        | {"is_company_name": pc.and_(pc.is_null(rule), pc.is_valid(keep["name_key"])), "rule": rule}
    )


def _by_script(folded: Texts, is_chinese: Flags) -> NameParts:
    """Chinese and other names parsed apart, back in the order of the rows."""
    if is_chinese.all():
        return parse_chinese(folded)
    chinese = parse_chinese(folded.slices(np.where(is_chinese, folded.starts, folded.ends), folded.ends))
    is_other = pa.array(~is_chinese)
    latin = parse_latin(folded.column().filter(is_other))
    return NameParts(
        **{column: pc.replace_with_mask(getattr(chinese, column), is_other, getattr(latin, column)) for column in PARTS}
    )


def _rule(names: pa.Array, folded: Texts, parts: NameParts, is_chinese: Flags) -> pa.Array:
    """Why a value is no company name; null where it is one, or where nothing is written."""
    words = load_words()
    generic = pa.array(fold_names(list(words.generic_names)) + fold_names(list(words.industry_words)))
    no_core = pc.or_(pc.is_in(parts.core, generic), pc.less(pc.utf8_length(parts.core), 2))
    no_core = pc.or_(no_core, pa.array(is_chinese & _is_only_place(parts)))
    rule = pc.if_else(pa.array(_is_person(parts)), "name-person", pa.scalar(None, pa.string()))
    rule = pc.if_else(pc.and_(no_core, pc.equal(parts.branch, "")), "name-generic", rule)
    rule = pc.if_else(pa.array(_is_placeholder(folded)), "name-placeholder", rule)
    rule = pc.if_else(pa.array(_mixes_scripts(folded)), "name-mixed-script", rule)
    rule = pc.if_else(is_mojibake(names), "name-mojibake", rule)
    return pc.if_else(pc.equal(names, ""), None, rule)


def _mixes_scripts(folded: Texts) -> Flags:
    """Latin letters beside Greek or Cyrillic ones in one word, which look alike."""
    is_look_alike = (folded.codes >= _LOOK_ALIKES[0]) & (folded.codes < _LOOK_ALIKES[1])
    flags = folded.counts(is_look_alike) > 0
    rows = np.flatnonzero(flags)
    texts = folded.slices(folded.starts[rows], folded.ends[rows]).column()
    flags[rows] = pc.match_substring_regex(texts, _MIXED)
    return flags


def _is_placeholder(folded: Texts) -> Flags:
    """What people write where there is no company, and texts too simple for a name."""
    bare = folded.without(np.flatnonzero(is_one_of(folded.codes, " ()&")))
    placeholders, begins = _placeholders()
    rows = np.flatnonzero((bare.lengths <= 1) | begins[np.append(bare.codes, 0)[bare.starts]])
    texts = bare.slices(bare.starts[rows], bare.ends[rows]).column()
    flags = np.zeros(len(folded), bool)
    flags[rows] = pc.or_(pc.is_in(texts, placeholders), pc.match_substring_regex(texts, _NO_NAME))
    return flags


@lru_cache(maxsize=1)
def _placeholders() -> tuple[pa.Array, Flags]:
    """(placeholders, by code point whether such a text may begin with it)."""
    words = [word.replace(" ", "") for word in fold_names(list(load_words().placeholders))]
    begins = np.zeros(sys.maxunicode + 1, bool)
    begins[[ord(word[0]) for word in (*words, *_NO_NAME_BEGINS)]] = True
    return pa.array(words), begins


def _says_only_core(parts: NameParts) -> Flags:
    columns = (parts.industry_word, parts.form, parts.branch)
    return np.logical_and.reduce([pc.equal(column, "").to_numpy(zero_copy_only=False) for column in columns])


def _is_only_place(parts: NameParts) -> Flags:
    """The core is a place and nothing else is said (北京, 上海市)."""
    flags = _says_only_core(parts)
    rows = np.flatnonzero(flags)
    flags[rows] = are_places(Texts.of(parts.core.take(pa.array(rows))))
    return flags


def _is_person(parts: NameParts) -> Flags:
    """Two or three characters that begin with a family name and hold no word of a company."""
    flags = _says_only_core(parts) & pc.equal(parts.region, "").to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(flags)
    surnames = "|".join(re.escape(name) for name in fold_names(list(load_words().surnames)))
    cores = parts.core.take(pa.array(rows))
    like_person = pc.match_substring_regex(cores, rf"^(?:{surnames})\p{{Han}}{{1,2}}$")
    is_short = pc.less_equal(pc.utf8_length(cores), _LONGEST_PERSON)
    flags[rows] = pc.and_(like_person, is_short)
    return flags
