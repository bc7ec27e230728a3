"""Where the share that becomes stands: before outcomes were recorded, in a lasting drift, after a change."""

import numpy as np
import pyarrow as pa
import pytest

from scoring.predict.base_rate import base_rate, level_for, recorded_from
from scoring.predict.train import Asked, train
from tasks.predict.telling import tell_model
from tests.unit.predict.worlds import draw, policy, table


def outcomes(*stretches: tuple[int, float]) -> np.ndarray:
    """Rows of known outcome: so many of each share."""
    random = np.random.default_rng(4)
    return np.concatenate([random.random(rows) < share for rows, share in stretches]).astype(float)


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        (((1200, 0.0), (1500, 0.2)), 1200),  # no outcome could be seen
        (((1200, 0.0), (600, 0.03), (2500, 0.2)), 1800),  # the last of them were seen late
        (((1500, 0.2),), 0),
        (((1500, 0.1), (1500, 0.2)), 0),  # a better year
        (((2500, 0.03), (300, 0.25)), 0),  # a jump: most outcomes would be lost
    ],
)
def test_a_beginning_without_outcomes_was_not_recorded_and_a_poor_one_was(
    stretches: tuple[tuple[int, float], ...], expected: int
) -> None:
    assert recorded_from(outcomes(*stretches)) == pytest.approx(expected, abs=60)


def test_the_level_follows_the_newest_rows_and_a_change_at_once() -> None:
    drift = outcomes((3000, 0.30), (1000, 0.38))
    change = outcomes((3000, 0.05), (1000, 0.38))
    for outcome in (drift, change):
        level = level_for(np.zeros(len(outcome)), outcome, base_rate(outcome).recent)
        said = 1 / (1 + np.exp(-level))
        assert 0.31 < said < 0.40 and said > outcome.mean() + 0.02


def test_rows_from_before_outcomes_were_recorded_are_left_out_and_told() -> None:
    columns, _ = draw(2600)
    columns["came"][:900] = ["否"] * 900
    model = train(table(columns), Asked("came", time="created", id_column="lead"), policy(blocks=1))
    gap = model.card["gaps"]["unrecorded"]
    assert 880 <= gap["rows"] <= 960 and model.card["rows"] == 2600 - gap["rows"]
    assert gap["until"] == columns["created"][gap["rows"] - 1] <= model.card["period"][0]
    assert f"the oldest {gap['rows']} rows (until {gap['until']})" in tell_model(model, "en")
    assert f"最早的 {gap['rows']} 行" in tell_model(model, "zh")


def test_newest_rows_whose_outcome_may_be_open_are_told_and_not_where_it_was_asked_how_long_it_takes() -> None:
    columns, _ = draw(2600)
    columns["came"][-500:] = ["否"] * 500
    raw: pa.Table = table(columns)
    told = train(raw, Asked("came", time="created"), policy(blocks=1))
    assert 450 <= told.card["gaps"]["unripe"]["rows"] <= 560
    assert "--ripe-days" in tell_model(told, "en") and "--ripe-days" in tell_model(told, "zh")
    asked = train(raw, Asked("came", time="created", ripe_days=1), policy(blocks=1))
    assert asked.card["gaps"] == {}
