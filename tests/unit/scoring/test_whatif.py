"""What if other rules had held: the leads that change, the figures beside it, and that nothing is written."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from abmloop.errors import BadPolicy, BadUsage
from scoring.policies.scoring import ScoringPolicy
from tasks.whatif.history import History, open_history, other_rules
from tasks.whatif.scoring import Rules, ScoringAnswer, whatif_scoring
from tests.faults.scoring_world import ScoringWorld


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """P1: a form in March, a demo in April, won in May. P2: a form in March, nothing since. P3: a demo, refused."""
    found = tmp_path_factory.mktemp("whatif") / "workspace"
    (found / "inbox").mkdir(parents=True)
    (found / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    world = ScoringWorld(found)
    for number in (1, 2, 3):
        world.person(number)
    world.touch("t1", "2026-03-02 02:00")
    world.touch("t2", "2026-04-06 02:00", "demo_request")
    world.touch("t3", "2026-03-03 02:00", person="P2")
    world.touch("t4", "2026-03-09 02:00", "demo_request", person="P3")
    world.add("core.deals", deal_id="d1", account_id="A1", person_id="P1", status="won", type="new",
              created_at="2026-04-20", closed_at="2026-05-20")  # fmt: skip
    world.add("core.lead_feedback", row_id="f1", person_id="P3", status="rejected", changed_at="2026-03-20")
    world.day("2026-06-30")
    return found


@pytest.fixture
def history(root: Path) -> Iterator[History]:
    """The workspace's past."""
    with open_history(root) as opened:
        yield opened


def _ask(history: History, **changes: str) -> ScoringAnswer:
    given = {key.replace("__", "."): value for key, value in changes.items()}
    tried = replace(Rules.of(history), scoring=other_rules(history, ScoringPolicy, None, None, given))
    return whatif_scoring(history, tried, date(2026, 1, 1), None)


def test_a_higher_threshold_names_the_leads_that_change_with_their_days(history: History) -> None:
    answer = _ask(history, mql__threshold="45")
    told = [
        (row["lead_id"], row["change"], str(row["mql_at_before"])[:10], str(row["mql_at_after"])[:10], row["outcome"])
        for row in answer.changes.to_pylist()
    ]
    assert told == [("L1", "later", "2026-03-02", "2026-04-06", "won"), ("L2", "lost", "2026-03-03", "None", "open")]


def test_precision_and_recall_go_by_what_became_of_the_leads(history: History) -> None:
    answer = _ask(history, mql__threshold="45")
    assert (answer.before.mqls, answer.before.known) == (3, 3)
    assert (answer.before.precision_sql, answer.before.recall_won) == (pytest.approx(1 / 3, abs=1e-4), 1.0)
    assert (answer.after.mqls, answer.after.known, answer.after.precision_sql) == (2, 2, 0.5)


def test_sales_load_is_told_per_week(history: History) -> None:
    weeks = {str(row["week"]): (row["before"], row["after"]) for row in _ask(history, handover="sql").weeks.to_pylist()}
    assert weeks["2026-03-02"] == (2, 0)
    assert len(weeks) == 27


def test_the_same_rules_change_nothing(history: History) -> None:
    answer = _ask(history)
    assert answer.changes.num_rows == 0
    assert answer.before == answer.after


def test_wrong_keys_are_named(history: History) -> None:
    with pytest.raises(BadPolicy) as caught:
        _ask(history, mql__treshold="55", bands__2="soon")
    assert "scoring.yaml: set mql.treshold: unknown key; known here: blocked_lists" in str(caught.value)
    assert "scoring.yaml: set bands[2]: Input should be a valid number" in str(caught.value)
    with pytest.raises(BadPolicy, match=r"no item form; there are demo_requested"):
        _ask(history, engagement__rules__form__points="3")


def test_a_rule_of_the_list_is_named_by_its_id(history: History) -> None:
    answer = _ask(history, engagement__rules__form_submitted__points="1")
    assert {row["lead_id"]: row["change"] for row in answer.changes.to_pylist()} == {"L1": "later", "L2": "lost"}


def test_nothing_is_written(root: Path) -> None:
    def prints() -> dict[str, str]:
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = prints()
    with open_history(root) as history:
        _ask(history, mql__threshold="45")
    assert prints() == before


def test_a_workspace_without_a_past_says_so(tmp_path: Path) -> None:
    (tmp_path / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    with pytest.raises(BadUsage, match="run `abmloop sync` first"), open_history(tmp_path):
        pass
