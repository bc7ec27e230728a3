"""The loop: what a daily run does, in order. Flows, the command line and the tests all go by this list."""

import logging
import textwrap
import time
from collections.abc import Callable, Iterable

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Run, StepCounts
from abmloop.settings import load_settings
from tasks.attribute.step import attribute
from tasks.build import build_core, build_marts
from tasks.check import check_landed, check_published
from tasks.forecast import forecast
from tasks.land import land
from tasks.match.step import match
from tasks.outbound.lists.steps import withdraw
from tasks.outbound.pull.step import pull
from tasks.outbound.push.step import deliver
from tasks.parse import parse
from tasks.predict.step import predict
from tasks.publish import publish
from tasks.resolve import resolve, segment
from tasks.route.step import route
from tasks.score.step import score
from warehouse.database import Limits, held_open

log = logging.getLogger("abmloop")
LINE_WIDTH = 98  # a hundred columns less the indent of the command's lines
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
    predict,  # chances of open leads, where a model is in use
    route,  # leads → owners
    attribute,  # deals → credits
    forecast,  # deals → what they will bring
    build_marts,  # what people and the CRM read
    check_published,  # what is about to be read adds up, or stop
    publish,  # one step, for all readers
    withdraw,  # off every list those who may no longer be on it
    deliver,  # side effects last
)

NAMES: dict[str, Act] = {act.__name__: act for act in LOOP}


_LOOK = ("build_marts", "check_published", "publish")
_FROM_CORE = ("build_core", "score", "predict", "route", "attribute", "forecast", *_LOOK)

# The parts of the loop that a person starts by themselves: name of the flow → steps, in the loop's order.
PARTS: dict[str, tuple[str, ...]] = {
    "refresh-directory": ("land", "check_landed", "parse", "resolve", "segment", "match", *_FROM_CORE),
    "match-contacts": ("match", *_FROM_CORE),
    "score-leads": ("score", "predict", "route", *_LOOK),
    "push-leads": ("deliver",),
    "pull-deals": ("pull", "land", "check_landed", "parse", "resolve", "segment", "match", *_FROM_CORE),
    "attribute-roi": ("attribute", "forecast", *_LOOK),
    "publish": _LOOK,
}


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
        raise BadUsage(said("usage_no_step", asked=", ".join(sorted(unknown)), known=", ".join(NAMES)))
    log.info("as of %s (run %s)", run.as_of, run.run_id)
    settings = load_settings(run.root)
    with held_open(run.root, Limits(settings.memory_limit, settings.threads)):
        return [_told(act, run, perform) for act in LOOP if act.__name__ in wanted]


def _told(act: Act, run: Run, perform: Perform) -> StepCounts:
    started = time.perf_counter()
    counts = perform(act, run)
    log.info(told_line(counts, time.perf_counter() - started))
    return counts


def told_line(counts: StepCounts, seconds: float) -> str:
    """A step's line for people: what it counted, without what there was none of, in a hundred columns."""
    told = ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in counts.counts.items() if number)
    start = f"{counts.step:<15} {seconds:6.1f} s  "
    # A name and its number stay on one line.
    bound = (told or "nothing new").replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")
    text = textwrap.fill(bound, LINE_WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    return text.replace("\N{NO-BREAK SPACE}", " ")
