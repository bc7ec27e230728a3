"""The two doors: what has landed and what is about to be published is counted in SQL and judged by a suite."""

from functools import partial

import pyarrow as pa

from abmloop.errors import GateFailed
from abmloop.run import Run, StepCounts
from abmloop.settings import load_settings
from warehouse.quality.gate import Answer, ask
from warehouse.quality.metrics import landed_metrics, published_metrics
from warehouse.steps import Work, step


def check_landed(run: Run) -> StepCounts:
    """Ask the suite `landed` about every landed file. Raises GateFailed before anything is built on them."""
    with step(run, "check_landed") as work:
        held = {"quarantine_hold_share": load_settings(run.root).quarantine_hold_share}
        answers = ask("landed", landed_metrics(partial(work.query)), held)
        _keep(work, "landed", answers)
    _stop_if_broken(answers)
    return work.counts


def check_published(run: Run) -> StepCounts:
    """Ask the suite `published` about every table and sum that people and the CRM are about to read.

    Raises GateFailed before anything is published or pushed.
    """
    with step(run, "check_published") as work:
        answers = ask("published", published_metrics(partial(work.query)))
        _keep(work, "published", answers)
    _stop_if_broken(answers)
    return work.counts


def _keep(work: Work, door: str, answers: list[Answer]) -> None:
    """The answers as rows of quality.expectations, in place of the door's former ones."""
    work.execute("delete from quality.expectations where door = $door", {"door": door})
    rows = [
        {
            "door": door,
            "subject": answer.column,
            "expectation": answer.expectation,
            "success": answer.success,
            "observed": "; ".join(f"{subject}: {value}" for subject, value in answer.failing[:20]),
            "expected": answer.expected,
        }
        for answer in answers
    ]
    work.append("quality.expectations", pa.Table.from_pylist(rows))
    work.count(expectations=len(answers), broken=sum(not answer.success for answer in answers))


def _stop_if_broken(answers: list[Answer]) -> None:
    broken = [str(answer) for answer in answers if not answer.success]
    if broken:
        raise GateFailed(
            "Stopped before anything was published or pushed:\n  "
            + "\n  ".join(broken)
            + "\nSee `abmloop quarantine list`; correct the files and drop them again, or change the limit "
            "in abmloop.yaml."
        )
