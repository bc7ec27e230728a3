"""Promises, calibration and the workspace's own judge."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from abmloop.errors import BadPolicy, BadUsage
from abmloop.run import Person
from scoring.match.calibrate import Calibration, Line, threshold_for
from scoring.match.measures import measure_names
from scoring.match.model import load_model, shipped_folder
from scoring.match.promise import Rehearsed, match_promised
from scoring.match.training.invent import invent_companies
from scoring.match.training.learn import default_policy
from tasks.match.model import LEAST_DECISIONS, current_model, model_list, roll_back, train_model
from tasks.standing import new_decision
from warehouse.ledger import Ledger

BY = Person("wang", date(2026, 10, 31))


def test_the_model_that_ships_weighs_the_measures_there_are() -> None:
    assert load_model().card["measures"] == measure_names()


def test_a_model_of_other_measures_is_refused(tmp_path: Path) -> None:
    card = json.loads((shipped_folder() / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps({**card, "measures": ["moon"]}), encoding="utf-8")
    (tmp_path / "trees.txt").write_text("tree", encoding="utf-8")
    with pytest.raises(BadPolicy, match="train it again"):
        load_model(tmp_path)


def test_a_higher_promise_takes_fewer_matches_and_no_others() -> None:
    confidence = np.array([0.999, 0.98, 0.97, 0.9, 0.6, 0.99])
    accounts = pa.array([*"abcde", None])
    decisions = pa.table({"account_id": accounts, "decision": ["review"] * 6, "confidence": confidence})
    rehearsed = Rehearsed(decisions, confidence, np.array([False, False, True, False, False, False]), 0)
    taken = [rehearsed.promised(promise, 0.3).decisions["decision"].to_pylist() for promise in (0.8, 0.95, 0.985)]
    assert taken == [
        ["auto", "auto", "review", "auto", "auto", "none"],
        ["auto", "auto", "review", "auto", "review", "none"],
        ["auto", "auto", "review", "review", "review", "none"],
    ]


def test_probability_rises_with_the_chance_and_answers_move_it() -> None:
    chance = np.linspace(0.01, 0.99, 200)
    kind = np.zeros(200, np.int64)
    learnt = Calibration((Line(),)).learnt_from(chance, (chance > 0.9).astype(float), kind)
    said = learnt.probability(chance, kind)
    assert (np.diff(said) > 0).all()
    assert said[100] < chance[100]


def test_the_threshold_is_the_lowest_that_keeps_the_promise() -> None:
    confidence = np.array([1.0, 1.0, 0.97, 0.8, 0.5])
    assert threshold_for(confidence, 0.99, 0.3) == pytest.approx((0.97, 0.99))
    assert threshold_for(confidence, 0.94, 0.3) == pytest.approx((0.8, 0.9425))
    assert threshold_for(np.array([0.4]), 0.99, 0.3) == (1.01, None)


def test_what_is_expected_keeps_the_promise_and_the_order_of_accounts_does_not_matter() -> None:
    companies = invent_companies(1200, np.random.default_rng(1))
    accounts = pa.table({"account_id": [f"A{n:05}" for n in range(1200)], "name": companies.names.tolist()})
    given = [name[2:-4] if n % 2 else name for n, name in enumerate(companies.names[:80].tolist())]
    contacts = pa.table({"contact_id": [f"c{n:03}" for n in range(80)], "company_name": given})
    found = match_promised(contacts, accounts, default_policy(), 0.99)
    assert "auto" in found.decisions["decision"].to_pylist()
    assert found.expected is not None
    assert (found.expected >= 0.99, found.rehearsed) == (True, 120)
    backwards = match_promised(contacts, accounts.take(pa.array(range(1199, -1, -1))), default_policy(), 0.99)
    assert backwards.decisions.equals(found.decisions)


def _decide(ledger: Ledger, verdict: str, confidence: float, number: int) -> None:
    row = new_decision(
        "match", verdict, {"rows": [["contacts", f"crm:{number}"]]}, {"confidence": confidence}, (number, "wang", "")
    )
    ledger.append("decisions", [row], BY)


def test_people_s_decisions_correct_the_judge_and_can_be_rolled_back(tmp_path: Path) -> None:
    with Ledger.of(tmp_path) as ledger:
        with pytest.raises(BadUsage, match="decisions on matches are known"):
            train_model(tmp_path, ledger)
        for number in range(2 * LEAST_DECISIONS):
            _decide(ledger, "reject" if number % 3 else "accept", 0.9, number)
        made = train_model(tmp_path, ledger)
    shipped, own = load_model(), current_model(tmp_path)
    kind = np.zeros(1, np.int64)
    chance = np.array([0.9])
    assert made["decisions"] == 2 * LEAST_DECISIONS
    assert own.calibration.probability(chance, kind) < shipped.calibration.probability(chance, kind)
    assert [row["is_current"] for row in model_list(tmp_path)] == [False, True]
    assert roll_back(tmp_path) == "shipped"
    assert current_model(tmp_path).version == shipped.version
