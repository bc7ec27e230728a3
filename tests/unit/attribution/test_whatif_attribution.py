"""What if deals were shared otherwise: what moves by campaign, and that nothing is written."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from abmloop.errors import BadPolicy, BadUsage
from cli.main import app
from scoring.policies.attribution import AttributionPolicy
from tasks.whatif.attribution import AttributionAnswer, whatif_attribution
from tasks.whatif.history import History, open_history, other_rules
from tests.faults.money_world import MoneyWorld


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deal of 100 won on 20 March after c1 in January, c2 in March by a contact of the deal."""
    found = tmp_path_factory.mktemp("whatif") / "workspace"
    (found / "inbox").mkdir(parents=True)
    (found / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    world = MoneyWorld(found)
    world.person("P2", "A1")
    world.touch("t1", "2026-01-05 09:00:00", campaign="c1")
    world.touch("t2", "2026-03-05 09:00:00", campaign="c2", person="P2")
    world.deal("d1")
    world.add("staging.deal_contacts", deal_id="d1", role="buyer", row_id="dc1", row_hash="dc1")
    world.add("matched.person_rows", entity="deal_contacts", row_id="dc1", person_id="P2")
    world.sync()
    return found


@pytest.fixture
def history(root: Path) -> Iterator[History]:
    """The workspace's past."""
    with open_history(root) as opened:
        yield opened


def _ask(history: History, model: str | None = None, **changes: str) -> AttributionAnswer:
    return whatif_attribution(history, other_rules(history, AttributionPolicy, None, None, changes), model)


def _moves(answer: AttributionAnswer) -> dict[str, tuple[Any, Any]]:
    return {row["campaign_id"]: (row["before"], row["after"]) for row in answer.of_basis("pipeline")}


HALF, WHOLE, NOTHING = Decimal("50.00"), Decimal("100.00"), Decimal("0.00")


@pytest.mark.parametrize(
    ("model", "changes", "c1", "c2"),
    [
        ("first_touch", {}, WHOLE, NOTHING),
        (None, {"lookback_days": "30"}, NOTHING, WHOLE),
        (None, {"people": "deal_contacts"}, NOTHING, WHOLE),
        ("markov", {}, HALF, HALF),
        (None, {}, HALF, HALF),
    ],
)
def test_credits_move_and_the_sum_stays(
    history: History, model: str | None, changes: dict[str, str], c1: Decimal, c2: Decimal
) -> None:
    answer = _ask(history, model, **changes)
    moved = _moves(answer)
    assert (moved["c1"], moved["c2"]) == ((HALF, c1), (HALF, c2))
    assert sum(after for _, after in moved.values()) == WHOLE
    assert answer.before["model"] == "linear"


def test_wrong_settings_are_told(history: History) -> None:
    with pytest.raises(BadUsage, match="--model best: there are"):
        _ask(history, "best")
    with pytest.raises(BadPolicy, match="people"):
        _ask(history, people="everyone")


def test_the_command_tells_what_moves_and_writes_nothing(root: Path) -> None:
    files = [path for path in root.rglob("*") if path.is_file()]
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    told = CliRunner().invoke(
        app, ["whatif", "attribution", "--model", "last_touch", "--workspace", str(root), "--language", "zh"]
    )
    assert told.exit_code == 0, told.output
    assert "linear" in told.output and "last_touch" in told.output and "合计 100.00 不变" in told.output
    after = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}
    assert before == after


def test_an_influence_figure_is_not_summed(root: Path) -> None:
    asked = ["whatif", "attribution", "--model", "participation", "--workspace", str(root), "--language", "en"]
    told = CliRunner().invoke(app, asked).output
    assert "there is no sum" in told and "the sum stays" not in told
