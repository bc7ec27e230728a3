"""Company names taken apart: what a name says of region, proper name, trade, legal form and branch."""

import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.chinese import NameParts, is_person, parse_chinese
from scoring.names.latin import parse_latin
from scoring.names.mojibake import is_mojibake
from scoring.names.places import place_codes
from scoring.names.text import clean_names, fold_names
from scoring.names.words import load_words

_CHUNK_NAMES = 200_000  # bounds the memory of the intermediate columns
_HAN = r"\p{Han}"


def parse_names(values: pa.Array | pa.ChunkedArray | list[str | None]) -> pa.Table:
    """One row per value, in order: value, name, name_key, region, region_code, core, industry_word, form, branch,
    is_company_name, rule.

    `name` is for display; `name_key` compares whole names (null for what is no name); `core` is the proper name without
    region, form and branch; absent parts are null. `rule` says why a value is no company name: name-placeholder,
    name-mojibake, name-generic (only a form, a trade or a place) or name-person.

    Source: spec 02-directory (names), 11-faults V05, V09, V14, V16.
    """
    column = pa.chunked_array([values]) if isinstance(values, pa.Array) else values
    texts = column.to_pylist() if isinstance(column, pa.ChunkedArray) else list(column)
    chunks = [_parse_chunk(texts[start : start + _CHUNK_NAMES]) for start in range(0, max(len(texts), 1), _CHUNK_NAMES)]
    return pa.concat_tables(chunks)


def _parse_chunk(values: list[str | None]) -> pa.Table:
    names = clean_names(values) if values else []
    folded = pa.array(fold_names(names) if names else [], pa.string())
    is_han = pc.match_substring_regex(folded, _HAN)
    parts = _by_script(folded, is_han)
    rule = _rule(pa.array(names, pa.string()), folded, parts, is_han)
    is_name = pc.is_null(pc.if_else(pc.equal(rule, "name-person"), None, rule))
    keep = {column: pc.if_else(is_name, getattr(parts, column), None) for column in NameParts.__dataclass_fields__}
    keep = {column: pc.if_else(pc.equal(text, ""), None, text) for column, text in keep.items()}
    return pa.table(
        {
            "value": pa.array(values, pa.string()),
            "name": pc.if_else(pc.equal(pa.array(names, pa.string()), ""), None, pa.array(names, pa.string())),
            "name_key": keep["name_key"],
            "region": keep["region"],
            "region_code": keep["region_code"],
            "core": keep["core"],
            "industry_word": keep["industry_word"],
            "form": keep["form"],
            "branch": keep["branch"],
            "is_company_name": pc.and_(pc.is_null(rule), pc.is_valid(keep["name_key"])),
            "rule": rule,
        }
    )


def _by_script(folded: pa.Array, is_han: pa.Array) -> NameParts:
    """Chinese and other names parsed apart, back in the order of the rows."""
    chinese, latin = parse_chinese(folded.filter(is_han)), parse_latin(folded.filter(pc.invert(is_han)))
    rank = pc.array_sort_indices(pc.array_sort_indices(pc.cast(pc.invert(is_han), pa.int8())))
    columns = {
        column: pa.chunked_array([getattr(chinese, column), getattr(latin, column)], pa.string())
        .take(rank)
        .combine_chunks()
        for column in NameParts.__dataclass_fields__
    }
    return NameParts(**columns)


def _rule(names: pa.Array, folded: pa.Array, parts: NameParts, is_han: pa.Array) -> pa.Array:
    """Why a value is no company name; null where it is one, or where nothing is written."""
    words = load_words()
    key = pc.replace_substring_regex(folded, r"[ ()&.]", "")
    placeholders = pa.array([word.replace(" ", "") for word in fold_names(list(words.placeholders))])
    is_placeholder = pc.or_(
        pc.is_in(key, placeholders), pc.match_substring_regex(key, r"^(?:[0-9]*|.|x+|a+|测试.?|test[0-9]*)$")
    )
    generic = pa.array(fold_names(list(words.generic_names)) + fold_names(list(words.industry_words)))
    nothing_proper = pc.or_(pc.is_in(parts.core, generic), pc.less(pc.utf8_length(parts.core), 2))
    no_core = pc.or_(nothing_proper, pc.and_(is_han, _is_only_place(parts)))
    rule = pc.if_else(
        is_person(parts.core, parts.form, parts.industry_word, parts.region),
        "name-person",
        pa.scalar(None, pa.string()),
    )
    rule = pc.if_else(pc.and_(no_core, pc.equal(parts.branch, "")), "name-generic", rule)
    rule = pc.if_else(is_placeholder, "name-placeholder", rule)
    rule = pc.if_else(is_mojibake(names), "name-mojibake", rule)
    return pc.if_else(pc.equal(names, ""), None, rule)


def _is_only_place(parts: NameParts) -> pa.Array:
    """The core is a place and nothing else is said (北京, 上海市)."""
    bare = pc.equal(pc.binary_join_element_wise(parts.industry_word, parts.form, parts.branch, ""), "")
    return pc.and_(bare, pc.fill_null(pc.is_valid(place_codes(parts.core)), False))
