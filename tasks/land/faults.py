"""What can be wrong with a file or a row, as data: a rule's name and the fields its message needs."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from abmloop.errors import BadFile
from abmloop.messages import said

Action = Literal["reject_row", "null_value", "flag"]
# At most this much of a found value is kept beside its fault; the whole row stands in `raw_row`.
SHOWN_CHARACTERS = 200


class Refused(BadFile):
    """A whole file is refused. `rule` names the message `land_<rule>`, `fields` fill it."""

    def __init__(self, rule: str, **fields: Any) -> None:
        self.rule, self.fields = rule, fields
        super().__init__(said(f"land_{rule}", **fields))


@dataclass(frozen=True)
class RowFault:
    """A refused row, or an emptied or flagged value, with its place: `line` physical, `record` counted, from 1."""

    action: Action
    rule: str
    line: int
    record: int
    sheet: str | None = None
    column: str | None = None
    value: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    raw_row: str | None = None
    row_hash: str | None = None

    def row(self) -> dict[str, Any]:
        """The fault as a row of the raw store."""
        return {
            "action": self.action,
            "rule": self.rule,
            "sheet": self.sheet,
            "line": self.line,
            "record": self.record,
            "column_name": self.column,
            "value": self.value[:SHOWN_CHARACTERS] if self.value is not None else None,
            "fields": json.dumps(self.fields, ensure_ascii=False, sort_keys=True),
            "raw_row": self.raw_row,
            "row_hash": self.row_hash,
        }


@dataclass(frozen=True)
class CellFault:
    """A cell that cannot be taken as it stands: it empties the cell, or its row is refused where the column must be."""

    row: int  # position in the block, from 0
    column: int  # position in the sheet, from 0
    rule: str
    value: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


def text_row(text: str) -> str:
    """The `raw_row` of what could not be split into cells."""
    return json.dumps({"text": text}, ensure_ascii=False)
