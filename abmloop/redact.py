"""What no log, error or note may show: secrets, numbers and addresses of people. Source: spec 12-security S31."""

import logging
import os
import re
from collections.abc import Mapping

_MOBILE = r"(?:\+?86[ -]?|0086[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
_PHONE = re.compile(rf"(?<![0-9A-Za-z.])(?:{_MOBILE}|\+\d{{8,15}}|0\d{{2,3}}-\d{{7,8}})(?![0-9A-Za-z])")
_MAIL = re.compile(r"(?<![\w.+%-])([\w+%-])[\w.+%-]{0,63}@(?=[\w-]{1,63}\.)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_NAMED = re.compile(
    r"(?i)((?:password|passwd|secret|token|api[_-]?key|permanent[_-]?code|authorization)[\w-]{0,20}"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?!\*)[^\s\"'&,;}]{4,}"
)
# A variable of that kind holds a secret; shorter values are words that stand in any text.
_SECRET_NAME = re.compile(r"(?:SECRET|TOKEN|PASSWORD|PASSWD|PERMANENT_CODE|_KEY|_PASS)$")
_LEAST_SECRET = 8


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without values of secret variables, bearer tokens, `key=…`, phone numbers and mail addresses."""
    for value in _secrets(environment):
        text = text.replace(value, "***")
    text = _NAMED.sub(r"\1***", _BEARER.sub(r"\1 ***", text))
    return _PHONE.sub(_masked, _MAIL.sub(r"\1***@", text))


def _secrets(environment: Mapping[str, str]) -> list[str]:
    found = {value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _LEAST_SECRET}
    return sorted(found, key=lambda value: (-len(value), value))


def _masked(found: re.Match[str]) -> str:
    """138****8000, as everywhere."""
    digits = re.sub(r"[ -]", "", found[0])
    return f"{digits[:-8]}****{digits[-4:]}" if len(digits) > 8 else "****"


class Redacting(logging.Filter):
    """Lets every record through, redacted: whatever handler it comes to, also those that other programs install."""

    def filter(self, record: logging.LogRecord) -> bool:
        """The record's text as it will be shown, and its exception's."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
