"""Our values in a vendor's form and back, so that what was written is recognised when it is read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from scoring.policies.crm import FieldType
from tasks.outbound.crm.base import Value

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,12})?")


def plain_decimal(value: Any) -> str:
    """A number with two decimals, or more where they are not zero: the one way in which amounts are compared."""
    number = Decimal(str(value))
    exponent = number.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{number:.{places}f}"


def as_text(kind: FieldType, value: Value) -> Value:
    """Every value as text: HubSpot and CSV take nothing else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def as_typed(kind: FieldType, value: Value) -> Any:
    """Numbers as numbers, the rest as text: Salesforce."""
    return float(str(value)) if kind == "decimal" and value is not None else value


def as_epoch(kind: FieldType, value: Value) -> Any:
    """Days and times as milliseconds, days at their midnight in China, numbers as text: Fxiaoke and Neocrm."""
    if value is None or kind not in ("date", "time", "integer", "decimal"):
        return value
    if kind in ("integer", "decimal"):
        return str(value)
    text = f"{value}T00:00:00+08:00" if kind == "date" else str(value).replace("Z", "+00:00")
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def read_value(kind: FieldType, value: Any) -> Value:
    """A value as they tell it in our form; what cannot be of that type comes as the text it is."""
    if value is None or value == "":
        return None
    reader = _READERS.get(kind)
    try:
        return reader(value) if reader else _text(value)
    except (ValueError, InvalidOperation, OverflowError):
        return _text(value)


def read_time(value: Any) -> datetime:
    """A time as milliseconds or ISO text, aware. Raises ValueError for anything else."""
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    if not isinstance(value, str) or not _ISO_TIME.fullmatch(value):
        raise ValueError("no time")
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(UTC)


def iso_time(value: Any) -> str | None:
    """A time in our form, UTC to the second; None where it is no time."""
    try:
        return read_time(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any) -> Value:
    return value if isinstance(value, str | int) else str(value)


def _integer(value: Any) -> Value:
    text = str(value)
    if not _NUMBER.fullmatch(text) or Decimal(text) != int(Decimal(text)):
        raise ValueError("no integer")
    return int(Decimal(text))


def _date(value: Any) -> Value:
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        # Their midnight is China's: eight hours later it is surely the same day in UTC.
        return datetime.fromtimestamp(int(value) / 1000 + 8 * 3600, UTC).strftime("%Y-%m-%d")
    return str(value)[:10]


def _boolean(value: Any) -> Value:
    words = {"true": True, "false": False}
    return value if isinstance(value, bool) else words.get(str(value).lower(), str(value))


_READERS: dict[str, Callable[[Any], Value]] = {
    "integer": _integer,
    "decimal": plain_decimal,
    "date": _date,
    "time": lambda value: iso_time(value) or _text(value),
    "boolean": _boolean,
    "text": str,
    "email": str,
    "phone": str,
}
