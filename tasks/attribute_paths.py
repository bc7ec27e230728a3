"""Attribution on the field's common path file: `path, total_conversions, total_conversion_value, total_null`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadUsage
from scoring.attribution.columns import MISSING_TIME, Floats, codes, sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.paths import (
    Paths,
    markov_removal_effects,
    shapley_rate_shares,
    shapley_shares,
    shares_of,
)
from scoring.attribution.rules import weigh
from scoring.policies.attribution import AttributionPolicy
from tasks.attribute_files import parsed, read_columns, write_table

PATH_RULES = ("first_touch", "last_touch", "linear", "linear_distinct", "position_based")
PATH_MODELS = (*PATH_RULES, "markov", "shapley", "shapley_rate")
# What stands in `params` of each model: its definition in a few words.
PARAMS = {
    "linear_distinct": "distinct channels of the path",
    "position_based": "0.4/0.2/0.4; 2 touches 0.5/0.5",
    "shapley": "v(S)=conversions of paths inside S",
    "shapley_rate": "exact-set conversion-rate game inside each converting set, all channels",
}


def attribute_paths(
    paths: Path,
    model: str,
    order: int = 1,
    without_null: bool = False,
    max_steps: int | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Share the conversions of a path file among its channels by one model.

    Writes `model, params, channel, metric, value` in full precision; metric is conversions or value, for Markov also
    removal_effect, removal_effect_value and, on the row of channel `(start)`, p_conversion. Returns a summary.
    Raises BadFile with file, line and column, or BadUsage for an unknown model or order.
    """
    if model not in PATH_MODELS:
        raise BadUsage(f"attribute-paths: there is no model {model!r}; there are {', '.join(PATH_MODELS)}")
    if not 1 <= order <= 4:
        raise BadUsage(f"attribute-paths: order {order} is not between 1 and 4")
    rows = read_paths(paths, without_null)
    if model == "markov":
        metrics = _markov_metrics(rows, order, max_steps)
        null, steps = "no" if without_null else "yes", "inf" if max_steps is None else max_steps
        params = f"order={order};null={null};max_step={steps}"
    else:
        metrics, params = _shared_metrics(rows, model), PARAMS.get(model, "")
    table = _metric_rows(rows.channels, metrics, model, params)
    if model == "markov":
        table = pa.concat_tables([table, _start_row(params, model, metrics["p_conversion"])])
    if out is not None:
        write_table(table, out)
    return {
        "paths": len(rows.conversions),
        "channels": len(rows.channels),
        "conversions": float(rows.conversions.sum()),
        "value": float(rows.value.sum()),
        "rows": table.num_rows,
        "out": str(out) if out else None,
    }


def read_paths(path: Path, without_null: bool) -> Paths:
    """The paths of the file, each cut at ` > `; without a `total_null` column, or `without_null`, none failed."""
    rows = read_columns(path, ("path", "total_conversions"), ("total_conversion_value", "total_null"))
    steps = pc.split_pattern(pc.fill_null(pc.cast(rows["path"], pa.string()), ""), " > ").combine_chunks()
    names = pc.utf8_trim_whitespace(steps.flatten())
    number = np.repeat(np.arange(len(steps)), np.diff(steps.offsets.to_numpy()))
    given = np.asarray(pc.not_equal(names, "").to_numpy(zero_copy_only=False))
    (channel,), channels = codes(names.filter(pa.array(given)))

    def amounts(name: str) -> Floats:
        if name not in rows.column_names:
            return np.zeros(rows.num_rows)
        column = rows[name]
        column = parsed(column, pa.float64(), name, path) if pa.types.is_string(column.type) else column
        return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), 0.0).to_numpy())

    nulls = np.zeros(rows.num_rows) if without_null else amounts("total_null")
    return Paths(
        number[given],
        channel,
        amounts("total_conversions"),
        amounts("total_conversion_value"),
        nulls,
        [str(name) for name in channels],
    )


def _markov_metrics(rows: Paths, order: int, max_steps: int | None) -> dict[str, Floats]:
    effects = markov_removal_effects(rows, order, max_steps)
    return {
        "conversions": shares_of(effects.conversions, float(rows.conversions.sum())),
        "value": shares_of(effects.value, float(rows.value.sum())),
        "removal_effect": effects.conversions,
        "removal_effect_value": effects.value,
        "p_conversion": np.array([effects.p_conversion]),
    }


def _shared_metrics(rows: Paths, model: str) -> dict[str, Floats]:
    if model == "shapley_rate":
        return {"conversions": shapley_rate_shares(rows)}
    if model == "shapley":
        return {"conversions": shapley_shares(rows, rows.conversions), "value": shapley_shares(rows, rows.value)}
    weight = weigh(_as_journeys(rows), model, AttributionPolicy()).weight

    def shared(worth: Floats) -> Floats:
        return sums(rows.channel, weight * worth[rows.path], len(rows.channels))

    return {"conversions": shared(rows.conversions), "value": shared(rows.value)}


def _as_journeys(rows: Paths) -> Journeys:
    """Each path as the journey of one deal, its steps one second apart."""
    steps = np.arange(len(rows.path))
    nowhen = np.full(len(rows.conversions), MISSING_TIME)
    return Journeys(
        deal_count=len(rows.conversions), deal=rows.path, touch=steps, occurred_at=steps,
        campaign=rows.channel, channel=rows.channel, campaigns=rows.channels, channels=rows.channels,
        lead_at=nowhen, created_at=nowhen, won_at=nowhen,
    )  # fmt: skip


def _metric_rows(channels: list[str], metrics: dict[str, Floats], model: str, params: str) -> pa.Table:
    """One row per channel and metric, channels by name."""
    names = sorted(range(len(channels)), key=channels.__getitem__)
    shown = {name: values for name, values in metrics.items() if name != "p_conversion"}
    count = len(names) * len(shown)
    return pa.table(
        {
            "model": pa.array([model] * count, pa.string()),
            "params": pa.array([params] * count, pa.string()),
            "channel": pa.array([channels[place] for place in names] * len(shown), pa.string()),
            "metric": pa.array([metric for metric in shown for _ in names], pa.string()),
            "value": pa.array(np.concatenate([values[names] for values in shown.values()]), pa.float64()),
        }
    )


def _start_row(params: str, model: str, p_conversion: Floats) -> pa.Table:
    return pa.table(
        {
            "model": [model], "params": [params], "channel": ["(start)"], "metric": ["p_conversion"],
            "value": p_conversion,
        }
    )  # fmt: skip
