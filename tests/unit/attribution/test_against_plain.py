"""Windows, repeats, anchors and every rule model on random worlds against the plain reading of the specification."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring.attribution.rules import weigh
from scoring.policies.attribution import PARTICIPATION, RULE_MODELS, AttributionPolicy
from tests.unit.attribution import plain
from tests.unit.attribution.worlds import AS_OF_END, journeys_of

START, AS_OF = datetime(2026, 9, 1), datetime(2026, 12, 31)
TIME = pa.timestamp("us")
CUSTOM: dict[str, Any] = {
    "anchors": {"first": 20, "opportunity": 15}, "positions": {2: 10, -2: 25}, "types": {"meeting": 3, "form": 0},
    "channels": {"event": 2},
}  # fmt: skip


def _moment(random: np.random.Generator, days: int = 110) -> datetime:
    """Half of the times are whole days, so that they meet."""
    seconds = int(random.integers(0, days)) * 86400 if random.random() < 0.5 else int(random.integers(0, days * 86400))
    return START + timedelta(seconds=seconds, microseconds=int(random.integers(0, 2)) * 500_000)


def _one_of(random: np.random.Generator, *values: Any) -> Any:
    return values[int(random.integers(len(values)))]


def _world(random: np.random.Generator) -> tuple[list[plain.Touch], list[plain.Deal]]:
    touches = [
        {
            "id": f"t{number:02}", "party": _one_of(random, "A", "A", "B"), "at": _moment(random, 8 if dense else 130),
            "campaign": _one_of(random, "c1", "c2", "c3", None), "channel": _one_of(random, "ad", "event", "direct"),
            "person": _one_of(random, "p1", "p2", None), "type": _one_of(random, "form", "meeting", "open"),
        }
        for dense in (bool(random.random() < 0.5),)
        for number in range(int(random.integers(0, 14)))
    ]  # fmt: skip
    deals = [
        {
            "id": f"d{number}", "party": _one_of(random, "A", "B"), "status": _one_of(random, "won", "lost", "open"),
            "created_at": _one_of(random, None, *[_moment(random)] * 3),
            "closed_at": _one_of(random, None, *[_moment(random)] * 3),
            "lead_created_at": _one_of(random, None, *[_moment(random)] * 3),
        }
        for number in range(3)
    ]  # fmt: skip
    return touches, deals


def _tables(random: np.random.Generator, touches: list[plain.Touch], deals: list[plain.Deal]) -> tuple[Any, Any]:
    """Arrow tables of both, the touches in any order."""
    mixed = [touches[place] for place in random.permutation(len(touches))]
    columns = ("id", "party", "campaign", "channel", "person", "type", "at")
    names = {"party": "party_id", "campaign": "campaign_id", "at": "occurred_at"}
    names |= {"id": "touch_id", "person": "person_id"}
    touched = pa.table(
        {
            names.get(name, name): pa.array([touch[name] for touch in mixed], TIME if name == "at" else pa.string())
            for name in columns
        }
    )
    times = ("created_at", "closed_at", "lead_created_at")
    dealt = pa.table(
        {
            "deal_id": [deal["id"] for deal in deals], "party_id": [deal["party"] for deal in deals],
            "status": [deal["status"] for deal in deals], "type": ["new"] * len(deals),
            **{name: pa.array([deal[name] for deal in deals], TIME) for name in times},
        }
    )  # fmt: skip
    return touched, dealt


@pytest.mark.parametrize("seed", range(150))
def test_every_rule_gives_what_the_plain_reading_gives(seed: int) -> None:
    random = np.random.default_rng(seed)
    touches, deals = _world(random)
    touched, dealt = _tables(random, touches, deals)
    rules = {
        "anchor": _one_of(random, "closed", "created"), "until": _one_of(random, "closed", "opened"),
        "lookback_days": _one_of(random, 0, 3, 30), "excluded_types": _one_of(random, (), ("open",)),
        "repeats": _one_of(
            random, "every_touch", "one_per_campaign_person_day", "collapse_consecutive", "first_per_campaign"
        ),
    }  # fmt: skip
    policy = AttributionPolicy.model_validate({**rules, "custom": {"own": CUSTOM}, "half_life_days": 5})
    of_people = _one_of(random, None, {0: ["p1"], 1: ["p1", "p2"], 2: []})
    people = None
    if of_people is not None:
        pairs = [(deal, person) for deal, persons in of_people.items() for person in persons]
        people = pa.table({"deal": [deal for deal, _ in pairs], "person_id": [person for _, person in pairs]})
    journeys = journeys_of(touched, dealt, policy, people)
    as_of = datetime(1970, 1, 1) + timedelta(microseconds=AS_OF_END)
    types = touched["type"].take(pa.array(journeys.touch))
    models = (*RULE_MODELS, PARTICIPATION, "own")
    found = {model: weigh(journeys, model, policy, None, types).weight for model in models}
    for number, given in enumerate(deals):
        deal = {**given, "closed_at": given["closed_at"] or as_of}
        wanted = plain.eligible(touches, deal, rules, as_of, None if of_people is None else of_people[number])
        rows = np.flatnonzero(journeys.deal == number)
        ids = [str(touched["touch_id"][int(journeys.touch[row])]) for row in rows]
        assert ids == [touch["id"] for touch in wanted], (rules, deal)
        for model, weight in found.items():
            expected = _own(wanted, deal) if model == "own" else plain.weights(wanted, deal, model, 5)
            assert weight[rows].tolist() == pytest.approx(expected, abs=1e-12), (model, rules, deal)


def _own(touches: list[plain.Touch], deal: plain.Deal) -> list[float]:
    factors = [
        CUSTOM["types"].get(touch["type"], 1.0) * CUSTOM["channels"].get(touch["channel"], 1.0) for touch in touches
    ]
    shares = {**CUSTOM["anchors"], **{str(number): share for number, share in CUSTOM["positions"].items()}}
    return plain.anchored(touches, deal, shares, factors)
