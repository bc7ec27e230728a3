"""Attribution on the field's common path file: `path, total_conversions, total_conversion_value, total_null`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.errors import BadFile, BadUsage
from abmloop.messages import said
from scoring.attribution.columns import MISSING_TIME, Floats, Ints, codes, steady_sums
from scoring.attribution.journeys import Journeys
from scoring.attribution.markov import markov_removal_effects
from scoring.attribution.paths import (
    Paths,
    shapley_rate_shares,
    shapley_shares,
    shared_sums,
    shares_of,
)
from scoring.attribution.rules import weigh
from scoring.policies.attribution import AttributionPolicy
from tasks.attribute.inputs import column_batches, parsed, plain_text, write_table

PATH_RULES = ("first_touch", "last_touch", "linear", "linear_distinct", "position_based")
PATH_MODELS = (*PATH_RULES, "markov", "shapley", "shapley_rate")
_MANY = 1 << 15
_FIGURES = ("total_conversions", "total_conversion_value", "total_null")
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
    """Share the conversions of a path file among its channels by a model, or by several (`linear,markov`).

    Writes `model, params, channel, metric, value` in full precision; metric is conversions or value, for Markov also
    removal_effect, removal_effect_value and, on the row of channel `(start)`, p_conversion. What paths without a
    channel earned is nobody's by any model; the summary that is returned tells how much that is.
    Raises BadFile with file, line and column, or BadUsage for an unknown model or order.
    """
    models = [name.strip() for name in model.split(",")]
    if unknown := [name for name in models if name not in PATH_MODELS]:
        asked = ", ".join(map(repr, unknown))
        raise BadUsage(said("attribute_no_path_model", asked=asked, known=", ".join(PATH_MODELS)))
    if not 1 <= order <= 4:
        raise BadUsage(said("attribute_order", order=order))
    if max_steps is not None and max_steps < 1:
        raise BadUsage(said("attribute_max_steps", steps=max_steps))
    rows = read_paths(paths, without_null, set(models) <= set(PATH_RULES))
    table = pa.concat_tables(_rows_of_model(rows, name, order, without_null, max_steps) for name in models)
    if out is not None:
        write_table(table, out)
    nobodys = ~rows.has_step
    return {
        "paths": len(rows.conversions),
        "channels": len(rows.channels),
        "conversions": float(rows.conversions.sum()),
        "value": float(rows.value.sum()),
        "conversions_without_channel": float(rows.conversions[nobodys].sum()),
        "value_without_channel": float(rows.value[nobodys].sum()),
        "rows": table.num_rows,
        "out": str(out) if out else None,
    }


def _rows_of_model(rows: Paths, model: str, order: int, without_null: bool, max_steps: int | None) -> pa.Table:
    if model != "markov":
        return _metric_rows(rows.channels, _shared_metrics(rows, model), model, PARAMS.get(model, ""))
    metrics = _markov_metrics(rows, order, max_steps)
    null, steps = "no" if without_null else "yes", "inf" if max_steps is None else max_steps
    params = f"order={order};null={null};max_step={steps}"
    table = _metric_rows(rows.channels, metrics, model, params)
    return pa.concat_tables([table, _start_row(params, model, metrics["p_conversion"])])


def read_paths(path: Path, without_null: bool, only_converting: bool = False) -> Paths:
    """The paths of the file, each cut at ` > `; without a `total_null` column, or `without_null`, none failed.

    `only_converting` leaves out those without conversion and value, of which rule models need but the channels' names.
    """
    parts = list(_path_parts(path, without_null, only_converting))
    (*numbers, _), names = codes(*(part.words for part in parts), pa.array([""]))  # "": a path's empty steps
    sizes = [len(part.conversions) for part in parts]
    kind = np.int16 if len(names) < _MANY else np.int32
    channel = np.concatenate([n.astype(kind)[part.channel] for n, part in zip(numbers, parts, strict=True)])
    lengths = np.concatenate([part.lengths for part in parts])
    conversions = np.concatenate([part.conversions for part in parts])
    value = np.concatenate([part.value for part in parts])
    nulls = np.concatenate([part.nulls for part in parts])
    del parts
    pa.default_memory_pool().release_unused()
    number = np.repeat(np.arange(sum(sizes), dtype=np.int32), lengths)
    if not channel.all():
        given = channel > 0
        number, channel = number[given], channel[given]
    return Paths(number, channel - 1, conversions, value, nulls, [str(name) for name in names[1:]])


class _Part(NamedTuple):
    """Some rows of a path file: the steps as places in `words`, how many each path has, and its figures."""

    words: pa.Array
    channel: Ints
    lengths: Ints
    conversions: Floats
    value: Floats
    nulls: Floats


def _path_parts(path: Path, without_null: bool, only_converting: bool) -> Iterator[_Part]:
    """The file in parts: the texts of all paths at once would fill the memory."""
    line = 0
    for rows in column_batches(path, ("path", "total_conversions"), ("total_conversion_value", "total_null")):
        conversions, value, nulls = (_amounts(rows, name, path, line) for name in _FIGURES)
        line += rows.num_rows
        texts = pc.fill_null(pc.cast(rows["path"], pa.string()), "")
        kept = (conversions != 0) | (value != 0) if only_converting else np.ones(rows.num_rows, dtype=np.bool_)
        steps = pc.split_pattern(texts.filter(pa.array(kept)) if only_converting else texts, " > ")
        names = steps.flatten().dictionary_encode()
        words = names.dictionary
        if only_converting:
            others = pc.split_pattern(texts.filter(pa.array(~kept)), " > ").flatten().unique()
            words = pa.concat_arrays([words, others])
        figures = (column[kept] for column in (conversions, value, np.zeros(len(kept)) if without_null else nulls))
        channel = names.indices.to_numpy().astype(np.int16 if len(words) < _MANY else np.int32)
        lengths = np.diff(steps.offsets.to_numpy()).astype(np.int32)
        yield _Part(pc.utf8_trim_whitespace(words), channel, lengths, *figures)


def _amounts(rows: pa.Table, name: str, path: Path, line: int) -> Floats:
    """A column of figures, 0 where empty or absent; `line` rows of the file come before these."""
    if name not in rows.column_names:
        return np.zeros(rows.num_rows)
    column = plain_text(rows[name])
    column = parsed(column, pa.float64(), name, path, line) if pa.types.is_string(column.type) else column
    figures = np.asarray(pc.fill_null(pc.cast(column, pa.float64()), 0.0).to_numpy(zero_copy_only=False))
    # A refund may make a value negative; what happened did not happen less than never.
    wrong = ~np.isfinite(figures) if name == "total_conversion_value" else ~(np.isfinite(figures) & (figures >= 0))
    if wrong.any():
        place = int(np.argmax(wrong))
        code = "attribute_no_amount" if name == "total_conversion_value" else "attribute_no_count"
        raise BadFile(said(code, file=path, line=line + place + 2, name=name, value=f"{figures[place]:g}"))
    return figures


def _markov_metrics(rows: Paths, order: int, max_steps: int | None) -> dict[str, Floats]:
    effects = markov_removal_effects(rows, order, max_steps)
    kept = rows.has_step
    return {
        "conversions": shares_of(effects.conversions, _total(rows.conversions[kept])),
        "value": shares_of(effects.value, _total(rows.value[kept])),
        "removal_effect": effects.conversions,
        "removal_effect_value": effects.value,
        "p_conversion": np.array([effects.p_conversion]),
    }


def _total(figures: Floats) -> float:
    """The sum, the same to the last bit whatever the order of the rows."""
    return float(steady_sums(np.zeros(len(figures), dtype=np.int64), figures, 1)[0])


def _shared_metrics(rows: Paths, model: str) -> dict[str, Floats]:
    if model == "shapley_rate":
        return {"conversions": shapley_rate_shares(rows)}
    if model == "shapley":
        return {"conversions": shapley_shares(rows, rows.conversions), "value": shapley_shares(rows, rows.value)}
    weight = weigh(_as_journeys(rows), model, AttributionPolicy()).weight
    return {name: shared_sums(rows, weight, getattr(rows, name)) for name in ("conversions", "value")}


def _as_journeys(rows: Paths) -> Journeys:
    """Each path as the journey of one deal, its steps one second apart."""
    steps, channel = np.arange(len(rows.path)), rows.channel.astype(np.int64)
    nowhen = np.full(len(rows.conversions), MISSING_TIME)
    return Journeys(
        deal_count=len(rows.conversions), deal=rows.path.astype(np.int64), touch=steps, occurred_at=steps,
        campaign=channel, channel=channel, campaigns=rows.channels, channels=rows.channels,
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
