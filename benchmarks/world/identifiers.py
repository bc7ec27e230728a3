"""Codes and numbers of companies and people: valid by their checksum or numbering plan, and nobody's on purpose."""

import numpy as np
import pandas as pd

from .common import pad, scatter, take, vocabulary

USCC_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
USCC_WEIGHTS = 3 ** np.arange(17) % 31  # GB 32100-2015
ORGANISATION_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])  # GB 11714-1997
SEVEN_DIGIT_AREAS = vocabulary("regions.csv").query("digits == '7'")["area_code"].tolist()
AMERICAN_AREA_CODES = [
    str(code) for code in (212, 216, 248, 303, 312, 313, 408, 412, 415, 503, 512, 614, 617, 713, 919)
]
_ORGANISATION_VALUE = np.zeros(256, dtype=np.int64)
_ORGANISATION_VALUE[np.frombuffer(ORGANISATION_ALPHABET, dtype=np.uint8)] = np.arange(36)
_USCC_VALUE = np.zeros(256, dtype=np.int64)
_USCC_VALUE[USCC_ALPHABET] = np.arange(31)


def unified_codes(city_codes: pd.Series, serial: np.ndarray, is_new: np.ndarray) -> pd.Series:
    """18-character USCCs of companies, distinct for distinct serials; new ones hold an 'MA…' organisation code."""
    count = len(serial)
    body = np.zeros((count, 17), dtype=np.uint8)
    body[:, 0:2] = np.frombuffer(b"91", dtype=np.uint8)
    body[:, 2:8] = np.frombuffer("".join(city_codes).encode(), dtype=np.uint8).reshape(count, 6)
    body[:, 8:16] = np.where(is_new[:, None], _new_organisations(serial), _old_organisations(serial))
    check = 11 - (_ORGANISATION_VALUE[body[:, 8:16]] * ORGANISATION_WEIGHTS).sum(axis=1) % 11
    body[:, 16] = np.frombuffer(b"?123456789X0", dtype=np.uint8)[check]
    last = USCC_ALPHABET[(31 - (_USCC_VALUE[body] * USCC_WEIGHTS).sum(axis=1) % 31) % 31]
    return _as_text(np.column_stack([body, last]))


def rounded_by_spreadsheet(codes: pd.Series) -> pd.Series:
    """All-digit codes as a spreadsheet leaves them: 15 significant digits, then zeros."""
    return codes.str.slice(0, 15) + "000"


def mobile_numbers(serial: np.ndarray) -> pd.Series:
    """Eleven-digit mobiles 1990…, distinct for distinct serials below five million."""
    digits = scatter(serial, 9_999_991, 7_368_787)
    return "1990" + pad(digits, 7)


def landlines(area_codes: pd.Series, serial: np.ndarray) -> pd.Series:
    """'0571-5xxxxxxx': area code and eight digits, seven where the place has no more."""
    digits = "5" + pad(scatter(serial, 9_999_991, 6_180_339), 7)
    return area_codes + "-" + digits.where(~area_codes.isin(SEVEN_DIGIT_AREAS), digits.str.slice(0, 7))


def foreign_phones(countries: pd.Series, serial: np.ndarray) -> pd.Series:
    """Numbers that the United States' and Britain's plans set apart for fiction; other countries have none here."""
    area_codes = take(AMERICAN_AREA_CODES, serial % len(AMERICAN_AREA_CODES))
    american = "+1 " + area_codes + " 555 01" + pad(serial // len(AMERICAN_AREA_CODES) % 100, 2)
    british = "+44 20 7946 0" + pad(serial % 1000, 3)
    return british.where(countries == "GB", american.where(countries == "US"))


def _new_organisations(serial: np.ndarray) -> np.ndarray:
    rest = scatter(serial, 31**6, 412_345_679)
    symbols = [USCC_ALPHABET[rest // 31**place % 31] for place in range(5, -1, -1)]
    prefix = np.broadcast_to(np.frombuffer(b"MA", dtype=np.uint8), (len(serial), 2))
    return np.column_stack([prefix, *symbols])


def _old_organisations(serial: np.ndarray) -> np.ndarray:
    # The last digit is never 0: a code that ends in 000 would look as if a spreadsheet had rounded it.
    rest = scatter(serial, 9_999_991, 6_180_339) * 10 + serial % 9 + 1
    return np.column_stack([(48 + rest // 10**place % 10).astype(np.uint8) for place in range(7, -1, -1)])


def _as_text(symbols: np.ndarray) -> pd.Series:
    rows = np.ascontiguousarray(symbols.astype(np.uint8))
    return pd.Series(rows.view(f"S{rows.shape[1]}").ravel().astype(str), dtype="str")
