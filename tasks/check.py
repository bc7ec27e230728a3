"""The two doors: what has landed and what is about to be published is counted in SQL and judged by a suite."""

import logging
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from abmloop.errors import GateFailed
from abmloop.messages import say
from abmloop.run import Run, StepCounts
from abmloop.settings import Settings, load_settings
from scoring.policies.sources import SourcesPolicy
from tasks.policies import load_policy
from tasks.quality.heal import heal_quarantine
from tasks.quality.holds import accepted_holds
from tasks.quality.lost_amounts import note_lost_amounts
from tasks.quality.refused_shares import note_refused_shares
from tasks.quality.rows import typed_rows
from tasks.quality.rule_changes import rule_changes
from tasks.quality.telling import stopped_words, tell_difference
from tasks.quality.watching import watch_snapshots
from tasks.summary import Rows
from warehouse.quality.gate import Answer, ask, figure_hashes
from warehouse.quality.metrics import landed_metrics, published_metrics, standing_metrics
from warehouse.steps import Work, step

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("abmloop")
_HELD = "select * from quality.differences where state = 'held' order by entity, source, kind, subject, hold_id"
_TOLD = """
select differences.* from quality.differences join ops.files using (file_sha, entity)
where differences.state = 'noted' and kind <> 'refused_share' and run_id = $run_id order by kind, subject limit 20
"""


def check_landed(run: Run) -> StepCounts:
    """Ask the suite `landed` about all files and snapshots. Raises GateFailed before anything is built on them."""
    policy, settings = load_policy(run, SourcesPolicy), load_settings(run.root)
    with step(run, "check_landed") as work:
        accepted = accepted_holds(work.ledger.read("decisions", run))
        watch_snapshots(work, policy, accepted)
        heal_quarantine(work, is_final=False)
        note_refused_shares(work, settings, accepted)
        answers = _ask(work, "landed", landed_metrics(partial(work.query)), settings)
        held = _keep(work, "landed", answers)
        told = work.query(_TOLD, run_id=run.run_id).to_pylist()
    for row in told:
        what = tell_difference(row, run.language)
        log.info(say("quality.told", run.language, file=row["file_name"], entity=row["entity"], what=what))
    _stop_if_broken(run, answers, held)
    return work.counts


def check_published(run: Run) -> StepCounts:
    """Ask the suite `published` about every table and sum that people and the CRM are about to read.

    Raises GateFailed before anything is published or pushed.
    """
    settings = load_settings(run.root)
    with step(run, "check_published") as work:
        accepted = accepted_holds(work.ledger.read("decisions", run))
        note_refused_shares(work, settings, accepted)
        note_lost_amounts(work, accepted)
        answers = _ask(work, "published", published_metrics(partial(work.query)), settings)
        held = _keep(work, "published", answers)
        changes = rule_changes(work)
        work.replace(
            "quality.metrics", pa.concat_tables([standing_metrics(work.query, run.as_of), _rows(run, changes)])
        )
    if changes:
        log.info(say("summary.rule_changes", run.language, **{name: f"{value:,}" for name, value in changes.items()}))
    _stop_if_broken(run, answers, held)
    return work.counts


def _rows(run: Run, changes: dict[str, int]) -> pa.Table:
    """The figures of a change of rules as rows of quality.metrics."""
    rows = [
        {"as_of": run.as_of, "metric": "rule_change", "subject": name, "value": float(value)}
        for name, value in changes.items()
    ]
    return typed_rows("quality.metrics", rows)


def _ask(work: Work, door: str, metrics: "pd.DataFrame", settings: Settings) -> list[Answer]:
    """The answers of a door's suite; what it passed is kept, for the next run not to ask about it again."""
    limits = {"quarantine_hold_share": settings.quarantine_hold_share}
    known = work.query("select figures_hash from quality.passed_figures where door = $door", door=door)
    answers = ask(door, metrics, limits, set(known["figures_hash"].to_pylist()))
    if all(answer.success for answer in answers):
        hashes = sorted(set(figure_hashes(door, metrics, limits)))
        rows = [{"door": door, "figures_hash": figures_hash} for figures_hash in hashes]
        work.replace("quality.passed_figures", typed_rows("quality.passed_figures", rows), where=f"door = '{door}'")
    return answers


def _keep(work: Work, door: str, answers: list[Answer]) -> Rows:
    """The answers as rows of quality.expectations, in place of the door's former ones; gives what is held."""
    work.execute("delete from quality.expectations where door = $door", {"door": door})
    rows = [
        {
            "door": door,
            "subject": answer.column,
            "expectation": answer.code,
            "success": answer.success,
            "observed": "; ".join(f"{subject}: {value}" for subject, value in answer.failing[:20]),
            "expected": answer.expected,
        }
        for answer in answers
    ]
    work.append("quality.expectations", typed_rows("quality.expectations", rows))
    work.count(expectations=len(answers), broken=sum(not answer.success for answer in answers))
    return list(work.query(_HELD).to_pylist())


def _stop_if_broken(run: Run, answers: list[Answer], held: Rows) -> None:
    """Raises GateFailed where an expectation is broken; the pages show it."""
    broken = [answer for answer in answers if not answer.success]
    if broken:
        # Drawing takes seconds to import, which a run that goes on does not need here.
        from tasks.report.quality import quality_pages

        quality_pages(run.root)
        raise GateFailed(stopped_words(broken, held, str(run.root / "quality" / "index.html")))
