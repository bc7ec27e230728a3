"""Mail addresses and numbers as each ad platform takes them: refused, normalised, hashed. Hashes are never kept."""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.emails import parse_emails
from scoring.values.phones import parse_phones
from scoring.values.text import Values, as_column, first_rule

_NONE = pa.scalar(None, pa.string())
# What MD5, SHA-1, SHA-256 and SHA-512 look like in hexadecimal: hashed once more they would match nobody.
_HASHED = r"^\s*(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})\s*$"
_REACHABLE = ("mobile", "virtual", "foreign")
_PERSONAL = ("personal", "corporate")
_MAINLAND_MOBILE = r"^\+86(1[3-9]\d{9})$"
_GOOGLE_MAIL = r"^[^@]*@(?:gmail|googlemail)\.com$"


def email_faults(values: Values) -> pa.Array:
    """Why an address is not hashed; null where it may be: none, hashed, invalid, role, disposable.

    Source: spec 13-privacy P43; catalogue V09, V10.
    """
    column = as_column(values)
    parsed = parse_emails(pc.fill_null(column, ""))
    kind = pc.fill_null(parsed["kind"].combine_chunks(), "invalid")
    return first_rule(
        ("none", pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)),
        ("hashed", pc.match_substring_regex(column, _HASHED)),
        ("invalid", pc.or_(pc.is_null(parsed["email"].combine_chunks()), pc.equal(kind, "invalid"))),
        ("role", pc.equal(kind, "role")),
        ("disposable", pc.equal(kind, "disposable")),
        ("invalid", pc.invert(pc.is_in(kind, pa.array(_PERSONAL)))),
    )


def phone_faults(values: Values) -> pa.Array:
    """Why a number is not hashed; null where it may be: none, hashed, masked, invalid (also invented), not_a_mobile.

    Source: spec 13-privacy P43; catalogue V01, V06, V07.
    """
    column = as_column(values)
    parsed = parse_phones(pc.fill_null(column, ""))
    kind = pc.fill_null(parsed["kind"].combine_chunks(), "invalid")
    return first_rule(
        ("none", pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)),
        ("hashed", pc.match_substring_regex(column, _HASHED)),
        ("masked", pc.equal(kind, "masked")),
        ("invalid", pc.or_(pc.is_null(parsed["phone"].combine_chunks()), pc.equal(kind, "invalid"))),
        ("not_a_mobile", pc.invert(pc.is_in(kind, pa.array(_REACHABLE)))),
    )


def google_emails(values: Values) -> pa.Array:
    """Lower case without blanks; at Google's own mail also without dots and without what follows a plus.

    Source: developers.google.com/data-manager/api/devguides/concepts/formatting.
    """
    text = pc.utf8_lower(pc.replace_substring_regex(as_column(values), r"[\s\p{Z}]+", ""))
    local = pc.replace_substring_regex(pc.replace_substring_regex(text, "@.*$", ""), r"\+.*$", "")
    plain = pc.binary_join_element_wise(
        pc.replace_substring(local, ".", ""), pc.replace_substring_regex(text, "^[^@]*@", ""), "@"
    )
    return pc.if_else(pc.match_substring_regex(text, _GOOGLE_MAIL), plain, text)


def google_phones(values: Values) -> pa.Array:
    """E.164 with its plus; null where the number cannot be read."""
    return parse_phones(values)["phone"].combine_chunks()


def google_names(values: Values) -> pa.Array:
    """Lower case, without blanks around and without titles in front (Mr, Mrs, Dr) or suffixes behind (Jr)."""
    text = pc.utf8_trim_whitespace(pc.utf8_lower(as_column(values)))
    text = pc.replace_substring_regex(text, r"^(?:mr|mrs|ms|miss|dr|prof)\.?\s+", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r",?\s+(?:jr|sr|ii|iii|iv|phd|md)\.?$", ""))


def google_postcodes(values: Values, countries: Values) -> pa.Array:
    """Postal codes without blanks around, not hashed; the four digits of an extension only in the United States."""
    text = pc.utf8_trim_whitespace(as_column(values))
    short = pc.replace_substring_regex(text, r"^(\d{5})-\d{4}$", r"\1")
    return pc.if_else(pc.equal(as_column(countries), "US"), text, short)


def linkedin_emails(values: Values) -> pa.Array:
    """Lower case, without blanks around. Source: learn.microsoft.com/linkedin/marketing/matched-audiences."""
    return pc.utf8_lower(pc.utf8_trim_whitespace(as_column(values)))


def tencent_phones(values: Values) -> pa.Array:
    """The eleven digits of a mainland mobile without +86; null for any other number, which the platform cannot know.

    Source: developers.e.qq.com/docs/audience_management/file (HASH_MOBILE_PHONE: eleven digits before hashing).
    """
    number = google_phones(values)
    is_mainland = pc.match_substring_regex(number, _MAINLAND_MOBILE)
    return pc.if_else(is_mainland, pc.replace_substring_regex(number, _MAINLAND_MOBILE, r"\1"), _NONE)


def sha256_hex(values: Values) -> pa.Array:
    """SHA-256 of the UTF-8 text in lower-case hexadecimal."""
    return _digests(values, "sha256")


def md5_hex(values: Values) -> pa.Array:
    """MD5 in lower-case hexadecimal: the wire format of one platform, no protection (S44)."""
    return _digests(values, "md5")


def _digests(values: Values, name: str) -> pa.Array:
    texts = as_column(values).to_pylist()
    made = [
        None if text is None else hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest() for text in texts
    ]
    return pa.array(made, pa.string())
