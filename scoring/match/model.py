"""The judge that ships: boosted trees over the measures of a pair, as text, with the card that says what made it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from abmloop.errors import BadPolicy
from abmloop.messages import said
from scoring.match.calibrate import Calibration, Line
from scoring.match.measures import measure_names

SHIPPED = "match"
# After so many trees, pairs given less are hopeless: three in four of all; of those that all the trees would give 0.02
# two in a thousand are lost, of those they would give 0.1 none.
_STAGES = ((30, 0.01), (60, 0.008), (110, 0.012))
# More threads wait for each other in loops: a tenth more CPU time for no less wall time. Processes share large work.
_QUIET: dict[str, Any] = {"validate_features": False, "num_threads": 1}
_FORMAT = "abmloop-match-model"


@dataclass(frozen=True)
class MatchModel:
    """`trees` give the chance that a pair is right; `card` says version, data and figures."""

    trees: Any
    card: dict[str, Any]

    @property
    def version(self) -> str:
        """Name and version, as it stands beside results."""
        return f"{self.card['name']}-{self.card['version']}"

    def chances(self, matrix: np.ndarray) -> Any:
        """Probability that each pair is right; `matrix` has the columns of `measure_names`."""
        odds, rows, first = np.zeros(len(matrix)), np.arange(len(matrix)), 0
        for last, hopeless in (*_STAGES, (self.trees.num_trees(), 0.0)):
            if not len(rows):
                break
            part = {"start_iteration": first, "num_iteration": last - first, "raw_score": True}
            odds[rows] += self.trees.predict(matrix[rows], **part, **_QUIET)
            rows, first = rows[_share(odds[rows]) >= hopeless], last
        return _share(odds)

    @property
    def calibration(self) -> Calibration:
        """What those chances were worth on worlds that the trees have not seen."""
        return Calibration(tuple(Line(*line) for line in self.card["calibration"]))


def shipped_folder() -> Path:
    """Where the model that ships lies."""
    return Path(str(files("scoring.models") / SHIPPED))


@lru_cache(maxsize=4)
def load_model(folder: Path | None = None) -> MatchModel:
    """The model in a folder (trees.txt, card.json), or the one that ships. Raises BadPolicy where it does not fit."""
    where = shipped_folder() if folder is None else folder
    try:
        card = json.loads((where / "card.json").read_text(encoding="utf-8"))
        text = (where / "trees.txt").read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise BadPolicy(said("match_no_folder", folder=where, problem=problem)) from None
    if card.get("format") != _FORMAT or card.get("measures") != measure_names():
        raise BadPolicy(said("match_other_measures", folder=where))
    return MatchModel(booster_of(text), card)


def _share(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))


def booster_of(text: str) -> Any:
    """Trees from their text; the library is loaded only here."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def card_of(version: int, **about: Any) -> dict[str, Any]:
    """A model's card: what it is, the measures it weighs, and what is said `about` it."""
    return {"format": _FORMAT, "name": SHIPPED, "version": version, "measures": measure_names(), **about}
