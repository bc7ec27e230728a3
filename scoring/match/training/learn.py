"""From worlds with known answers to trees: examples, the fit, and what it does on a world it has not seen."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from abmloop.policy import parse_policy
from scoring.match.calibrate import Calibration, kinds_of
from scoring.match.measures import measure_names, measured
from scoring.match.model import booster_of, card_of
from scoring.match.sides import given_side
from scoring.match.tables import find_pairs
from scoring.match.training.worlds import Names, Shares, World, make_world
from scoring.match.weighed import Weighed, weigh
from scoring.policies.match import MatchPolicy

VERSION = 2
# Companies of the directory, contacts, share of them whose company is absent: in small directories most are.
_WORLDS = (
    *((400, 800, 0.5),) * 3,
    (3_000, 3_000, 0.45),
    (20_000, 8_000, 0.35),
    (60_000, 10_000, 0.25),
    (90_000, 14_000, 0.25),
    (200_000, 16_000, 0.25),
    (600_000, 24_000, 0.25),
)
_UNSEEN = ((2_000, 2_000, 0.45), (90_000, 10_000, 0.25), (500_000, 10_000, 0.25))
_USUAL = {"again": 0.06, "mistaken": 0.3}  # shares of mistakes in what is not learnt from: as people make them
_NOT_NAMES = ("tw_email", "hk_cn_en", "tw_en_short")  # no other writing of the name: an address, another script
_ROUNDS = 200
_SETTINGS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "min_data_in_leaf": 80,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbose": -1,
}
_BINS = (0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.01)


def read_names(folder: Path) -> Names:
    """The names that lists give."""
    variants = pq.read_table(folder / "real_pairs.parquet")
    wanted = pc.invert(pc.is_in(variants["kind"], pa.array(_NOT_NAMES)))
    foreign = pq.read_table(folder / "gleif_200k.parquet", columns=["name"])["name"]
    return Names(
        foreign.to_numpy(zero_copy_only=False), variants.filter(pc.and_(wanted, pc.not_equal(variants["variant"], "")))
    )


def train(names: Names) -> tuple[str, dict[str, Any]]:
    """(the trees as text, their card with the figures on a world not learnt from)."""
    found = [
        examples(make_world(size, contacts, names, seed, Shares(absent=absent)))
        for seed, (size, contacts, absent) in enumerate(_WORLDS)
    ]
    trees = fit(np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found]))
    unseen = [
        best_of(trees, make_world(size, contacts, names, len(_WORLDS) + seed, Shares(absent=absent, **_USUAL)))
        for seed, (size, contacts, absent) in enumerate(_UNSEEN)
    ]
    chance, right, kind = (np.concatenate(columns) for columns in zip(*unseen, strict=True))
    calibration = Calibration().learnt_from(chance, right, kind)
    return trees, card_of(
        VERSION,
        data="GLEIF legal-entity names (CC0); public short names, security names and typed employer names; invented "
        "Chinese names (region, proper name, trade, form recombined); generated noise. No user's data.",
        worlds=[list(world) for world in _WORLDS],
        calibration=[[line.offset, line.slope] for line in calibration.lines],
        figures={
            "worlds_not_learnt_from": [list(world) for world in _UNSEEN],
            "reliability": reliability(calibration.probability(chance, kind), right),
        },
    )


def examples(world: World) -> tuple[np.ndarray, np.ndarray, Weighed]:
    """(measures, is right, what was weighed) of all pairs worth weighing in a world."""
    pairs, given, directory = find_pairs(world.contacts, world.accounts, default_policy())
    weighed = weigh(pairs, given, given_side(world.contacts)[1], directory.side)
    found = np.stack([weighed.pairs.given, weighed.pairs.account], axis=1)
    right = np.array([pair in world.right for pair in map(tuple, found.tolist())], bool)
    return measured(weighed), right, weighed


def fit(matrix: np.ndarray, right: np.ndarray, rounds: int = _ROUNDS) -> str:
    """Boosted trees as text."""
    data = lightgbm.Dataset(matrix, right, feature_name=measure_names())
    return str(lightgbm.train(_SETTINGS, data, rounds).model_to_string())


def best_of(trees: str, world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(chance, is right, kind of name) of the best candidate of every contact whose whole name is no account's."""
    matrix, right, weighed = examples(world)
    chance = np.asarray(booster_of(trees).predict(matrix))
    best = np.lexsort((-chance, weighed.pairs.given))
    best = best[np.append(True, np.diff(weighed.pairs.given[best]) != 0)]
    best = best[~weighed.pairs.via["name"][best]]
    return chance[best], right[best], kinds_of(weighed.given)[weighed.pairs.given[best]]


def reliability(probability: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    """By probability: how many contacts, the mean probability, and the share that is right."""
    bins = np.digitize(probability, _BINS)
    return [
        {
            "from": _BINS[at - 1],
            "contacts": int((bins == at).sum()),
            "said": round(float(probability[bins == at].mean()), 4),
            "right": round(float(right[bins == at].mean()), 4),
        }
        for at in range(1, len(_BINS))
        if (bins == at).any()
    ]


@lru_cache(maxsize=1)
def default_policy() -> MatchPolicy:
    """The rules that ship."""
    path = Path(__file__).parents[2] / "policies" / MatchPolicy.file_name
    return parse_policy(path.read_text(encoding="utf-8"), MatchPolicy)
