"""The workspace's predictive models: numbered folders, and the ledger's word on which is in use."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Author
from scoring.policies.predict import Promotion
from scoring.predict.model import PredictModel, load_model
from tasks.standing import new_decision, standing_decisions
from warehouse.ledger import Ledger

KIND, PROMOTE = "predictive_model", "promote"
_FOLDER = Path("models") / "predict"


def model_folder(root: Path, name: str) -> Path:
    """Where the model of that name lies."""
    return root / _FOLDER / name


def new_name(root: Path, target: str) -> str:
    """The name of the target's next version: sql-1, sql-2, …"""
    numbers = [int(name.rpartition("-")[2]) for name in names(root) if name.rpartition("-")[0] == target]
    return f"{target}-{1 + max(numbers, default=0)}"


def names(root: Path) -> list[str]:
    """All versions, by target and number."""
    folder = root / _FOLDER
    found = (
        [path.name for path in folder.iterdir() if path.name.rpartition("-")[2].isdigit()] if folder.is_dir() else []
    )
    return sorted(found, key=lambda name: (name.rpartition("-")[0], int(name.rpartition("-")[2])))


def promotions(decisions: pa.Table) -> dict[str, list[str]]:
    """Target → the versions used one after the other by standing decisions, the one in use last."""
    found: dict[str, list[str]] = {}
    for row in standing_decisions(decisions):
        if row["kind"] == KIND and row["verdict"] == PROMOTE:
            found.setdefault(json.loads(row["subject"])["target"], []).append(json.loads(row["payload"])["name"])
    return found


def in_use(decisions: pa.Table) -> dict[str, str]:
    """Target → the version in use."""
    return {target: used[-1] for target, used in promotions(decisions).items()}


def promote(root: Path, ledger: Ledger, by: Author, name: str, about: tuple[str, str]) -> str:
    """Use this version from the next run on; gives its target. `about`: who, and why.

    Raises BadUsage for an unknown version, and for one without signal.
    """
    actor, reason = about
    if name not in names(root):
        raise BadUsage(said("predict.no_version", name=name, known=", ".join(names(root)) or "-"))
    model = load_model(model_folder(root, name))
    if model.state != "ready":
        raise BadUsage(said("predict.not_ready", name=name, state=model.state))
    target = name.rpartition("-")[0]
    row = new_decision(KIND, PROMOTE, {"target": target}, {"name": name}, (ledger.head(), actor, reason))
    ledger.append("decisions", [row], by)
    return target


def roll_back(root: Path, ledger: Ledger, by: Author, asked: str, about: tuple[str, str]) -> str:
    """Use a version again by its name, or by its target the one that was in use before the present one; gives its name.

    Raises BadUsage where there is none.
    """
    if asked in names(root):
        promote(root, ledger, by, asked, about)
        return asked
    target = asked
    used = promotions(ledger.read("decisions")).get(target, [])
    earlier = [name for name in used if name != used[-1] and name in names(root)]
    if not earlier:
        raise BadUsage(said("predict.no_earlier", target=target, name=used[-1] if used else "-"))
    promote(root, ledger, by, earlier[-1], about)
    return earlier[-1]


def follows_rule(new: PredictModel, current: PredictModel | None, rule: Promotion) -> bool:
    """Whether the written rule promotes a new version.

    It must be calibrated and, by its log loss out of time, stand further below the base rate's than the one in use
    does by its own, by `least_gain`. Each is measured on what it had not seen.
    """
    if new.state != "ready" or new.card["figures"]["calibration_error"] > rule.most_calibration_error:
        return False
    return _gain(new.card) - (_gain(current.card) if current else 0.0) >= rule.least_gain


def _gain(card: Mapping[str, Any]) -> float:
    return float(card["figures"]["base_log_loss"] - card["figures"]["log_loss"])


def model_list(root: Path, ledger: Ledger) -> list[dict[str, Any]]:
    """The workspace's versions with their figures, and which are in use."""
    used = set(in_use(ledger.read("decisions")).values())
    rows = []
    for name in names(root):
        card = load_model(model_folder(root, name)).card
        figures = card["figures"]
        rows.append(
            {
                "model": name,
                "is_in_use": name in used,
                "state": card["state"],
                "learnt_until": card["period"][1] if card["period"] else None,
                "rows": card["rows"],
                "auc": figures.get("auc"),
                "log_loss": figures.get("log_loss"),
                "base_log_loss": figures.get("base_log_loss"),
                "calibration_error": figures.get("calibration_error"),
            }
        )
    return rows
