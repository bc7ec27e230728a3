"""Agreement with the reference cases, which were built independently and checked against several public packages."""

import csv
from collections import defaultdict
from pathlib import Path

import pyarrow.csv as pacsv
import pytest

from tasks.attribute.files import attribute_files
from tasks.attribute.paths import attribute_paths

pytestmark = pytest.mark.shared_data

ACCOUNT_MODELS = {
    "first": "first_touch",
    "last": "last_touch",
    "linear": "linear",
    "position": "position_based",
    "decay_halflife_7d": "time_decay",
    "w_shape": "w_shaped",
}
PATH_MODELS = {
    "first": "first_touch",
    "last": "last_touch",
    "linear": "linear",
    "linear_unique": "linear_distinct",
    "position": "position_based",
    "shapley_cumulative": "shapley",
    "shapley_rate": "shapley_rate",
    "markov": "markov",
}
PATH_CASES = ["toy", "edge_names_loops", "ca_demo_rows_0_4999"]
CLOSE = {"rel": 1e-9, "abs": 1e-9}


def _expected(path: Path) -> dict[tuple[str, str], dict[tuple[str, str], float]]:
    """(model, params) → (channel or campaign, metric) → value."""
    groups: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    with path.open(newline="", encoding="utf-8") as handle:
        for model, params, name, metric, value in list(csv.reader(handle))[1:]:
            groups[model, params][name, metric] = float(value)
    return groups


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _write(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *rows])
    return path


@pytest.fixture
def account_case(shared_data: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The account case as our two files: touches and deals."""
    folder = shared_data / "attribution" / "account_level_small"
    account = {row["contact_id"]: row["account_id"] for row in _rows(folder / "contact.csv")}
    touches = [
        [row["touch_id"], account[row["contact_id"]], row["campaign_id"], "", row["ts"]]
        for row in _rows(folder / "touch.csv")
    ]
    deals = [
        [row[name] for name in ("opp_id", "account_id", "amount", "created_ts", "closed_ts", "mql_ts", "won")]
        for row in _rows(folder / "opp.csv")
    ]
    touch_names = ["touch_id", "account_id", "campaign_id", "channel", "occurred_at"]
    deal_names = ["deal_id", "account_id", "amount", "created_at", "closed_at", "lead_created_at", "status"]
    return (
        _write(tmp_path / "touches.csv", touch_names, touches),
        _write(tmp_path / "deals.csv", deal_names, deals),
    )


@pytest.mark.parametrize("theirs", ACCOUNT_MODELS)
@pytest.mark.parametrize("anchor", ["created", "closed"])
@pytest.mark.parametrize("days", [30, 90])
def test_account_models_agree(
    shared_data: Path, account_case: tuple[Path, Path], tmp_path: Path, theirs: str, anchor: str, days: int
) -> None:
    out = tmp_path / "credits.csv"
    attribute_files(*account_case, ACCOUNT_MODELS[theirs], anchor, days, "every_touch", out)
    amount = {row["deal_id"]: float(row["amount"]) for row in _rows(account_case[1])}
    found: dict[tuple[str, str], float] = defaultdict(float)
    for row in pacsv.read_csv(out).to_pylist():
        found[str(row["campaign_id"]), "opps"] += row["weight"]
        found[str(row["campaign_id"]), "amount"] += row["weight"] * amount[str(row["deal_id"])]
    expected = _expected(shared_data / "attribution" / "account_level_small" / "expected.csv")
    wanted = expected[theirs, f"anchor={anchor}_ts;lookback_days={days}"]
    assert {key: found[key] for key in wanted} == pytest.approx(wanted, **CLOSE)


@pytest.mark.parametrize("case", PATH_CASES)
def test_path_models_agree(shared_data: Path, tmp_path: Path, case: str) -> None:
    folder = shared_data / "attribution" / case
    compared = 0
    for (theirs, params), wanted in _expected(folder / "expected.csv").items():
        if theirs not in PATH_MODELS:
            continue  # definitions of other packages, not ours
        given = dict(part.split("=") for part in params.split(";")) if theirs == "markov" else {}
        steps = given.get("max_step", "inf")
        out = tmp_path / "credits.csv"
        attribute_paths(
            folder / "paths.csv",
            PATH_MODELS[theirs],
            int(given.get("order", 1)),
            given.get("null") == "no",
            None if steps == "inf" else int(steps),
            out,
        )
        rows = _rows(out)
        assert {(row["model"], row["params"]) for row in rows} == {(PATH_MODELS[theirs], params)}
        found = {(row["channel"], row["metric"]): float(row["value"]) for row in rows}
        assert {key: found[key] for key in wanted} == pytest.approx(wanted, **CLOSE), (theirs, params)
        compared += 1
    assert compared == 19
