"""Personal secrets where they do not belong: identity cards, bank cards, passwords and health notes in free text."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from scoring.values.checksums import is_person_id

_CARD = re.compile(r"(?<!\d)[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])")
_BANK = re.compile(r"(?<!\d)(?:62|4\d|5[1-5])\d{2}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}(?:[ -]?\d{1,3})?(?!\d)")
_BANK_SAID = re.compile(r"(?:银行卡|信用卡|卡号|储蓄卡|card\s*(?:no|number))\D{0,6}\d[\d -]{13,22}\d", re.I)
_CARD_SAID = re.compile(r"身份证\D{0,6}(?:\d{17}[\dXx]|\d{15})(?!\d)")
_PASSWORD = r"(?i)(?:密码|口令|password|passwd|\bpwd)\s*(?:[:：=]|是|为)"
# Words about a person's health, not about goods: a scope of business names illnesses too.
_HEALTH = (
    r"(?i)身患|患有|患癌|确诊(?:为|了|患)|(?:正在|已|在家)(?:化疗|住院)|怀孕(?:了|中|期间|\d)|休产假|请?病假|残疾证|既往病史|过敏史"
    r"|(?:患|有)(?:抑郁|精神分裂|癫痫|乙肝)|(?:HIV|乙肝)\s*阳性|体检(?:异常|不合格)"
    r"|diagnosed with|(?:is|was) pregnant|on sick leave|HIV[- ]positive|disability certificate"
)
# Nothing that is found lacks one of these; one pass settles nearly every text.
LOOKS = rf"\d(?:[ -]?\d){{13}}|{_PASSWORD}|{_HEALTH}"


def is_sensitive(cleaned: pa.Array) -> pa.Array:
    """Whether a text holds an identity card, a bank card, a password or a note about somebody's health.

    Numbers count where their checksum holds, or where the text says what they are. Source: catalogue V30.
    """
    looks = pc.fill_null(pc.match_substring_regex(cleaned, LOOKS), False)
    flags = [_holds_secret(text) for text in cleaned.filter(looks).to_pylist()]
    return pc.replace_with_mask(pa.repeat(pa.scalar(False), len(cleaned)), looks, pa.array(flags, pa.bool_()))


def _holds_secret(text: str) -> bool:
    if re.search(_PASSWORD, text) or re.search(_HEALTH, text) or _CARD_SAID.search(text) or _BANK_SAID.search(text):
        return True
    cards = [found.upper() for found in _CARD.findall(text)]
    if cards and any(is_person_id(pa.array(cards)).to_pylist()):
        return True
    return any(_closes_by_luhn(re.sub(r"\D", "", found)) for found in _BANK.findall(text))


def _closes_by_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1: from the right every second digit doubled, the digits of all summed."""
    numbers = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number // 10 + number % 10 for number in numbers) % 10 == 0
