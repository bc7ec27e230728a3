"""Learning and scoring: signal found where it is, none said where there is none, honest probabilities, reasons."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from abmloop.errors import BadUsage
from scoring.predict.columns import blank_words
from scoring.predict.measures import auc, calibration_error, log_loss
from scoring.predict.model import PredictModel
from scoring.predict.reasons import top_reasons
from scoring.predict.train import Asked, train
from tests.unit.predict.worlds import draw, policy, table

ASKED = Asked("came", time="created", id_column="lead")
LATER = 900  # rows that come after those learnt from


@cache
def world() -> tuple[pa.Table, Any, pa.Table, Any]:
    """(rows to learn from, their outcome, later rows, theirs)."""
    columns, came = draw(2500)
    raw = table(columns)
    cut = raw.num_rows - LATER
    return raw.slice(0, cut), came[:cut], raw.slice(cut), came[cut:]


@cache
def learnt() -> PredictModel:
    return train(world()[0], ASKED, policy())


def scored(model: PredictModel, raw: pa.Table) -> Any:
    columns = model.read(raw, blank_words(policy().blanks))
    return model.say(columns), columns


def test_newer_leads_are_ordered_and_their_probabilities_are_honest() -> None:
    said, _ = scored(learnt(), world()[2])
    real = world()[3]
    assert learnt().state == "ready"
    assert auc(real, said.probability) > 0.72
    assert calibration_error(real, said.probability) < 0.06
    assert log_loss(real, said.probability) < log_loss(real, np.full(len(real), real.mean())) - 0.03
    assert auc(real, said.points) > auc(real, said.probability) - 0.03


def test_the_scorecard_is_whole_points_that_add_up_to_a_rising_probability() -> None:
    card = learnt().scorecard
    assert all(isinstance(point, int) and point >= 0 for points in card.points for point in points)
    worth = [row["probability"] for row in card.table()]
    assert worth == sorted(worth) and worth[0] < 0.2 < 0.6 < worth[-1]
    assert (
        card.probability(np.array([card.points_for(0.5)]))[0]
        >= 0.5
        > card.probability(np.array([card.points_for(0.5) - 1]))[0]
    )


def test_reasons_name_the_columns_that_moved_a_lead_and_add_up_to_its_odds() -> None:
    raw = table(
        {
            "created": ["2026-03-01"] * 2,
            "source": ["Referral", "Ads"],
            "minutes": ["60", "1"],
            "visits": ["3", None],
            "noise": ["a", "a"],
        }
    )
    said, columns = scored(learnt(), raw)
    good, bad = top_reasons(columns, said.added, "en")
    assert "raises it: source = Referral" in good and "raises it: minutes = 60" in good
    assert bad.startswith("lowers it: source = Ads") and "noise" not in bad
    assert "拉低：source = Ads" in top_reasons(columns, said.added, "zh")[1]
    assert said.probability[0] > 0.7 > 0.2 > said.probability[1]


def test_g01_blank_is_unknown_and_not_zero() -> None:
    """Leads without visits recorded became less often than those with none: blank has a weight of its own."""
    raw = table(
        {
            "created": ["2026-03-01"] * 2,
            "source": ["Search"] * 2,
            "minutes": ["10"] * 2,
            "visits": [None, "0"],
            "noise": ["a"] * 2,
        }
    )
    said, columns = scored(learnt(), raw)
    visits = learnt().column_names.index("visits")
    assert said.probability[0] < said.probability[1]
    assert said.added[0, visits] < said.added[1, visits]
    assert "visits is blank" in top_reasons(columns, said.added, "en")[0]


def test_g01_control_blank_filled_with_zero_loses_what_it_told() -> None:
    raw = world()[0]
    place = raw.column_names.index("visits")
    filled = pa.array([text or "0" for text in raw["visits"].to_pylist()])
    blurred = train(raw.set_column(place, "visits", filled), ASKED, policy())
    told = table({"created": ["2026-03-01"], "source": ["Search"], "minutes": ["10"], "visits": [None], "noise": ["a"]})
    said, columns = scored(blurred, told)
    assert "visits is blank" not in top_reasons(columns, said.added, "en")[0]


def test_no_signal_is_said_and_everyone_gets_the_base_rate() -> None:
    columns, _ = draw(2000, seed=11, signal=0.0)
    model = train(table(columns), ASKED, policy())
    assert model.state == "no_signal" and model.card["figures"]["auc_low"] <= 0.54
    said, _ = scored(model, table(columns).slice(0, 5))
    assert set(said.probability.tolist()) == {model.card["base_rate"]}


def test_the_guard_off_shines_in_training_only() -> None:
    """The control: with what is known only afterwards the figures out of time are too good to be true."""
    raw, came = world()[0], world()[1]
    random = np.random.default_rng(5)
    answered = random.random(len(came)) < np.where(came == 1, 0.9, 0.2)
    leaky = raw.append_column("last answer", pa.array(["reached" if one else "no answer" for one in answered]))
    guarded = train(leaky, ASKED, policy())
    unguarded = train(leaky, Asked("came", time="created", id_column="lead", allow_leaks=True), policy())
    assert [one["column"] for one in guarded.card["refused"] if one["is_leak"]] == ["last answer"]
    assert [one["column"] for one in unguarded.card["warned"]] == ["last answer"]
    assert unguarded.card["figures"]["auc"] > guarded.card["figures"]["auc"] + 0.08
    named = train(leaky, Asked("came", time="created", columns=("source", "last answer")), policy())
    assert named.column_names == ["source", "last answer"] and named.card["warned"]


def test_too_little_history_is_said() -> None:
    model = train(world()[0].slice(0, 150), ASKED, policy())
    assert model.state == "too_little"


def test_neither_the_order_of_the_file_nor_that_of_columns_of_equal_time_matters() -> None:
    raw = world()[0].slice(0, 700)
    shuffled = raw.take(pa.array(np.random.default_rng(1).permutation(raw.num_rows)))
    one, other = (train(rows, ASKED, policy(blocks=1)) for rows in (raw, shuffled))
    assert one == other


def test_rows_of_one_person_never_stand_on_both_sides_of_a_cut() -> None:
    columns, _ = draw(1500)
    columns["lead"] = [f"P{number % 500}" for number in range(1500)]
    assert train(table(columns), ASKED, policy()).card["figures"]["purged"] > 0
    ripe = train(world()[0], Asked("came", time="created", ripe_days=30), policy())
    assert ripe.card["figures"]["purged"] > 0 and ripe.card["rows"] < learnt().card["rows"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked("nothing"), "no column 'nothing'"),
        (Asked("came", time="source"), "neither days nor numbers"),
        (Asked("came", columns=("source", "came")), "leave it out"),
        (Asked("source"), "two outcomes are needed"),
    ],
)
def test_what_cannot_be_done_is_said(asked: Asked, says: str) -> None:
    with pytest.raises(BadUsage, match=says):
        train(world()[0], asked, policy())


def test_a_table_without_a_column_of_the_model_is_refused() -> None:
    with pytest.raises(BadUsage, match="missing: source"):
        scored(learnt(), world()[2].drop_columns(["source"]))
