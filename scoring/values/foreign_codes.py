"""Company numbers of other kinds than China's: told apart by their marks and checksums, never guessed."""

import re

import pyarrow as pa
import pyarrow.compute as pc
from stdnum import lei
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat
from stdnum.tw import ubn

# A bare run of digits is no mark: 9 of them may be a DUNS number, a French SIREN or an American EIN.
_MARKED = re.compile(
    r"^(LEI|VAT|USt-?IdNr\.?|D-?U-?N-?S|HK|BRN?|UBN|TW|[统統][一]?[编編][号號]?)\s*(?:No\.?)?\s*[:：#]?\s*", re.I
)
_DUNS_WRITTEN = re.compile(r"^\d{2}-\d{3}-\d{4}$")
_HONG_KONG_WRITTEN = re.compile(r"^(\d{8})-\d{3}(-\d{2}-\d{2}-[\dA-Z])?$")
_VAT_WRITTEN = re.compile(r"^[A-Z]{2}[0-9A-Z]{8,12}$")
# What is worth a look one by one; the checks of python-stdnum take microseconds each.
_LOOKS = (
    r"(?i)^[0-9A-Z]{18}\d{2}$|^[A-Z]{2}[0-9A-Z ]{8,14}$|^\d{2}-\d{3}-\d{4}$|^\d{8}-\d{3}"
    r"|^(lei|vat|ust|d-?u-?n-?s|hk|br|ubn|tw|[统統])"
)


def type_foreign(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Kind (lei, vat, duns, hk_br, tw_ubn) and plain number of each clean text; null for others."""
    looks = pc.fill_null(pc.match_substring_regex(texts, _LOOKS), False)
    found = [_typed(text) for text in texts.filter(looks).to_pylist()]
    nothing = pa.nulls(len(texts), pa.string())
    kinds = pc.replace_with_mask(nothing, looks, pa.array([kind for kind, _ in found], pa.string()))
    numbers = pc.replace_with_mask(nothing, looks, pa.array([number for _, number in found], pa.string()))
    return kinds, numbers


def _typed(text: str) -> tuple[str | None, str | None]:
    mark = _MARKED.match(text)
    said = re.sub(r"\W", "", mark[1]).upper() if mark else ""
    number = re.sub(r"[\s.]", "", text[mark.end() :] if mark else text).upper()
    plain = number.replace("-", "")
    if (not said or said == "LEI") and lei.is_valid(plain):
        return "lei", plain
    if (said == "DUNS" or (not said and _DUNS_WRITTEN.match(number))) and re.fullmatch(r"\d{9}", plain):
        return "duns", plain
    if said in ("", "HK", "BR", "BRN") and (written := _HONG_KONG_WRITTEN.match(number)):
        return "hk_br", written[1]
    if said in ("HK", "BR", "BRN") and re.fullmatch(r"\d{8}", plain):
        return "hk_br", plain
    if said and (said in ("TW", "UBN") or said[0] in "统統") and ubn.is_valid(plain):
        return "tw_ubn", plain
    if said in ("", "VAT", "USTIDNR") and _VAT_WRITTEN.match(plain):
        valid = gb_vat.is_valid(plain) if plain.startswith("GB") else eu_vat.is_valid(plain)
        return ("vat", plain) if valid else (None, None)
    return None, None
