"""Check digits of registration codes and identity cards, for whole columns at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# GB 32100-2015: 31 symbols without I, O, S, V, Z; weights 3^i mod 31; the last symbol closes the sum.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int32)
# GB 11714-1997: organisation code, eight symbols and a check of 11 − sum mod 11.
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
# GB 11643-1999: identity card of a person.
_PERSON_WEIGHTS = np.array([pow(2, 17 - i, 11) for i in range(17)], dtype=np.int32)


def _symbols(codes: pa.Array, alphabet: str, length: int) -> npt.NDArray[np.int32]:
    """Position of each symbol in the alphabet, rows × length; −1 for any other. Every code must have `length` bytes."""
    places = np.full(256, -1, dtype=np.int32)
    places[np.frombuffer(alphabet.encode(), dtype=np.uint8)] = np.arange(len(alphabet))
    text = "".join(codes.to_pylist()).encode()
    symbols: npt.NDArray[np.int32] = places[np.frombuffer(text, dtype=np.uint8)].reshape(len(codes), length)
    return symbols


def holds(codes: pa.Array, pattern: str, closes: Callable[[pa.Array], npt.NDArray[np.bool_]]) -> pa.Array:
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
    return holds(codes, f"[{USCC_ALPHABET}]{{18}}", _uscc_closes)


def is_organisation_code(codes: pa.Array) -> pa.Array:
    """True for nine symbols whose check holds (GB 11714-1997)."""
    return holds(codes, r"[0-9A-Z]{8}[0-9X]", _organisation_closes)


def is_person_id(codes: pa.Array) -> pa.Array:
    """True for 18 symbols with a day of birth whose check holds (GB 11643-1999)."""
    return holds(codes, r"[1-9]\d{5}(19|20)\d{9}[\dX]", _person_closes)


def is_registration_no(codes: pa.Array) -> pa.Array:
    """True for 15 digits whose check holds (GS 15-2006, ISO 7064 MOD 11,10)."""
    return holds(codes, r"\d{15}", _registration_closes)


def _registration_closes(codes: pa.Array) -> npt.NDArray[np.bool_]:
    digits = _symbols(codes, "0123456789", 15)
    check = np.full(len(codes), 10)
    for place in range(14):
        check = (check + digits[:, place]) % 10
        check = np.where(check == 0, 10, check) * 2 % 11
    closed: npt.NDArray[np.bool_] = (check + digits[:, 14]) % 10 == 1
    return closed
