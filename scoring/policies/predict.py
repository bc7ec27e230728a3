"""The rules of the predictive score: what counts as blank and as outcome, when to learn, what the guard refuses."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from abmloop.policy import Policy, Rule

TargetName = Literal["sql", "won"]


class Outcomes(Rule):
    """Writings that mean that the outcome came, or that it did not; lower case."""

    came: tuple[str, ...]
    did_not: tuple[str, ...]


class History(Rule):
    """How much must be known before learning, and how it is split by time."""

    least_rows: int = Field(200, ge=50)
    least_outcomes: int = Field(30, ge=10, description="rows of each outcome")
    most_rows: int = Field(300_000, ge=1000)
    blocks: int = Field(4, ge=1, le=10)
    first_share: float = Field(0.5, ge=0.2, le=0.9)


class Signal(Rule):
    """When there is none."""

    least_auc: float = Field(0.54, ge=0.5, le=0.7)


class Learning(Rule):
    """Sizes of the trees and of the scorecard."""

    trees: int = Field(300, ge=10, le=2000)
    leaves: int = Field(8, ge=2, le=64)
    rate: float = Field(0.03, gt=0, le=0.5)
    least_leaf: int = Field(40, ge=5)
    level_rows: int = Field(10, ge=2)
    most_levels: int = Field(60, ge=2)
    most_bins: int = Field(7, ge=2, le=20)
    ridge: float = Field(4.0, gt=0)


class Promotion(Rule):
    """The written rule by which a version follows another unasked."""

    unasked: bool = True
    least_gain: float = Field(0.002, ge=0)
    most_calibration_error: float = Field(0.05, gt=0, le=0.5)


class Guard(Rule):
    """Limits above which a column is taken to be known only after the outcome."""

    value_auc: float = Field(0.70, gt=0.5, le=1)
    number_auc: float = Field(0.85, gt=0.5, le=1)
    hinted_auc: float = Field(0.60, gt=0.5, le=1)
    blank_auc: float = Field(0.58, gt=0.5, le=1)
    hinted_blank_auc: float = Field(0.55, gt=0.5, le=1)
    pure_share: float = Field(0.995, gt=0.5, lt=1)
    pure_odds: float = Field(8, gt=1)
    pure_rows: int = Field(40, ge=5)
    pure_caught: float = Field(0.08, ge=0, lt=1)
    later_share: float = Field(0.05, gt=0, lt=1)
    same_share: float = Field(0.5, gt=0, le=1)
    name_hints: tuple[str, ...] = ()
    value_hints: tuple[str, ...] = ()
    hinted_values_share: float = Field(0.5, gt=0, le=1)


class Target(Rule):
    """An outcome of an MQL, and how long it may take."""

    days: int = Field(ge=1, le=3650)
    why: str = Field(min_length=1)


class Drift(Rule):
    """When the newest MQLs are compared with those learnt from, and from which PSI on they are others."""

    days: int = Field(90, ge=1)
    least_rows: int = Field(100, ge=20)
    most_index: float = Field(0.25, gt=0)


class PredictPolicy(Policy):
    """What `predict.yaml` says."""

    file_name: ClassVar[str] = "predict.yaml"

    version: int = 1
    blanks: tuple[str, ...] = ()
    outcomes: Outcomes
    history: History = History()
    signal: Signal = Signal()
    learning: Learning = Learning()
    promotion: Promotion = Promotion()
    guard: Guard = Guard()
    targets: dict[TargetName, Target] = {}
    drift: Drift = Drift()
