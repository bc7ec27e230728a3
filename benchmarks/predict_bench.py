"""Predictive scores on real leads, beside Odoo's published method and with the guard off.

    python -m benchmarks.predict_bench DATA [--cut 0.7]

DATA: a folder with leads/x_education_oldest70.csv, olist/*.csv and maven/*.csv. Each table is cut by time: what is
older than the cut is learnt from with `abmloop model train`, what is newer is scored with `abmloop model score`, and
compared with what became of it. Printed: AUC, log loss, ECE (ten groups of equal count) of the model, and its
scorecard's AUC.

Beside the cut asked for, cuts at other times, with their mean: one cut's figures say little of the next. Columns and
settings were looked at on these cuts, never on single rows.

Controls: the guard off (leaks in training shine as they would never on new leads), the target shuffled (no signal).
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.odoo_scores import OdooScores
from scoring.predict.columns import blank_words
from scoring.predict.measures import auc, calibration_error, log_loss
from scoring.predict.train import Asked, train
from tasks.predict.tables import default_policy, score_table, train_table

AT_CREATION = (
    "Lead Origin", "Lead Source", "Do Not Email", "Do Not Call", "Country", "City",
    "A free copy of Mastering The Interview", "TotalVisits", "Total Time Spent on Website", "Page Views Per Visit",
)  # fmt: skip
FORM = (
    "Specialization", "How did you hear about X Education", "What is your current occupation",
    "What matters most to you in choosing a course",
)  # fmt: skip
LEAKS = {"Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity"}
REHEARSED = {"AUC": "auc", "log loss": "log_loss", "ECE": "calibration_error"}
RIPE_DAYS = 90
SEED = 5
LEAD_CUTS = (0.4, 0.5, 0.6, 0.7, 0.8)
SALES_CUTS = (0.55, 0.58, 0.62, 0.66, 0.70, 0.75, 0.80, 0.85)  # of Olist: deals are recorded from 0.26 of the rows on


def told(name: str, outcome: Any, probability: Any, points: Any = None) -> dict[str, float]:
    """Print and give the figures of one way of scoring."""
    found = {
        "auc": auc(outcome, probability),
        "log_loss": log_loss(outcome, probability),
        "ece": calibration_error(outcome, probability),
    }
    card = "" if points is None else f"   scorecard AUC {auc(outcome, points):.4f}"
    print(
        f"  {name:<34} AUC {found['auc']:.4f}  log loss {found['log_loss']:.4f}  ECE {found['ece']:.4f}{card}",
        flush=True,
    )
    return found


def run(name: str, rows: pd.DataFrame, cut: int, asked: Asked) -> dict[str, Any]:
    """Learn from the rows before the cut, score those after it, print; gives figures and the model's card."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        started = time.process_time()
        rows[:cut].to_csv(folder / "old.csv", index=False)
        rows[cut:].drop(columns=[asked.target]).to_csv(folder / "new.csv", index=False)
        model = train_table(folder / "old.csv", asked, folder / "model")
        score_table(folder / "new.csv", folder / "model", folder / "scores.csv")
        scores = pd.read_csv(folder / "scores.csv")
        seconds = time.process_time() - started
    outcome = rows[cut:][asked.target].to_numpy(float)
    figures = told(name, outcome, scores.probability.to_numpy(float), scores.points.to_numpy(float))
    rehearsed = model.card["figures"]
    if rehearsed:
        shown = " ".join(f"{name} {rehearsed[key]:.4f}" for name, key in REHEARSED.items())
        print(f"  {'':<34} rehearsed: {shown}; {model.state}; {seconds:.1f} CPU-s")
    return {**figures, "card": model.card, "state": model.state}


def at_cuts(name: str, rows: pd.DataFrame, cuts: tuple[float, ...], asked: Asked) -> None:
    """Learn before and score after each cut; print each and the mean."""
    found = []
    blanks = blank_words(default_policy().blanks)
    raw = pa.table({column: pa.array(rows[column].tolist(), pa.string()) for column in rows})
    for share in cuts:
        cut = int(share * len(rows))
        model = train(raw.slice(0, cut), asked, default_policy())
        newer = raw.slice(cut)
        outcome = rows[cut:][asked.target].to_numpy(float)
        said = model.say(model.read(newer, blanks))
        card = auc(outcome, said.points)
        own = auc(outcome, said.probability)
        loss, error = log_loss(outcome, said.probability), calibration_error(outcome, said.probability)
        found.append((own, loss, error, card))
        print(f"    cut {share:.2f}, {len(outcome)} newer{'':<13} AUC {own:.4f}  log loss {loss:.4f}  ECE {error:.4f}")
    own, loss, error, card = np.mean(found, axis=0)
    print(
        f"  {name + f', mean of {len(cuts)} cuts':<34} AUC {own:.4f}  log loss {loss:.4f}  ECE {error:.4f}   "
        f"scorecard AUC {card:.4f}",
        flush=True,
    )


