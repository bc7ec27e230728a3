"""The loop: what a daily run does, in order. Flows, the command line and the tests all go by this list."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from abmloop.errors import BadUsage
from abmloop.run import Run, StepCounts
from tasks.attribute import attribute
from tasks.build import build_core, build_marts
from tasks.check import check_landed, check_published
from tasks.land import land
from tasks.match import match
from tasks.outbound.deliver import deliver
from tasks.outbound.pull import pull
from tasks.parse import parse
from tasks.publish import publish
from tasks.resolve import resolve, segment
from tasks.route import route
from tasks.score import score

log = logging.getLogger("abmloop")
Act = Callable[[Run], StepCounts]
Perform = Callable[[Act, Run], StepCounts]

LOOP: tuple[Act, ...] = (
    pull,  # what the CRM exported → inbox
    land,  # inbox → raw
    check_landed,  # raw against its contract, or stop
    parse,  # raw → staging, every distinct value once
    resolve,  # directory rows → accounts
    segment,  # tags, fit, target list
    match,  # persons → accounts
    build_core,  # touches, deals and money, settled
    score,  # points and stages
    route,  # leads → owners
    attribute,  # deals → credits
    build_marts,  # what people and the CRM read
    check_published,  # what is about to be read adds up, or stop
    publish,  # one step, for all readers
    deliver,  # side effects last
)

NAMES: dict[str, Act] = {act.__name__: act for act in LOOP}


@dataclass(frozen=True)
class Part:
    """A part of the loop that a person starts by itself, with what it says in English and Chinese."""

    name: str
    steps: tuple[str, ...]
    title: str
    title_zh: str


_LOOK = ("build_marts", "check_published", "publish")
_FROM_CORE = ("build_core", "score", "route", "attribute", *_LOOK)

PARTS: tuple[Part, ...] = (
    Part(
        "refresh-directory",
        ("land", "check_landed", "parse", "resolve", "segment", "match", *_FROM_CORE),
        "Take in new lists and bring accounts up to date",
        "更新企业名录",
    ),
    Part("match-contacts", ("match", *_FROM_CORE), "Match contacts to accounts again", "重新匹配联系人与企业"),
    Part("score-leads", ("score", "route", *_LOOK), "Score and route leads", "线索评分与分配"),
    Part("push-leads", ("deliver",), "Send the CRM what changed", "推送线索到 CRM"),
    Part(
        "pull-deals",
        ("pull", "land", "check_landed", "parse", "resolve", "match", *_FROM_CORE),
        "Take in deals, orders and payments from the CRM",
        "从 CRM 取回商机、订单与回款",
    ),
    Part("attribute-roi", ("attribute", *_LOOK), "Share deals among campaigns and compute ROI", "归因与投资回报"),
    Part("publish", _LOOK, "Build, check and publish what people read", "发布"),
)


def perform_plainly(act: Act, run: Run) -> StepCounts:
    """Carry out a step as the function it is."""
    return act(run)


def run_steps(run: Run, perform: Perform = perform_plainly, only: Iterable[str] | None = None) -> list[StepCounts]:
    """Carry out the loop, or only some of its steps in the loop's order; gives what each counted.

    Each step is told to the logger `abmloop` as it ends. Raises BadUsage for a step that is not in the loop, and
    whatever the steps raise.
    """
    wanted = set(only) if only is not None else set(NAMES)
    unknown = wanted - NAMES.keys()
    if unknown:
        raise BadUsage(f"no such step: {', '.join(sorted(unknown))}; the steps are {', '.join(NAMES)}")
    log.info("as of %s (run %s)", run.as_of, run.run_id)
    return [_told(act, run, perform) for act in LOOP if act.__name__ in wanted]


def _told(act: Act, run: Run, perform: Perform) -> StepCounts:
    started = time.perf_counter()
    counts = perform(act, run)
    log.info("%-15s %6.1f s  %s", act.__name__, time.perf_counter() - started, counts)
    return counts
