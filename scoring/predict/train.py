"""From a table with a known outcome to a model: what is blank, what is refused, what is learnt, how good it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.predict import PredictPolicy
from scoring.predict.base_rate import recorded_from
from scoring.predict.columns import Column, blank_words, read_column
from scoring.predict.leaks import Refusal, Rows, find_leaks, find_useless
from scoring.predict.measures import (
    Z95,
    auc_error,
    auc_within,
    calibration_error,
    calibration_table,
    lift_table,
    log_loss,
    share_of,
)
from scoring.predict.model import FORMAT, VERSION, PredictModel, as_age, parts_to_json
from scoring.predict.outcome import Order, Outcome, read_order, read_outcome
from scoring.predict.parts import fit_parts
from scoring.predict.rehearsal import Known, Rehearsed, rehearse

Numbers = Any  # a NumPy array


@dataclass(frozen=True)
class Asked:
    """What is to be learnt of which columns. `columns`: only these, leaks or not; `came`: the writing of the outcome
    that means that it came; `ripe_days`: so long an outcome may take."""

    target: str
    time: str | None = None
    id_column: str | None = None
    columns: tuple[str, ...] | None = None
    allow_leaks: bool = False
    came: str | None = None
    ripe_days: float = 0.0


@dataclass(frozen=True)
class _Table:
    """Rows of known outcome, the oldest first."""

    columns: list[Column]
    outcome: Numbers
    order: Order
    day: Numbers
    group: Numbers
    told: Outcome
    rows_in: int
    refused: list[Refusal] = field(default_factory=list)
    warned: list[Refusal] = field(default_factory=list)
    ages: frozenset[str] = frozenset()
    gaps: dict[str, Any] = field(default_factory=dict)


def train(raw: pa.Table, asked: Asked, policy: PredictPolicy) -> PredictModel:
    """Learn to predict `asked.target` from the other columns of a table, all text as received.

    The model's state is `too_little` where not enough outcomes are known, and `no_signal` where predictions out of time
    order them no better than chance. Raises BadUsage where a column that was named is not there, or the target does not
    tell two outcomes apart.
    """
    asked = _with_names(raw, asked)
    table = _read(raw, asked, policy)
    table = _guarded(table, asked, policy)
    card = _card(table, asked, policy)
    came = int(table.outcome.sum())
    least = policy.history
    if len(table.outcome) < least.least_rows or min(came, len(table.outcome) - came) < least.least_outcomes:
        return PredictModel({**card, "state": "too_little"})
    if not table.columns:
        return PredictModel({**card, "state": "no_signal"})
    known = Known(table.outcome, table.group, table.day, asked.ripe_days)
    rehearsed = rehearse(table.columns, known, policy)
    figures = _figures(rehearsed)
    if figures["auc_low"] <= 0.5 or figures["auc"] < policy.signal.least_auc:
        return PredictModel({**card, "state": "no_signal", "figures": figures})
    fitted = fit_parts(table.columns, table.outcome, policy.learning)
    mix, shape = rehearsed.mix, rehearsed.chosen.shape
    count = fitted.parts.count(mix)
    trees = str(fitted.parts.trees.model_to_string(num_iteration=count))
    model = PredictModel(
        {
            **card, "state": "ready", "figures": figures, "tree_share": mix.tree_share, "trees": count,
            "shape": {"kind": shape.kind, "numbers": list(shape.numbers)},
            "level": round(fitted.levels([mix])[0], 6), **parts_to_json(fitted.parts),
        },
        trees,
    )  # fmt: skip
    return PredictModel({**model.card, "profile": profile_of(model, table.columns)}, trees)


def profile_of(model: PredictModel, columns: Sequence[Column]) -> dict[str, Any]:
    """How rows spread over the bins of each column and over probabilities, in tenths of the rows learnt from."""
    said = model.probability(columns)
    edges = [round(float(edge), 6) for edge in np.quantile(said, np.linspace(0, 1, 11)[1:-1])]
    inputs = {
        bins.column: np.bincount(place, minlength=bins.count).tolist()
        for bins, place in zip(model.scorecard.bins, model.places(columns), strict=True)
    }
    return {"inputs": inputs, "edges": edges, "outputs": count_between(edges, said)}


def count_between(edges: Sequence[float], said: Numbers) -> list[int]:
    """Rows between the edges."""
    return np.bincount(np.searchsorted(np.array(edges), said), minlength=len(edges) + 1).tolist()  # type: ignore[no-any-return]


def _with_names(raw: pa.Table, asked: Asked) -> Asked:
    """The same with every column's name as it stands in the table; case and spaces do not count."""
    plain: dict[str, str] = {name.lower().replace(" ", ""): name for name in reversed(raw.column_names)}

    def found(name: str | None) -> str | None:
        if name is None or name in raw.column_names:
            return name
        if name.lower().replace(" ", "") in plain:
            return plain[name.lower().replace(" ", "")]
        raise BadUsage(said("predict_no_column", name=name, known=", ".join(raw.column_names)))

    columns = None if asked.columns is None else tuple(str(found(name)) for name in asked.columns)
    target = str(found(asked.target))
    if columns and target in columns:
        raise BadUsage(said("predict_target_in_columns", target=target))
    return Asked(
        target, found(asked.time), found(asked.id_column), columns, asked.allow_leaks, asked.came, asked.ripe_days
    )


