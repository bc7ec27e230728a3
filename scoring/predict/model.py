"""A predictive model as text: boosted trees, and a card with everything else; what it says of other rows, and why."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from abmloop.errors import BadPolicy, BadUsage
from abmloop.messages import said
from scoring.predict.binning import Bins
from scoring.predict.calibration import Shape
from scoring.predict.columns import Column, Kind, read_column
from scoring.predict.measures import share_of
from scoring.predict.parts import Mix, Parts
from scoring.predict.scorecard import Scorecard
from scoring.predict.trees import Lifts

Numbers = Any  # a NumPy array
FORMAT = "abmloop-predict-model"
VERSION = 1  # of what stands on a card, and how it is read
CARD, TREES = "card.json", "trees.txt"
State = Literal["ready", "no_signal", "too_little"]
_DIGITS = 6


@dataclass(frozen=True)
class Said:
    """What a model says of rows: probability, points, and the log-odds that each of its columns adds."""

    probability: Numbers
    points: Numbers
    added: Numbers


@dataclass(frozen=True)
class PredictModel:
    """`card` says what was learnt from what, with which figures; `trees` is LightGBM's text, empty without signal."""

    card: Mapping[str, Any]
    trees: str = ""

    @property
    def state(self) -> State:
        """`ready`, or why it says no more than the base rate."""
        return self.card["state"]  # type: ignore[no-any-return]

    @property
    def column_names(self) -> list[str]:
        """The columns it looks at."""
        return [column["name"] for column in self.card["columns"]]

    @cached_property
    def parts(self) -> Parts:
        """Trees, bins and scorecard, ready to be asked."""
        import lightgbm

        card = self.card
        bins = tuple(Bins.from_json(values) for values in card["bins"])
        return Parts(
            lightgbm.Booster(model_str=self.trees),
            {
                name: Lifts(name, lift["lift"], lift["blank"], lift["other"], lift.get("rows", {}))
                for name, lift in card["lifts"].items()
            },
            bins,
            tuple(np.array(values) for values in card["weights"]),
            self.scorecard,
        )

    @cached_property
    def scorecard(self) -> Scorecard:
        """The points of every bin."""
        bins = tuple(Bins.from_json(values) for values in self.card["bins"])
        return Scorecard(bins, tuple(tuple(points) for points in self.card["points"]), self.card["zero_odds"])

    def read(self, raw: pa.Table, blanks: frozenset[str]) -> list[Column]:
        """The columns of a table as this model reads them. Raises BadUsage where one is missing."""
        missing = [name for name in self.column_names if name not in raw.column_names]
        time = self.card["time"]
        if any(column["is_age"] for column in self.card["columns"]) and time not in raw.column_names:
            missing.append(time)
        if missing:
            known = ", ".join(raw.column_names)
            raise BadUsage(said("predict_columns_missing", missing=", ".join(missing), known=known))
        day = read_column(time, raw[time], blanks, "day").numbers if time in raw.column_names else None
        found = []
        for column in self.card["columns"]:
            kind: Kind = "day" if column["is_age"] else column["kind"]
            one = read_column(column["name"], raw[column["name"]], blanks, kind)
            found.append(as_age(one, day) if column["is_age"] else one)
        return found

    def say(self, columns: Sequence[Column]) -> Said:
        """What it says of these rows; without signal the base rate, no points and no reasons."""
        if self.state != "ready":
            return self.say_nothing(len(columns[0].is_blank) if columns else 0)
        added = self.parts.added(columns, float(self.card["tree_share"]))
        return Said(self.probability(columns), self.scorecard.totals(columns), added)

    def probability(self, columns: Sequence[Column]) -> Numbers:
        """The probability of these rows alone: a tenth of the work of saying why as well."""
        if self.state != "ready":
            return self.say_nothing(len(columns[0].is_blank) if columns else 0).probability
        shape = Shape(self.card["shape"]["kind"], tuple(self.card["shape"]["numbers"]))
        odds = self.parts.odds(columns, [Mix(float(self.card["tree_share"]))])[:, 0] + float(self.card["level"])
        return share_of(shape.of(odds))

    def say_nothing(self, count: int) -> Said:
        """The base rate for so many rows."""
        rate = np.full(count, float(self.card["base_rate"]))
        return Said(rate, np.zeros(count, np.int64), np.zeros((count, 0)))

    def places(self, columns: Sequence[Column]) -> list[Numbers]:
        """The bin of every row, a column each."""
        return [bins.place(column) for bins, column in zip(self.scorecard.bins, columns, strict=True)]


def as_age(column: Column, day: Numbers | None) -> Column:
    """Days as how long before the row's own day they were; blank where that is unknown."""
    numbers = np.full(len(column.numbers), np.nan) if day is None else day - column.numbers
    return Column(column.name, "number", numbers, markers=column.markers)


def parts_to_json(parts: Parts) -> dict[str, Any]:
    """What of a model's parts stands on its card: all but the trees."""
    return {
        "lifts": {
            name: {"lift": lift.lift, "blank": lift.blank, "other": lift.other, "rows": lift.rows}
            for name, lift in parts.lifts.items()
        },
        "bins": [bins.to_json() for bins in parts.bins],
        "weights": [[round(float(weight), _DIGITS) for weight in weights] for weights in parts.weights],
        "points": [list(points) for points in parts.card.points],
        "zero_odds": parts.card.zero_odds,
    }


def save_model(model: PredictModel, folder: Path) -> None:
    """Write card and trees into a folder; same model, same bytes. Raises BadUsage where other things lie there."""
    known = {CARD, TREES, "report.en.md", "report.zh.md"}
    if folder.is_file() or (folder.is_dir() and any(path.name not in known for path in folder.iterdir())):
        raise BadUsage(said("predict_folder_taken", folder=folder))
    folder.mkdir(parents=True, exist_ok=True)
    card = {**model.card, "trees_sha256": hashlib.sha256(model.trees.encode()).hexdigest()}
    (folder / TREES).write_text(model.trees, encoding="utf-8")
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_model(folder: Path) -> PredictModel:
    """The model in a folder. Raises BadPolicy where none is, or its two files do not belong together."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        trees = (folder / TREES).read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise BadPolicy(said("predict_no_folder", folder=folder, problem=problem)) from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BadPolicy(said("predict_no_model", folder=folder))
    if card.get("version") != VERSION:
        raise BadPolicy(said("predict_other_version", folder=folder))
    if card.get("trees_sha256") != hashlib.sha256(trees.encode()).hexdigest():
        raise BadPolicy(said("predict_trees_apart", folder=folder, trees=TREES, card=CARD))
    return PredictModel(card, trees)
