"""Mail addresses of a cell: mended where there is one reading only, told apart by whose mailbox it is."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.cells import BREAK, Rows, join_cells, split_cells
from scoring.values.domains import domains_of, shared_domains
from scoring.values.text import Values, as_column, clean_text, first_rule, in_order, is_placeholder, is_same_as_above

_NONE = pa.scalar(None, pa.string())
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?"
_SYNTAX = rf"^[a-z0-9_](?:[a-z0-9.!#$%&'*+/=?^_{{|}}~-]*[a-z0-9_+-])?@{_LABEL}(\.{_LABEL})+$"
_SEPARATORS = r"[;；、，|\n\r<>()]+"
# These part two addresses only where another one follows.
_WEAK_SEPARATORS = (r",([^,@]*@)", r"/([^/@]*@)", r"\s+([^\s@]+@)")
_LOOK_ALIKE = r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}"


def parse_emails(values: Values) -> pa.Table:
    """Addresses: value, email, emails (all of the cell, in order), kind, domain (registrable), domain_kind, suggestion,
    rule.

    Lower case, no name, no `mailto:`. `kind` is personal (free mail), corporate, role (info@, sales@), disposable or
    invalid; a likely typing mistake of a domain (qq.con) makes an address invalid, and what it may have meant is only
    ever a `suggestion`.

    Source: spec 02-directory (e-mail), catalogue V10-V13.
    """
    column = as_column(values)
    text = clean_text(column)
    nothing = pc.or_(is_placeholder(text), is_same_as_above(text))
    single = pc.and_(pc.fill_null(pc.match_substring_regex(pc.utf8_lower(text), _SYNTAX), False), pc.invert(nothing))
    rest = column.filter(pc.invert(single))
    return in_order(
        single,
        _parse_pieces(pc.utf8_lower(text.filter(single)), column.filter(single)),
        _parse_cells(text.filter(pc.invert(single)), rest, nothing.filter(pc.invert(single))),
    )


def _parse_pieces(emails: pa.Array, values: pa.Array) -> pa.Table:
    """Addresses that stand alone in their cell."""
    domain, domain_kind = domains_of(pc.replace_substring_regex(emails, "^.*@", ""))
    parsed = _judged(emails, domain, domain_kind)
    good = parsed["email"].combine_chunks()
    lengths = pc.cast(pc.is_valid(good), pa.int32()).to_numpy(zero_copy_only=False)
    offsets = pa.array([0, *lengths.cumsum().tolist()], pa.int32())
    emails_column = pa.ListArray.from_arrays(offsets, good.drop_null())
    return _table(values, parsed, emails_column)


def _table(values: pa.Array, parsed: pa.Table, emails: pa.Array) -> pa.Table:
    return pa.table(
        {
            "value": values,
            "email": parsed["email"],
            "emails": emails,
            "kind": parsed["kind"],
            "domain": parsed["domain"],
            "domain_kind": parsed["domain_kind"],
            "suggestion": parsed["suggestion"],
            "rule": parsed["rule"],
        }
    )


def _judged(emails: pa.Array, domain: pa.Array, domain_kind: pa.Array, mended: pa.Array | None = None) -> pa.Table:
    """One address each (lower case, syntax not yet checked): email, kind, domain, domain_kind, suggestion, rule."""
    lists = shared_domains()
    host = pc.replace_substring_regex(emails, "^.*@", "")
    local = pc.replace_substring_regex(emails, r"@.*$|\+.*$", "")
    well_formed = pc.fill_null(pc.match_substring_regex(emails, _SYNTAX), False)
    double = pc.match_substring(emails, "..")
    typo = pc.fill_null(pc.is_in(host, pa.array(list(lists["typos"]))), False)
    look_alike = pc.match_substring_regex(host, _LOOK_ALIKE)
    bad = pc.or_(pc.invert(well_formed), pc.or_(pc.is_null(domain), pc.or_(typo, pc.or_(look_alike, double))))
    bad = pc.fill_null(bad, True)
    kind = first_rule(
        ("invalid", bad),
        ("disposable", pc.equal(domain_kind, "disposable")),
        ("personal", pc.equal(domain_kind, "free")),
        ("role", pc.is_in(local, pa.array(lists["roles"]))),
        ("corporate", pc.is_valid(emails)),
    )
    rule = first_rule(
        ("email-domain-typo", typo),
        ("email-look-alike", look_alike),
        ("email-invalid", bad),
        ("email-mended", mended if mended is not None else pa.repeat(pa.scalar(False), len(emails))),
    )
    keep = pc.invert(bad)
    return pa.table(
        {
            "email": pc.if_else(keep, emails, _NONE),
            "kind": kind,
            "domain": pc.if_else(keep, domain, _NONE),
            "domain_kind": pc.if_else(keep, domain_kind, _NONE),
            "suggestion": pc.if_else(typo, _corrected(emails, host), _NONE),
            "rule": rule,
        }
    )


def _corrected(emails: pa.Array, host: pa.Array) -> pa.Array:
    """Addresses with the domain that a mistyped one may have meant; null for others."""
    typos = shared_domains()["typos"]
    meant = pa.array(list(typos.values())).take(pc.index_in(host, pa.array(list(typos))))
    return pc.binary_join_element_wise(pc.replace_substring_regex(emails, "@.*$", ""), meant, "@")


def _parse_cells(text: pa.Array, values: pa.Array, nothing: pa.Array) -> pa.Table:
    """Cells with names, several addresses or mistakes."""
    pieces, rows = _pieces(text)
    mended = pc.replace_substring_regex(pc.replace_substring_regex(pieces, r"\s+", ""), r"^([^@]+@[^@.]+),", r"\1.")
    mended = pc.replace_substring_regex(mended, r"(@.*[^.])\.{2,}", r"\1.")
    domain, domain_kind = domains_of(pc.replace_substring_regex(mended, "^.*@", ""))
    parsed = _judged(mended, domain, domain_kind, pc.not_equal(mended, pieces))
    no_address = nothing.take(pa.array(rows))
    parsed = parsed.set_column(0, "email", pc.if_else(no_address, _NONE, parsed["email"].combine_chunks()))
    cells, emails = join_cells(parsed, rows, "email", "email-part-refused", len(values))
    kind = pc.if_else(nothing, _NONE, cells["kind"].combine_chunks())
    rule = pc.if_else(nothing, "email-placeholder", cells["rule"].combine_chunks())
    cells = cells.set_column(cells.column_names.index("kind"), "kind", kind)
    return _table(values, cells.set_column(cells.column_names.index("rule"), "rule", rule), emails)


def _pieces(text: pa.Array) -> tuple[pa.Array, Rows]:
    """What may be an address in each cell, lower case: all pieces with an @, else the first; and the cell of each."""
    bare = pc.replace_substring_regex(pc.utf8_lower(text), r"mailto:|邮箱\s*[:：]|e-?mail\s*[:：]", "")
    bare = pc.replace_substring_regex(bare, r"\s*@\s*", "@")
    bare = pc.replace_substring_regex(bare, _SEPARATORS, BREAK)
    for separator in _WEAK_SEPARATORS:
        bare = pc.replace_substring_regex(bare, separator, rf"{BREAK}\1")
    pieces, rows = split_cells(bare)
    pieces = pc.utf8_trim(pieces, "\"'.,")
    has_at = pc.match_substring(pieces, "@").to_numpy(zero_copy_only=False)
    firsts = np.zeros(len(rows), dtype=bool)
    firsts[np.unique(rows, return_index=True)[1]] = True
    kept = has_at | (firsts & ~np.isin(rows, rows[has_at]))
    return pieces.filter(pa.array(kept)), rows[kept]
