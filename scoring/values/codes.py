"""Registration codes: the unified social credit code (GB 32100-2015) and its neighbours, told apart and checked."""

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.checksums import USCC_ALPHABET, is_organisation_code, is_person_id, is_registration_no, is_uscc
from scoring.values.foreign_codes import type_foreign
from scoring.values.text import Values, as_column, first_rule, in_order, is_placeholder, undo_spreadsheet

__all__ = ["USCC_ALPHABET", "is_uscc", "parse_codes"]

_NONE = pa.scalar(None, pa.string())


def parse_codes(values: Values) -> pa.Table:
    """Codes typed: value, uscc, uscc_state, registration_no, organisation_code, kind, rule.

    `uscc_state` is valid, repaired (O and I read as 0 and 1, the checksum then holds), suspect (all digits and ending
    in 000, as a spreadsheet rounds them: never kept) or invalid; null where the value is no such code. `kind` is uscc,
    registration_no, organisation_code, tax_no (15 characters, until 2015), person_id (never kept), lei, vat, duns,
    hk_br, tw_ubn, number_8 (eight bare digits, as in Hong Kong and Taiwan), other or null. `registration_no` of a kind
    that is not China's has the kind in front (LEI:…), so that numbers are never compared across kinds.
    `organisation_code` is also cut from a USCC (places 9-17) and from a tax number (7-15). 1.5 million codes take about
    a second, since most are settled by their checksum alone.

    Source: spec 02-directory (codes), catalogue V18-V20, M7.
    """
    column = as_column(values)
    settled = pc.and_(is_uscc(column), pc.invert(pc.or_(_is_rounded(column), _is_rather_a_person(column))))
    good = column.filter(settled)
    nothing = pa.nulls(len(good), pa.string())
    fine = _table(
        good, good, _same("valid", good), nothing, pc.utf8_slice_codeunits(good, 8, 17), _same("uscc", good), nothing
    )
    return in_order(settled, fine, _parse_unsettled(column.filter(pc.invert(settled))))


def _same(text: str, like: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(text), len(like))


def _table(*columns: pa.Array) -> pa.Table:
    names = ("value", "uscc", "uscc_state", "registration_no", "organisation_code", "kind", "rule")
    return pa.table(dict(zip(names, columns, strict=True)))


def _is_rounded(codes: pa.Array) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(codes, r"^\d{15}000$"), False)


def _is_rather_a_person(codes: pa.Array) -> pa.Array:
    """Identity cards whose digits happen to close as a credit code too: region, day of birth and check all hold.

    A code of a company begins with 9; of other bodies' codes one in ten thousand looks like this.
    """
    dated = _matches(codes, r"^[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$")
    return pc.and_(dated, is_person_id(pc.if_else(dated, codes, _NONE)))


def _matches(codes: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(codes, pattern), False)


def _parse_unsettled(column: pa.Array) -> pa.Table:
    """The same for values that are not just a valid code."""
    plain = undo_spreadsheet(column)
    code = pc.utf8_upper(pc.replace_substring_regex(plain, r"\.0+$|[\s_.·—-]+", ""))
    mended = pc.replace_substring(pc.replace_substring(code, "O", "0"), "I", "1")
    person = _is_rather_a_person(code)
    holds, mended_holds = (pc.and_(is_uscc(text), pc.invert(person)) for text in (code, mended))
    rounded = _is_rounded(code)
    lost = _matches(plain, r"^\d(\.\d+)?[eE]\+?\d+$")
    nothing = pc.or_(is_placeholder(plain), pc.and_(pc.is_null(plain), pc.is_valid(column)))
    other_kind, number = _other_kinds(plain, code)
    other_kind = pc.if_else(pc.or_(holds, pc.or_(rounded, nothing)), _NONE, other_kind)
    typed = pc.and_(pc.is_valid(other_kind), pc.invert(pc.fill_null(pc.equal(other_kind, "person_id"), False)))
    looks = pc.and_(_matches(code, r"^[0-9A-Z]{16,20}$"), pc.is_null(other_kind))
    state = first_rule(
        ("suspect", rounded), ("valid", holds), ("repaired", mended_holds), ("invalid", pc.or_(looks, lost))
    )  # fmt: skip
    uscc = pc.if_else(pc.and_(mended_holds, pc.invert(rounded)), mended, _NONE)
    rule = first_rule(
        ("code-placeholder", nothing),
        ("code-scientific", lost),
        ("code-rounded", rounded),
        ("code-formatted", holds),
        ("code-letters", mended_holds),
        ("code-person-id", pc.equal(other_kind, "person_id")),
        ("code-length", pc.and_(looks, pc.not_equal(pc.utf8_length(code), 18))),
        ("code-characters", pc.and_(looks, _matches(code, f"[^{USCC_ALPHABET}]"))),
        ("code-checksum", looks),
        ("code-unknown", pc.and_(pc.is_valid(code), pc.invert(typed))),
    )
    is_other = pc.and_(pc.is_valid(code), pc.invert(nothing))
    kind = pc.coalesce(first_rule(("uscc", pc.is_valid(state))), other_kind, first_rule(("other", is_other)))
    own = pc.coalesce(
        pc.if_else(pc.equal(other_kind, "organisation_code"), code, _NONE),
        pc.if_else(pc.equal(other_kind, "tax_no"), pc.utf8_slice_codeunits(code, 6, 15), _NONE),
        pc.utf8_slice_codeunits(uscc, 8, 17),
    )
    return _table(column, uscc, state, pc.if_else(typed, number, _NONE), own, kind, rule)


def _other_kinds(plain: pa.Array, code: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Kind of what is no credit code, and its number as `registration_no` shows it; both null where none is known."""
    fifteen = _matches(code, r"^\d{15}$")
    tax = pc.and_(_matches(code, r"^\d{6}[0-9A-Z]{9}$"), is_organisation_code(pc.utf8_slice_codeunits(code, 6, 15)))
    tax = pc.and_(tax, pc.invert(is_registration_no(code)))
    foreign, foreign_number = type_foreign(plain)
    kind = pc.coalesce(
        first_rule(("person_id", is_person_id(code)), ("tax_no", tax)),
        first_rule(
            ("registration_no", pc.or_(fifteen, _matches(code, r"^\d{6}NA\d{6,9}[\dX]?$"))),
            ("organisation_code", is_organisation_code(code)),
        ),
    )
    # A mark or a checksum of another country's tells more than the shape of an organisation code.
    kind = pc.coalesce(foreign, kind, first_rule(("number_8", _matches(code, r"^\d{8}$"))))
    number = pc.coalesce(foreign_number, code)
    marked = pc.binary_join_element_wise(pc.utf8_upper(kind), number, ":")
    at_home = pc.is_in(kind, pa.array(["tax_no", "organisation_code", "person_id"]))
    shown = pc.if_else(pc.equal(kind, "registration_no"), code, pc.if_else(at_home, _NONE, marked))
    return kind, shown