def _read(raw: pa.Table, asked: Asked, policy: PredictPolicy) -> _Table:
    """The rows whose outcome is known and, by `ripe_days`, could be known; the newest of too many."""
    blanks = blank_words(policy.blanks)
    outcome = read_outcome(asked.target, raw[asked.target], policy.outcomes, asked.came)
    known = raw.filter(pa.array(~np.isnan(outcome.values)))
    if not known.num_rows:
        none = np.zeros(0)
        return _Table([], none, Order(np.zeros(0, np.int64), "chance"), none, none, outcome, raw.num_rows)
    taken = {asked.target, asked.time, asked.id_column}
    columns = [read_column(name, known[name], blanks) for name in known.column_names if name not in taken]
    order = read_order(columns, known, asked.time, asked.id_column, blanks)
    place = order.place
    day = np.full(known.num_rows, np.nan) if order.days is None else order.days
    newest = _newest_day(raw, order, blanks)
    if asked.ripe_days and newest is not None:
        place = place[~(day[place] > newest - asked.ripe_days)]
    place = place[-policy.history.most_rows :]
    values = outcome.values[~np.isnan(outcome.values)]
    place, gaps = _observed(place, values, day, asked, policy)
    group = np.full(known.num_rows, -1)
    if asked.id_column is not None:
        ids = read_column(asked.id_column, known[asked.id_column], blanks, "value")
        group = ids.codes
    found = [column.take(place) for column in columns if column.name != order.column]
    return _Table(found, values[place], order, day[place], group[place], outcome, raw.num_rows, gaps=gaps)


def _observed(
    place: Numbers, values: Numbers, day: Numbers, asked: Asked, policy: PredictPolicy
) -> tuple[Numbers, dict[str, Any]]:
    """(rows since outcomes are recorded, what stands on the card about the rest).

    What came before they were is left out where enough stays; newest rows of which next to none became are kept, and
    told, for it may be true.
    """
    least = policy.history
    outcome = values[place]
    first = recorded_from(outcome)
    kept = outcome[first:]
    if len(kept) < least.least_rows or min(kept.sum(), len(kept) - kept.sum()) < least.least_outcomes:
        first = 0
    gaps: dict[str, Any] = {}
    if first:
        last = day[place[first - 1]]
        until = None if np.isnan(last) else str(np.datetime64(int(np.floor(last)), "D"))
        gaps["unrecorded"] = {"rows": first, "outcomes": int(outcome[:first].sum()), "until": until}
    unripe = recorded_from(outcome[::-1])
    if unripe and not asked.ripe_days:
        gaps["unripe"] = {"rows": unripe, "outcomes": int(outcome[-unripe:].sum())}
    return place[first:], gaps


def _newest_day(raw: pa.Table, order: Order, blanks: frozenset[str]) -> float | None:
    """The newest day of the table, that of rows whose outcome is open too: until then outcomes could become known."""
    if order.days is None or order.column is None:
        return None
    days = read_column(order.column, raw[order.column], blanks, "day").numbers
    return float(np.nanmax(days)) if not np.isnan(days).all() else None