def x_education(data: Path, share: float) -> None:
    """Leads of a course provider, cut by lead number."""
    rows = pd.read_csv(data / "leads" / "x_education_oldest70.csv", dtype=str, keep_default_na=False)
    cut = int(share * len(rows))
    outcome = rows["Converted"].to_numpy(float)[cut:]
    became = f"{outcome.mean():.1%} of them became"
    print(f"X Education: {cut} older leads learnt from, {len(rows) - cut} newer ones scored, {became}")
    named = Asked("Converted", id_column="Lead Number", columns=AT_CREATION)
    ours = run("at creation", rows, cut, named)
    odoo = told("Odoo's method, same columns", outcome, odoo_scores(rows, cut, AT_CREATION))
    ahead = ours["auc"] - odoo["auc"], odoo["log_loss"] - ours["log_loss"]
    print(f"  {'':<34} ahead by {ahead[0]:.4f} AUC and {ahead[1]:.4f} log loss")
    run("with form columns", rows, cut, Asked("Converted", id_column="Lead Number", columns=AT_CREATION + FORM))
    at_cuts("at creation", rows, LEAD_CUTS, named)
    guarded = run("all columns, guard on", rows, cut, Asked("Converted", id_column="Lead Number"))
    refused = {one["column"] for one in guarded["card"]["refused"] if one["is_leak"]}
    leaks = "refused" if refused >= LEAKS else "NOT refused"
    kept = "NOT kept" if refused & set(AT_CREATION) else "kept"
    print(f"  refused: {', '.join(sorted(refused))}; all leaks {leaks}, columns at creation {kept}")
    run("control: all columns, guard off", rows, cut, Asked("Converted", id_column="Lead Number", allow_leaks=True))
    shuffled = rows.copy()
    shuffled["Converted"] = np.random.default_rng(SEED).permutation(rows["Converted"].to_numpy())
    run("control: target shuffled", shuffled, cut, named)


def odoo_scores(rows: pd.DataFrame, cut: int, columns: tuple[str, ...]) -> Any:
    """What Odoo's method says of the newer rows."""
    method = OdooScores(columns)
    method.learn(rows[:cut].to_dict("records"), rows["Converted"].to_numpy(float)[:cut])
    return method.say(rows[cut:].to_dict("records"))


def olist(data: Path, share: float) -> None:
    """A marketplace's leads: won within ninety days of the first contact."""
    rows = pd.read_csv(data / "olist" / "mqls_until_2018-04-04.csv", dtype=str, keep_default_na=False)
    won = pd.read_csv(data / "olist" / "closed_deals_of_those.csv").set_index("mql_id")["won_date"]
    days = (pd.to_datetime(rows["mql_id"].map(won)) - pd.to_datetime(rows["first_contact_date"])).dt.days
    rows["won"] = (days <= RIPE_DAYS).astype(int).astype(str)
    rows = rows.sort_values(["first_contact_date", "mql_id"]).reset_index(drop=True)
    asked = Asked("won", time="first_contact_date", id_column="mql_id")
    cut = int(share * len(rows))
    print(f"Olist: {cut} leads until {rows['first_contact_date'][cut - 1]} learnt from, {len(rows) - cut} scored")
    found = run("won within 90 days", rows, cut, asked)
    print(f"  left out: {found['card']['gaps']}")
    at_cuts("won within 90 days", rows, SALES_CUTS, asked)
    shuffled = rows.copy()
    shuffled["won"] = np.random.default_rng(SEED).permutation(rows["won"].to_numpy())
    run("control: target shuffled", shuffled, cut, asked)


def maven(data: Path, share: float) -> None:
    """Opportunities of an invented CRM, whose outcome follows from nothing."""
    rows = pd.read_csv(data / "maven" / "sales_pipeline.csv", dtype=str, keep_default_na=False)
    with (data / "maven" / "accounts.csv").open(encoding="utf-8", newline="") as file:
        sectors = {row["account"]: row["sector"] for row in csv.DictReader(file)}
    rows["sector"] = rows["account"].map(sectors).fillna("")
    rows = rows[rows["deal_stage"].isin(["Won", "Lost"])].copy()
    rows["won"] = (rows["deal_stage"] == "Won").astype(int).astype(str)
    rows = rows.drop(columns=["deal_stage"])
    rows["on"] = pd.to_datetime(rows["engage_date"], format="%m/%d/%Y")
    rows = rows.sort_values(["on", "opportunity_id"]).drop(columns=["on"]).reset_index(drop=True)
    cut = int(share * len(rows))
    print(f"Maven: {cut} opportunities learnt from, {len(rows) - cut} scored")
    found = run("won or lost", rows, cut, Asked("won", time="engage_date", id_column="opportunity_id"))
    refused = ", ".join(one["column"] for one in found["card"]["refused"])
    print(f"  state: {found['state']}; rehearsed AUC {found['card']['figures'].get('auc')}; refused: {refused}")


def main() -> None:
    """All three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cut", type=float, default=0.7, help="share of the rows that is learnt from")
    asked = parser.parse_args()
    x_education(asked.data, asked.cut)
    olist(asked.data, asked.cut)
    maven(asked.data, asked.cut)


if __name__ == "__main__":
    main()
