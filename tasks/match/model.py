"""The workspace's own judge: the one that ships, corrected by what people accepted and rejected, in versions."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.match.calibrate import Calibration, Line
from scoring.match.model import SHIPPED, MatchModel, load_model, shipped_folder
from tasks.standing import standing_decisions
from warehouse.ledger import Ledger

LEAST_DECISIONS = 30  # fewer say nothing that the worlds learnt from do not say better
_FOLDER, _CURRENT = "models", "current"
_IS_RIGHT = {"accept": 1.0, "choose": 0.0, "reject": 0.0, "create": 0.0}


def current_model(root: Path) -> MatchModel:
    """The judge that the workspace uses: its own, else the one that ships."""
    version = _current(root)
    return load_model(None if version is None else _models(root) / version)


def train_model(root: Path, ledger: Ledger) -> dict[str, Any]:
    """Learn from the standing decisions how far the judge's confidence is to be trusted; the result becomes current.

    An accepted proposal was right; a rejected one, or one for which another account was chosen or made, was wrong. The
    trees stay those that ship. Raises BadUsage where fewer than `LEAST_DECISIONS` are known.
    """
    given, right = _answers(ledger)
    if len(given) < LEAST_DECISIONS:
        raise BadUsage(said("match_few_decisions", found=len(given), needed=LEAST_DECISIONS))
    shipped = load_model()
    kind = np.zeros(len(given), np.int64)
    learnt = Calibration((Line(),)).learnt_from(given, right, kind).lines[0]
    number = 1 + max((int(name) for name in _versions(root)), default=0)
    card = {
        **shipped.card,
        "version": f"{shipped.card['version']}+{number}",
        "calibration": [[learnt.offset + learnt.slope * a, learnt.slope * b] for a, b in shipped.card["calibration"]],
        "learnt_from": {"decisions": len(given), "right": int(right.sum()), "ledger_head": ledger.head()},
    }
    folder = _models(root) / str(number)
    folder.mkdir(parents=True)
    (folder / "trees.txt").write_bytes((shipped_folder() / "trees.txt").read_bytes())
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _make_current(root, str(number))
    return {"version": number, **card["learnt_from"], "offset": learnt.offset, "slope": learnt.slope}


def roll_back(root: Path) -> str:
    """Use the version before the current one again; gives its number, or `shipped` before the first."""
    version = _current(root)
    if version is None:
        raise BadUsage(said("match_nothing_to_roll_back"))
    earlier = [name for name in _versions(root) if int(name) < int(version)]
    _make_current(root, earlier[-1] if earlier else "")
    return earlier[-1] if earlier else "shipped"


def model_list(root: Path) -> list[dict[str, Any]]:
    """The judges that the workspace can use, the one that ships first."""
    current = _current(root)
    rows = [{"version": "shipped", "decisions": None, "is_current": current is None}]
    for name in _versions(root):
        card = json.loads((_models(root) / name / "card.json").read_text(encoding="utf-8"))
        rows.append({"version": name, "decisions": card["learnt_from"]["decisions"], "is_current": name == current})
    return rows


def _answers(ledger: Ledger) -> tuple[np.ndarray, np.ndarray]:
    """(confidence of the proposal, 1 where it was right) of every standing decision on a match that had one."""
    standing = standing_decisions(ledger.read("decisions"))
    decided = [row for row in standing if row["kind"] == "match" and row["verdict"] in _IS_RIGHT]
    known = [(json.loads(row["payload"] or "{}").get("confidence"), _IS_RIGHT[row["verdict"]]) for row in decided]
    pairs = np.array([(float(said), right) for said, right in known if said], float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _models(root: Path) -> Path:
    return root / _FOLDER / SHIPPED


def _versions(root: Path) -> list[str]:
    """Numbers of the workspace's own versions, rising."""
    folder = _models(root)
    names = [path.name for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    return sorted(names, key=int)


def _current(root: Path) -> str | None:
    path = _models(root) / _CURRENT
    return (path.read_text(encoding="utf-8").strip() or None) if path.is_file() else None


def _make_current(root: Path, version: str) -> None:
    (_models(root) / _CURRENT).write_text(version + "\n", encoding="utf-8")
