"""Words of small vocabularies: statuses, channels, kinds, as people and systems write them."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.refusals import no_consent, patterns
from scoring.values.sensitive import is_sensitive
from scoring.values.tables import load_yaml
from scoring.values.text import Values, as_column, clean_text, first_rule, is_placeholder, is_same_as_above, squeezed

_NONE = pa.scalar(None, pa.string())
_COMPANY_PATTERNS = (
    ("cancelled", "注销"),
    ("revoked", "吊销|撤销"),
    ("suspended", "停业|歇业|清算"),
    ("active", "存续|在业|在营|开业|正常"),
)


def vocabularies() -> dict[str, dict[str, Any]]:
    """The vocabularies of data/words.yaml by name."""
    return load_yaml("words")


def parse_words(values: Values, vocabulary: str) -> pa.Table:
    """Words of one vocabulary: value, word, rule.

    An unlisted word of an open vocabulary stays, lower case with _ for spaces; of a closed one it is refused.
    """
    column = as_column(values)
    text = clean_text(column)
    key = squeezed(text)
    listed = vocabularies()[vocabulary]
    spelled = {spelling: word for word, spellings in listed.items() if word != "open" for spelling in spellings}
    words = pa.array(list(spelled.values()), pa.string())
    word = words.take(pc.index_in(key, pa.array(list(spelled), pa.string())))
    if vocabulary == "touch_type":
        word = pc.coalesce(word, _refusals(text))
    if vocabulary == "consent_method":
        word = pc.coalesce(_no_consents(text), word)
    nothing = pc.and_(pc.or_(is_placeholder(text), is_same_as_above(text)), pc.is_null(word))
    sensitive = pc.and_(is_sensitive(text), pc.is_null(word))
    if listed.get("open"):
        as_written = pc.replace_substring_regex(pc.utf8_lower(text), r"[\s-]+", "_")
        word = pc.coalesce(word, pc.if_else(pc.or_(nothing, sensitive), _NONE, as_written))
    rule = first_rule(
        ("word-placeholder", nothing),
        ("text-sensitive", sensitive),
        ("word-unknown", pc.and_(pc.is_null(word), pc.is_valid(text))),
    )
    return pa.table({"value": column, "word": word, "rule": rule})


def _plain(text: pa.Array) -> pa.Array:
    """Clean text as abmloop/refusals.yaml reads it: lower case, one space for whatever is no letter and no digit."""
    return pc.utf8_trim(pc.replace_substring_regex(pc.utf8_lower(text), r"[^\pL\pN]+", " "), " ")


def _no_consents(text: pa.Array) -> pa.Array:
    """`bought`, `scraped`, `public` or `register` where that is how a consent came about, else null."""
    plain, found = _plain(text), pa.nulls(len(text), pa.string())
    for kind, pattern in reversed(no_consent().items()):
        found = pc.if_else(pc.fill_null(pc.match_substring_regex(plain, pattern), False), kind, found)
    return found


def tells_no_consent(told: Values) -> bool:
    """Whether any of these words, on how a consent came about or its evidence, says that it was not given to us."""
    return bool(pc.any(pc.is_valid(_no_consents(clean_text(told)))).as_py())


def _refusals(text: pa.Array) -> pa.Array:
    """`unsubscribe` or `complaint` where clean text reads as one, else null: scores and consent see the same."""
    plain = pc.replace_substring_regex(_plain(text), patterns()["no_refusal"], " ")
    refuses, complains = (pc.match_substring_regex(plain, patterns()[name]) for name in ("refusal", "complaint"))
    found = pc.if_else(pc.fill_null(complains, False), "complaint", _NONE)
    return pc.if_else(pc.fill_null(refuses, False), "unsubscribe", found)


def parse_statuses(values: Values) -> pa.Table:
    """Company statuses: value, status (active, suspended, revoked, cancelled or unknown), rule."""
    parsed = parse_words(values, "company_status")
    text = clean_text(parsed["value"])
    guess = pa.nulls(len(text), pa.string())
    for status, pattern in reversed(_COMPANY_PATTERNS):
        guess = pc.if_else(pc.fill_null(pc.match_substring_regex(text, pattern), False), status, guess)
    status = pc.coalesce(parsed["word"].combine_chunks(), guess)
    unknown = pc.and_(pc.is_null(status), pc.is_valid(text))
    rule = first_rule(("status-unknown", unknown))
    status = pc.if_else(unknown, "unknown", status)
    return pa.table({"value": parsed["value"], "status": status, "rule": rule})
