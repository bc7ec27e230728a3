"""CSV that people open in Excel: RFC 4180, UTF-8 with BOM, no cell that a spreadsheet would run as a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from scoring.policies.crm import FieldType
from tasks.outbound.crm.base import Value

Profile = Literal["human", "machine"]

# ASVS 1.2.10 lists NUL, OWASP lists CR and LF: the union, and the full-width and small forms that NFKC makes the same.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
_BLANKS = " \u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
_STARTS_FORMULA = re.compile(f"[{_BLANKS}]*[{_SIGNS}\t\r\n\0]")
_LINE_STARTS_FORMULA = re.compile(f"[\r\n][{_BLANKS}]*[{_SIGNS}\t\0]")

# A value of these types that is in its type's form is data, not a formula, and must survive a round trip.
_TYPED_FORMS: dict[str, Callable[[str], object]] = {
    "phone": re.compile(r"\+[1-9]\d{4,14}").fullmatch,
    "integer": re.compile(r"-?\d{1,18}").fullmatch,
    "decimal": re.compile(r"-?\d{1,18}(\.\d{1,6})?").fullmatch,
    "date": re.compile(r"\d{4}-\d\d-\d\d").fullmatch,
    "time": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?").fullmatch,
    "boolean": re.compile(r"true|false").fullmatch,
}


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might read this text as a formula. Source: spec 12-security S15."""
    return bool(_STARTS_FORMULA.match(text) or _LINE_STARTS_FORMULA.search(text))


def safe_cell(value: Value, kind: FieldType = "text") -> str:
    """The text of a cell; what might be a formula gets a leading `'`. Typed values in their form go as they are."""
    text = plain_cell(value)
    form = _TYPED_FORMS.get(kind)
    if form and form(text):
        return text
    return f"'{text}" if is_formula(text) else text


def plain_cell(value: Value) -> str:
    """The text of a cell as it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def csv_bytes(columns: Mapping[str, FieldType], rows: Iterable[Sequence[Value]], profile: Profile) -> bytes:
    """A CSV file: `human` with BOM and safe cells, `machine` as the values are. Lines end with CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    kinds = list(columns.values())
    if profile == "human":
        writer.writerow([safe_cell(name) for name in columns])
        writer.writerows([safe_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows)
    else:
        writer.writerow(columns)
        writer.writerows([plain_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig" if profile == "human" else "utf-8")
