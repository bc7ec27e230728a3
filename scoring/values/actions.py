"""The table of actions: whether a value is mended, emptied, flagged, or takes its row along."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from abmloop.yaml_text import load_yaml

FILE = Path(__file__).with_name("actions.yaml")


@dataclass(frozen=True)
class Rule:
    """One rule: its action, other actions by kind of column, and the catalogue's lines that it answers."""

    name: str
    action: str
    by_kind: dict[str, str]
    catalogue: tuple[str, ...]


@cache
def _declared() -> dict[str, Any]:
    return dict(load_yaml(FILE.read_text(encoding="utf-8")))


@cache
def rules() -> dict[str, Rule]:
    """All rules by name."""
    return {
        name: Rule(name, about["action"], about.get("in", {}), tuple(about["catalogue"].split()))
        for name, about in _declared()["rules"].items()
    }


def rejecting_columns() -> dict[tuple[str, str], str]:
    """(entity, column) whose refused value takes the row with it → why."""
    return {
        (entity, column): why for entity, columns in _declared()["reject"].items() for column, why in columns.items()
    }


@dataclass(frozen=True)
class TooCommon:
    """From how many records of a source on a value is nobody's own: a share of them, and a number by column."""

    share: float
    least_records: dict[tuple[str, str], int]


def too_common() -> TooCommon:
    """When a value stands at too many records of one source to belong to any of them."""
    declared = _declared()["too_common"]
    least = {
        (entity, column): n for entity, columns in declared["least_records"].items() for column, n in columns.items()
    }
    return TooCommon(float(declared["share"]), least)


def kind_of(entity: str, column: str, column_type: str) -> str:
    """How a column is read."""
    declared = _declared()
    return str(declared["columns"].get(entity, {}).get(column) or declared["types"][column_type])
