"""Dirty rows landed and parsed by the real steps, and what they told held against the truth."""

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from abmloop.run import Run
from benchmarks.dirty_million.defects import DEFECTS
from benchmarks.dirty_million.rows import Truth, told_column, write_files
from benchmarks.world import AS_OF
from scoring.values import actions
from tasks.check import check_landed
from tasks.land import land
from tasks.parse import parse
from tasks.runs import open_run
from warehouse.steps import step

SETTINGS = "name: dirty\n"


@dataclass(frozen=True)
class Findings:
    """What quality told: refused rows, other values, and where all rows are."""

    quarantine: pd.DataFrame
    repairs: pd.DataFrame
    counts: pd.DataFrame
    files: pd.DataFrame
    codes: pd.DataFrame


@dataclass(frozen=True)
class Verdict:
    """How the findings agree with the truth. `by_defect` has one row per kind: expected and found."""

    by_defect: pd.DataFrame
    missed_fatal: int
    good_quarantined: int
    wrong_rule: int
    false_alarms: int
    wrong_codes: int
    lost_rows: int

    @property
    def holds(self) -> bool:
        """Every fatal defect refused under its rule, no other row refused, no row lost, no mended code wrong."""
        return not (self.missed_fatal or self.good_quarantined or self.wrong_rule or self.lost_rows or self.wrong_codes)


@contextmanager
def dirty_workspace(rows: int, seed: int) -> Iterator[tuple[Path, Truth]]:
    """A temporary workspace whose inbox holds the files, and the truth about them."""
    root = Path(tempfile.mkdtemp(prefix="abmloop-dirty-"))
    try:
        (root / "abmloop.yaml").write_text(SETTINGS, encoding="utf-8")
        # In a process of its own, so that the memory printed is that of the loop.
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            truth = apart.submit(write_files, root / "inbox", rows, seed).result()
        yield root, truth
    finally:
        shutil.rmtree(root)


def land_and_parse(root: Path, tell: bool = False) -> Findings:
    """The steps from the inbox to staging; with `tell` their cost is printed."""
    with open_run(root, AS_OF) as run:
        for act in (land, check_landed, parse):
            wall, cpu = time.perf_counter(), time.process_time()
            counts = act(run)
            if tell:
                spent = f"{time.perf_counter() - wall:7.1f} s {time.process_time() - cpu:7.1f} CPU-s"
                print(f"  {act.__name__:<14} {spent}  {counts}", flush=True)
        return _findings(run)


@contextmanager
def fatal_rule_let_pass() -> Iterator[None]:
    """The control: a table of actions in which the amount of a deal may be anything."""
    guarded = actions.rejecting_columns()
    open_ones = {column: why for column, why in guarded.items() if column != ("deals", "amount")}
    with patch.object(actions, "rejecting_columns", lambda: open_ones):
        yield


def _findings(run: Run) -> Findings:
    with step(run, "look") as work:
        return Findings(
            work.query("select entity, line, rule from quality.quarantine").to_pandas(),
            work.query("select entity, line, column_name, rule, action from quality.repairs").to_pandas(),
            work.query("select * from staging.row_counts").to_pandas(),
            work.query(
                "select entity, rows_in, rows_loaded, rows_quarantined, rows_skipped from ops.files"
            ).to_pandas(),
            work.query("select line, uscc from staging.companies").to_pandas(),
        )


def judge(truth: Truth, found: Findings) -> Verdict:
    """The truth beside the findings."""
    rows = truth.rows.assign(
        column_name=[told_column(DEFECTS[place]) for place in truth.rows["defect"]],
        action=[DEFECTS[place].effect for place in truth.rows["defect"]],
    )
    fatal = rows[rows["action"] == "reject_row"]
    refused = found.quarantine.drop_duplicates()
    right = fatal.merge(refused, on=["entity", "line", "rule"])
    anyhow = fatal.merge(refused[["entity", "line"]].drop_duplicates(), on=["entity", "line"])
    innocent = refused.merge(fatal[["entity", "line"]], on=["entity", "line"], how="left", indicator=True)
    living = rows[rows["action"] != "reject_row"]
    told = living.merge(found.repairs.drop_duplicates(), on=["entity", "line", "column_name", "rule", "action"])
    alarms = found.repairs.merge(rows[["entity", "line"]], on=["entity", "line"], how="left", indicator=True)
    by_defect = pd.DataFrame({"expected": rows.groupby("defect").size()})
    by_defect["found"] = pd.concat([right, told]).drop_duplicates(["defect", "row"]).groupby("defect").size()
    by_defect = by_defect.fillna(0).astype(int)
    return Verdict(
        by_defect,
        missed_fatal=len(fatal) - anyhow["row"].count(),
        good_quarantined=int((innocent["_merge"] == "left_only").sum()),
        wrong_rule=len(anyhow) - len(right),
        false_alarms=int((alarms["_merge"] == "left_only").sum()),
        wrong_codes=_wrong_codes(rows, found),
        lost_rows=_lost(found),
    )


def _wrong_codes(rows: pd.DataFrame, found: Findings) -> int:
    """Mended codes that are not the code that was spoilt, and refused ones that stand in staging all the same."""
    spoilt = rows[(rows["entity"] == "companies") & (rows["column_name"] == "uscc")].merge(found.codes, on="line")
    mended = spoilt["action"] == "repair"
    return int(((spoilt["uscc"] != spoilt["sound"]) & mended).sum() + (spoilt["uscc"].notna() & ~mended).sum())


def _lost(found: Findings) -> int:
    files, counts = found.files, found.counts
    in_files = files["rows_in"] - files["rows_loaded"] - files["rows_quarantined"] - files["rows_skipped"]
    in_tables = counts["raw_rows"] - counts["staging_rows"] - counts["superseded_rows"] - counts["rejected_rows"]
    return int(in_files.abs().sum() + in_tables.abs().sum())


def show(verdict: Verdict) -> None:
    """The verdict, and each kind that was not found in full."""
    by_effect = verdict.by_defect.groupby([DEFECTS[place].effect for place in verdict.by_defect.index]).sum()
    for effect, row in by_effect.iterrows():
        print(f"  {effect:<10} {row['found']:>8,} of {row['expected']:>8,} told under the right rule")
    for place, row in verdict.by_defect[verdict.by_defect["found"] < verdict.by_defect["expected"]].iterrows():
        defect = DEFECTS[place]
        print(f"    not in full: {defect.catalogue} {defect.name} {defect.effect}: {row['found']} of {row['expected']}")
    print(
        f"  fatal missed {verdict.missed_fatal}, under another rule {verdict.wrong_rule}, good rows quarantined"
        f" {verdict.good_quarantined}, rows lost {verdict.lost_rows}, codes mended wrongly {verdict.wrong_codes},"
        f" told of good rows {verdict.false_alarms}"
    )
    print(f"  → {'holds' if verdict.holds else 'DOES NOT HOLD'}", flush=True)


def peak_mb() -> float:
    """Highest resident memory of our process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
