"""How each public package is called on a path file; benchmarks.attribution_peers runs it in the package's environment.

`python attribution_adapters.py NAME MODEL PATHS OUT`: reads the paths, works, writes `channel,value`, and prints the
CPU seconds of the work and those of all three. What MAM calls removal effects stands beside it in OUT with the suffix
`.effects.csv`.
"""

import contextlib
import io
import sys
import time
from pathlib import Path

import pandas as pd


def channel_attribution(rows: pd.DataFrame, model: str) -> dict:
    """Its heuristics come all three at once; its Markov model simulates."""
    from ChannelAttribution import heuristic_models, markov_model

    columns = {"var_path": "path", "var_conv": "total_conversions"}
    if model == "rules":
        found = heuristic_models(rows, columns["var_path"], columns["var_conv"])
        return dict(zip(found["channel_name"], found["linear_touch"], strict=True))
    order = int(model.split()[1])
    found = markov_model(rows, columns["var_path"], columns["var_conv"], var_null="total_null", order=order)
    return dict(zip(found["channel_name"], found["total_conversions"], strict=True))


def mam(rows: pd.DataFrame, model: str) -> dict | tuple[dict, dict]:
    """Its third format: paths with how often they occurred and whether they converted; Markov's removal effects too."""
    from mam import MAM

    given = pd.DataFrame({"path": rows["path"], "conv": rows["total_conversions"] > 0, "times": 1})
    model_of = MAM(given, "format_3", "path", "conv", occurrences_colname="times", path_separator=" > ")
    if model == "rules":
        model_of.run_first_click()
        model_of.run_last_click()
        return _mam_values(model_of.run_linear())
    _only_order_one(model)
    found = model_of.run_markov()
    return _mam_values(found), found.metadata["removal_effect"]["removal_effect"].to_dict()


def _only_order_one(model: str) -> None:
    if model != "markov 1":
        raise SystemExit("it has no order but 1")


def _mam_values(result) -> dict:
    table = result.to_pandas()
    return dict(zip(table.iloc[:, 0], table.iloc[:, 1], strict=True))


def mta(rows: pd.DataFrame, model: str) -> dict:
    """Linear over distinct channels is its own meaning of the word."""
    from mta import MTA

    found = MTA(rows, allow_loops=True, add_timepoints=False, normalize_by_default=False)
    if model == "rules":
        found.first_touch().last_touch().linear()
        return dict(found.attribution["linear"])
    _only_order_one(model)
    found.markov(sim=False)
    return dict(found.attribution["markov"])


def shapley_attribution(rows: pd.DataFrame, model: str) -> dict:
    """It has no Markov model."""
    from shapley_attribution import FirstTouchAttribution, LastTouchAttribution, LinearAttribution

    if model != "rules":
        raise SystemExit("it has no Markov model")
    journeys, won = rows["path"].str.split(" > ").tolist(), (rows["total_conversions"] > 0).tolist()
    for kind in (FirstTouchAttribution, LastTouchAttribution, LinearAttribution):
        fitted = kind(normalize=False).fit(journeys, won)
    return dict(fitted.get_attribution())


ADAPTERS = {
    "ChannelAttribution": channel_attribution,
    "MAM": mam,
    "mta": mta,
    "shapley-attribution": shapley_attribution,
}


def _write(values: dict, out: Path) -> None:
    pd.DataFrame({"channel": list(values), "value": list(values.values())}).to_csv(out, index=False)


def main() -> None:
    """The command line."""
    name, model, paths, out = sys.argv[1:]
    adapter = ADAPTERS[name]
    opened = time.process_time()
    rows = pd.read_parquet(paths)
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        values = adapter(rows, model)
    spent = time.process_time() - started
    values, effects = values if isinstance(values, tuple) else (values, None)
    _write(values, Path(out))
    if effects is not None:
        _write(effects, Path(out).with_suffix(".effects.csv"))
    print(spent, time.process_time() - opened)


if __name__ == "__main__":
    main()