def _guarded(table: _Table, asked: Asked, policy: PredictPolicy) -> _Table:
    """The same without the columns that may not be used; those that were asked for are kept, with a warning."""
    refused = find_useless(table.columns)
    useless = {one.column for one in refused}
    rows = Rows.of(table.outcome, table.day)
    candidates = [column for column in table.columns if column.name not in useless]
    if asked.columns is not None:
        candidates = [column for column in candidates if column.name in asked.columns]
        refused = [one for one in refused if one.column in asked.columns]
    leaks = find_leaks(candidates, rows, policy.guard) if len(table.outcome) else []
    has_day = not np.isnan(table.day).all()
    undated = [column.name for column in candidates if column.kind == "day" and not has_day]
    refused += [Refusal(name, "undated", is_leak=False) for name in undated]
    keeps_leaks = asked.allow_leaks or asked.columns is not None
    gone = set(undated) | (set() if keeps_leaks else {leak.column for leak in leaks})
    kept = [column for column in candidates if column.name not in gone]
    columns = [as_age(column, table.day) if column.kind == "day" else column for column in kept]
    return _Table(
        columns, table.outcome, table.order, table.day, table.group, table.told, table.rows_in,
        refused + ([] if keeps_leaks else leaks),
        [leak for leak in leaks if leak.column not in gone] if keeps_leaks else [],
        frozenset(column.name for column in kept if column.kind == "day"),
        table.gaps,
    )  # fmt: skip


def _card(table: _Table, asked: Asked, policy: PredictPolicy) -> dict[str, Any]:
    """What every model's card says, whatever came of it."""
    dated = table.day[~np.isnan(table.day)]
    span = [str(np.datetime64(int(np.floor(day)), "D")) for day in (dated.min(), dated.max())] if len(dated) else None
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": asked.target,
        "came": list(table.told.came),
        "did_not": list(table.told.did_not),
        "still_open": list(table.told.still_open),
        "id": asked.id_column,
        "time": table.order.column if table.order.days is not None else asked.time,
        "order": {"by": table.order.by, "column": table.order.column},
        "period": span,
        "rows_in": table.rows_in,
        "rows": len(table.outcome),
        "outcomes": int(table.outcome.sum()),
        "base_rate": round(float(table.outcome.mean()), 6) if len(table.outcome) else 0.0,
        "columns": [
            {"name": column.name, "kind": column.kind, "is_age": column.name in table.ages} for column in table.columns
        ],
        "blanks": {
            column.name: [list(marker) for marker in column.markers] for column in table.columns if column.markers
        },
        "refused": [_refusal(one) for one in table.refused],
        "warned": [_refusal(one) for one in table.warned],
        "gaps": table.gaps,
        "figures": {},
        "least_rows": policy.history.least_rows,
        "least_outcomes": policy.history.least_outcomes,
        "policy_version": policy.version,
    }


def _refusal(one: Refusal) -> dict[str, Any]:
    figures = {name: round(value, 4) if isinstance(value, float) else value for name, value in one.figures.items()}
    return {"column": one.column, "rule": one.rule, "is_leak": one.is_leak, "figures": figures}


def _figures(rehearsed: Rehearsed) -> dict[str, Any]:
    """How good what was said out of time is: the model, its scorecard, and the base rate alone beside them."""
    real, block = rehearsed.outcome, rehearsed.block
    said = share_of(rehearsed.chosen.honest)
    power = auc_within(real, said, block)
    came = int(real.sum())
    error = auc_error(power, came, len(real) - came)
    return {
        "rows": len(real),
        "outcomes": came,
        "learnt_from_first": rehearsed.first,
        "parts": int(block.max()) + 1,
        "purged": rehearsed.purged,
        "auc": round(power, 4),
        "auc_low": round(power - Z95 * error, 4),
        "auc_high": round(power + Z95 * error, 4),
        "log_loss": round(log_loss(real, said), 4),
        "base_log_loss": round(log_loss(real, rehearsed.base), 4),
        "calibration_error": round(calibration_error(real, said), 4),
        "scorecard_auc": round(auc_within(real, rehearsed.points, block), 4),
        "scorecard_log_loss": round(log_loss(real, rehearsed.card_odds), 4),
        "scorecard_calibration_error": round(calibration_error(real, rehearsed.card_odds), 4),
        "tree_share": rehearsed.mix.tree_share,
        "shape_losses": {kind: round(loss, 4) for kind, loss in rehearsed.chosen.losses.items()},
        "calibration": calibration_table(real, said),
        "lift": lift_table(real, said),
    }
