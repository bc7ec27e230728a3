"""Every SQL model against its cases: given rows → expected rows (YAML beside this file, one file a model)."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.models.skeleton import Skeleton
from warehouse.models import all_models

HERE = Path(__file__).parent


def _cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*/*.yaml")):
        name = f"{path.parent.name}.{path.stem}"
        for case, body in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            yield pytest.param(name, body, id=f"{name}: {case}")


@pytest.fixture(scope="session")
def skeleton() -> Skeleton:
    """One empty warehouse for all cases; each case rolls its rows back."""
    return Skeleton()


def _plain(value: Any) -> Any:
    """Values as YAML would write them, so that 100.00 equals 100 and a time equals its text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return round(value, 9) if isinstance(value, float) else value


@pytest.mark.parametrize(("name", "case"), _cases())
def test_model_gives_the_expected_rows(skeleton: Skeleton, name: str, case: dict[str, Any]) -> None:
    for read in [*all_models()[name].reads, *case.get("given", {})]:
        skeleton.ensure(read)
    skeleton.con.execute("begin")
    try:
        for table, rows in case.get("given", {}).items():
            skeleton.fill(table, rows)
        for between in _between(name, case):
            skeleton.build(between, case.get("parameters", {}))
        found = skeleton.build(name, case.get("parameters", {}), case.get("where", "true"))
    finally:
        skeleton.con.execute("rollback")
    expected = case["expect"]
    columns = sorted({key for row in expected for key in row})
    shown = [{column: _plain(row[column]) for column in columns} for row in found]
    wanted = [{column: _plain(row.get(column)) for column in columns} for row in expected]
    assert sorted(shown, key=repr) == sorted(wanted, key=repr)


def _between(name: str, case: dict[str, Any]) -> list[str]:
    """The models between the given tables and the model under test, in order: all others are as empty as before.

    With parameters of its own a case builds all that is upstream: a model may make rows out of them alone.
    """
    given = case.get("given", {}).keys()
    fed, upstream = set(given), _upstream(name)
    for between, model in all_models().items():
        if between in upstream and between not in given and (model.reads & fed or case.get("parameters")):
            fed.add(between)
    return [between for between in all_models() if between in fed - given]


def _upstream(name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for read in all_models()[waiting.pop()].reads & all_models().keys():
            if read not in found:
                found.add(read)
                waiting.append(read)
    return found


def test_every_model_says_what_a_row_is_and_comments_every_column(skeleton: Skeleton) -> None:
    silent: list[str] = []
    for model in all_models().values():
        skeleton.ensure(model.name)
        columns = {row[0] for row in skeleton.con.execute(f"describe {model.name}").fetchall()}
        silent += [f"{model.name}: no description"] if not model.description.startswith("One row") else []
        silent += [f"{model.name}: no grain"] if not model.grain and model.kind == "table" else []
        silent += [f"{model.name}.{column}" for column in sorted(columns ^ model.columns.keys())]
    assert silent == [], "say them in the header: `-- column: name | meaning`"
