"""Text of a cell: cleaned in bulk, placeholders emptied, damage and misplaced personal data flagged."""

import json
from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from scoring.names.mojibake import is_mojibake
from scoring.values.sensitive import is_sensitive
from scoring.values.tables import load_yaml

Values: TypeAlias = pa.Array | pa.ChunkedArray | Sequence[str | None]

# Zero-width, soft hyphen, bidi marks, byte-order marks, variation selectors: NFKC keeps them (catalogue V14).
INVISIBLE = "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f]"
_SPACES = "[\\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
_CONTROLS = r"[\x00-\x08\x0e-\x1f\x7f]"

PLACEHOLDERS: tuple[str, ...] = tuple(load_yaml("text")["placeholders"])
_SAME_AS_ABOVE: tuple[str, ...] = tuple(load_yaml("text")["same_as_above"])


def as_column(values: Values) -> pa.Array:
    """The values as one Arrow string array."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == pa.string() else values.cast(pa.string())
    return pa.array(list(values), pa.string())


def clean_text(values: Values) -> pa.Array:
    """NFKC, no invisible or control characters, runs of space folded to one, none at the ends; empty is null."""
    column = as_column(values)
    column = pc.replace_substring_regex(column, f"{INVISIBLE}|{_CONTROLS}", "")
    column = pc.utf8_normalize(column, form="NFKC")
    column = pc.utf8_trim(pc.replace_substring_regex(column, _SPACES, " "), " ")
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def squeezed(cleaned: pa.Array) -> pa.Array:
    """Clean text without any space, lower case: what words are looked up by."""
    return pc.utf8_lower(pc.replace_substring(cleaned, " ", ""))


def is_placeholder(cleaned: pa.Array) -> pa.Array:
    """True where the cell says that there is nothing to say; null and empty are no placeholder."""
    return pc.fill_null(pc.is_in(squeezed(cleaned), pa.array(PLACEHOLDERS)), False)


def is_same_as_above(cleaned: pa.Array) -> pa.Array:
    """True for 同上 and its like, which nobody may resolve by guess."""
    return pc.fill_null(pc.is_in(squeezed(cleaned), pa.array(_SAME_AS_ABOVE)), False)


def first_rule(*tests: tuple[str, pa.Array]) -> pa.Array:
    """The name of the first test that holds in each row; null where none does."""
    rule = pa.nulls(len(tests[0][1]), pa.string())
    for name, holds in reversed(tests):
        rule = pc.if_else(pc.fill_null(holds, False), name, rule)
    return rule


def in_order(settled: pa.Array, fine: pa.Table, rest: pa.Table) -> pa.Table:
    """The rows of a column in its order: `fine` holds those that are settled, `rest` the others, each in order."""
    order = pc.array_sort_indices(pc.array_sort_indices(pc.invert(settled).cast(pa.int8())))
    return pa.concat_tables([fine, rest.cast(fine.schema)]).take(order)


def is_mixed_script(cleaned: pa.Array) -> pa.Array:
    """Latin letters beside Cyrillic or Greek ones in one word, which look alike (catalogue V13)."""
    return pc.match_substring_regex(cleaned, r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}")


def parse_texts(values: Values) -> pa.Table:
    """Free text: value, text, rule.

    Placeholders and cells with personal secrets become null; damage and look-alike letters are flagged.
    """
    column = as_column(values)
    text = clean_text(column)
    placeholder, same, sensitive = is_placeholder(text), is_same_as_above(text), is_sensitive(text)
    rule = first_rule(
        ("text-placeholder", placeholder),
        ("text-same-as-above", same),
        ("text-empty", pc.and_(pc.is_null(text), pc.is_valid(column))),
        ("text-sensitive", sensitive),
        ("text-mojibake", is_mojibake(pc.fill_null(text, ""))),
        ("text-control-characters", pc.match_substring_regex(column, _CONTROLS)),
        ("text-mixed-script", is_mixed_script(text)),
        ("text-invisible-characters", pc.match_substring_regex(column, INVISIBLE)),
    )
    text = pc.if_else(pc.or_(sensitive, pc.or_(placeholder, same)), pa.scalar(None, pa.string()), text)
    return pa.table({"value": column, "text": text, "rule": rule})


def parse_extras(values: Values) -> pa.Table:
    """Cells of columns that no entity knows, a JSON object a row: value, columns that hold secrets, rule."""
    column = as_column(values)
    cells = [
        [(row, name, cell) for name, cell in json.loads(record).items() if isinstance(cell, str)]
        for row, record in enumerate(column.to_pylist())
        if record and record.startswith("{")
    ]
    flat = [cell for record in cells for cell in record]
    found: list[list[str]] = [[] for _ in range(len(column))]
    flags = is_sensitive(clean_text(pa.array([cell for _, _, cell in flat], pa.string()))).to_pylist()
    for (row, name, _), secret in zip(flat, flags, strict=True):
        if secret:
            found[row].append(name)
    rule = pa.array(["text-sensitive" if names else None for names in found], pa.string())
    return pa.table({"value": column, "columns": pa.array(found, pa.list_(pa.string())), "rule": rule})


def undo_spreadsheet(values: Values) -> pa.Array:
    """Clean text without what spreadsheets put around numbers: a leading apostrophe, `="…"` (catalogue V02)."""
    cleaned = clean_text(values)
    return pc.replace_substring_regex(cleaned, r"""^=?\s*["'`’]+\s*(.*?)\s*["'`’]*$""", r"\1")


def parse_name_lists(values: Values) -> pa.Table:
    """Cells with several company names: value, names (in order), rule. Brackets with dates behind a name go."""
    column = as_column(values)
    text = clean_text(column)
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    bare = pc.replace_substring_regex(text, r"\([^()]*\d{4}[^()]*\)|^(曾用名|历史名称|原名)\s*[:：]", "")
    bare = pc.replace_substring_regex(bare, r"[;；、|]+|[,，]\s*(\p{Han})", "\n\\1")
    names = pc.split_pattern(pc.fill_null(pc.if_else(nothing, "", bare), ""), "\n")
    trimmed = [[name.strip() for name in cell if name.strip()] for cell in names.to_pylist()]
    rule = first_rule(("text-placeholder", nothing))
    return pa.table({"value": column, "names": pa.array(trimmed, pa.list_(pa.string())), "rule": rule})


def parse_ids(values: Values) -> pa.Table:
    """Keys of records: value, id, rule. Case and inner text stay; wrappers of spreadsheets and `.0` go.

    A number in scientific notation is refused: its digits are lost.
    """
    column = as_column(values)
    plain = undo_spreadsheet(column)
    key = pc.replace_substring_regex(plain, r"^(\d+)\.0+$", r"\1")
    lost = pc.match_substring_regex(plain, r"^\d(\.\d+)?[eE]\+?\d+$")
    # 123 and test are keys like others; only what can be no key at all is taken for a placeholder.
    wordy = pc.fill_null(pc.match_substring_regex(plain, r"(?i)^([0-9]*[1-9][0-9]*|x+|test.*|abc|asdf|qwerty)$"), False)
    nothing = pc.and_(pc.or_(is_placeholder(plain), is_same_as_above(plain)), pc.invert(wordy))
    rule = first_rule(
        ("id-scientific", lost),
        ("id-placeholder", pc.or_(nothing, pc.and_(pc.is_null(plain), pc.is_valid(column)))),
        ("id-spreadsheet", pc.not_equal(key, clean_text(column))),
    )
    refused = pc.or_(pc.fill_null(lost, False), nothing)
    return pa.table({"value": column, "id": pc.if_else(refused, pa.scalar(None, pa.string()), key), "rule": rule})
