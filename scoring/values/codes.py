"""Registration codes: the unified social credit code (GB 32100-2015) and its neighbours, told apart and checked."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.text import Values, as_column, first_rule, in_order, is_placeholder, undo_spreadsheet

# GB 32100-2015: 31 symbols without I, O, S, V, Z; weights 3^i mod 31; the last symbol closes the sum.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int32)
# GB 11714-1997: organisation code, eight symbols and a check of 11 − sum mod 11.
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
# GB 11643-1999: identity card of a person.
_PERSON_WEIGHTS = np.array([pow(2, 17 - i, 11) for i in range(17)], dtype=np.int32)
_NONE = pa.scalar(None, pa.string())


def _symbols(codes: pa.Array, alphabet: str, length: int) -> npt.NDArray[np.int32]:
    """Position of each symbol in the alphabet, rows × length; −1 for any other. Every code must have `length` bytes."""
    places = np.full(256, -1, dtype=np.int32)
    places[np.frombuffer(alphabet.encode(), dtype=np.uint8)] = np.arange(len(alphabet))
    text = "".join(codes.to_pylist()).encode()
    symbols: npt.NDArray[np.int32] = places[np.frombuffer(text, dtype=np.uint8)].reshape(len(codes), length)
    return symbols


def _holds(codes: pa.Array, pattern: str, closes: Callable[[pa.Array], npt.NDArray[np.bool_]]) -> pa.Array:
    """Which codes fit the pattern and close their sum; false for null."""
    fits = pc.fill_null(pc.match_substring_regex(codes, f"^{pattern}$"), False)
    flags = np.zeros(len(codes), dtype=bool)
    mask = fits.to_numpy(zero_copy_only=False)
    if mask.any():
        flags[mask] = closes(codes.filter(fits))
    return pa.array(flags)


def _uscc_closes(codes: pa.Array) -> npt.NDArray[np.bool_]:
    symbols = _symbols(codes, USCC_ALPHABET, 18)
    closed: npt.NDArray[np.bool_] = (31 - symbols[:, :17] @ _USCC_WEIGHTS % 31) % 31 == symbols[:, 17]
    return closed


def _organisation_closes(codes: pa.Array) -> npt.NDArray[np.bool_]:
    symbols = _symbols(codes, _ORGANISATION_ALPHABET, 9)
    given = np.where(symbols[:, 8] == _ORGANISATION_ALPHABET.index("X"), 10, symbols[:, 8])
    closed: npt.NDArray[np.bool_] = (11 - symbols[:, :8] @ _ORGANISATION_WEIGHTS % 11) % 11 == given
    return closed


def _person_closes(codes: pa.Array) -> npt.NDArray[np.bool_]:
    symbols = _symbols(codes, "0123456789X", 18)
    closed: npt.NDArray[np.bool_] = (12 - symbols[:, :17] @ _PERSON_WEIGHTS % 11) % 11 == symbols[:, 17]
    return closed


def is_uscc(codes: pa.Array) -> pa.Array:
    """True for 18 symbols of the alphabet whose checksum holds."""
    return _holds(codes, f"[{USCC_ALPHABET}]{{18}}", _uscc_closes)


def parse_codes(values: Values) -> pa.Table:
    """Codes typed: value, uscc, uscc_state, registration_no, organisation_code, kind, rule.

    `uscc_state` is valid, repaired (O and I read as 0 and 1, the checksum then holds), suspect (all digits and ending
    in 000, as a spreadsheet rounds them: never kept) or invalid; null where the value is no such code. `kind` is uscc,
    registration_no, organisation_code, person_id (never kept), other or null. `organisation_code` is also cut from a
    USCC (places 9-17). 1.5 million codes take about two seconds, since most are settled by their checksum alone.

    Source: spec 02-directory (codes), catalogue V18-V20, M7.
    """
    column = as_column(values)
    settled = pc.and_(is_uscc(column), pc.invert(_is_rounded(column)))
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


def _matches(codes: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(codes, pattern), False)


def _parse_unsettled(column: pa.Array) -> pa.Table:
    """The same for values that are not just a valid code."""
    plain = undo_spreadsheet(column)
    code = pc.utf8_upper(pc.replace_substring_regex(plain, r"\.0+$|[\s_.·—-]+", ""))
    mended = pc.replace_substring(pc.replace_substring(code, "O", "0"), "I", "1")
    holds, mended_holds, rounded = is_uscc(code), is_uscc(mended), _is_rounded(code)
    lost = _matches(plain, r"^\d(\.\d+)?[eE]\+?\d+$")
    registration = _matches(code, r"^\d{15}$|^\d{6}NA\d{6,9}[\dX]?$")
    organisation = _holds(code, r"[0-9A-Z]{8}[0-9X]", _organisation_closes)
    person = pc.and_(pc.invert(holds), _holds(code, r"[1-9]\d{5}(19|20)\d{9}[\dX]", _person_closes))
    nothing = pc.or_(is_placeholder(plain), pc.and_(pc.is_null(plain), pc.is_valid(column)))
    looks = pc.and_(_matches(code, r"^[0-9A-Z]{16,20}$"), pc.invert(pc.or_(person, registration)))
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
        ("code-person-id", person),
        ("code-length", pc.and_(looks, pc.not_equal(pc.utf8_length(code), 18))),
        ("code-characters", pc.and_(looks, _matches(code, f"[^{USCC_ALPHABET}]"))),
        ("code-checksum", looks),
        ("code-unknown", pc.and_(pc.is_valid(code), pc.invert(pc.or_(registration, organisation)))),
    )
    kind = first_rule(
        ("uscc", pc.is_valid(state)), ("registration_no", registration), ("organisation_code", organisation),
        ("person_id", person), ("other", pc.and_(pc.is_valid(code), pc.invert(nothing))),
    )  # fmt: skip
    own = pc.if_else(organisation, code, pc.utf8_slice_codeunits(uscc, 8, 17))
    return _table(column, uscc, state, pc.if_else(registration, code, _NONE), own, kind, rule)
