"""Job titles in Chinese and English: how senior, and in which function."""

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.sensitive import is_sensitive
from scoring.values.tables import load_yaml
from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above


def parse_titles(values: Values) -> pa.Table:
    """Titles: value, title, seniority (c_level, vp, director, manager, staff or unknown), department, rule."""
    column = as_column(values)
    text = clean_text(column)
    nothing, sensitive = pc.or_(is_placeholder(text), is_same_as_above(text)), is_sensitive(text)
    title = pc.if_else(pc.or_(nothing, sensitive), pa.scalar(None, pa.string()), text)
    word = pc.utf8_lower(title)
    seniority = _first_match(word, "seniority")
    return pa.table(
        {
            "value": column,
            "title": title,
            "seniority": pc.if_else(pc.is_valid(title), pc.fill_null(seniority, "unknown"), seniority),
            "department": _first_match(word, "department"),
            "rule": first_rule(("text-placeholder", nothing), ("text-sensitive", sensitive)),
        }
    )


def _first_match(word: pa.Array, table: str) -> pa.Array:
    entries = [next(iter(entry.items())) for entry in load_yaml("titles")[table]]
    return first_rule(*((name, pc.match_substring_regex(word, "|".join(patterns))) for name, patterns in entries))
