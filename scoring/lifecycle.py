"""A lead's life, replayed in time: which stage it entered when, in which cycle, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import zone
from scoring.engagement import Flags, Floats, Ints, Log, RunningScores, first_day_below
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import ENDS, STAGES

RANK = {stage: rank for rank, stage in enumerate((*STAGES, *ENDS))}
STAGE_NAMES = pa.array([*STAGES, *ENDS])
NEVER = int(np.iinfo(np.int64).max)
BEFORE_ALL = int(np.iinfo(np.int64).min)
DAY_US = 86_400_000_000
TOLERANCE = 1e-6  # scores are kept to four decimals

ENTERED = pa.schema(
    [
        ("lead", pa.int64()),
        ("cycle", pa.int64()),
        ("stage", pa.string()),
        ("entered_at", pa.timestamp("us")),
        ("line", pa.int64()),
        ("points", pa.float64()),
        ("signal", pa.int64()),
    ]
)


def replay_stages(
    leads: pa.Table, lines: pa.Table, signals: pa.Table, policy: ScoringPolicy, as_of: date, timezone: str
) -> pa.Table:
    """The stages that follow from what is known, one row per lead, cycle and stage entered (ENTERED).

    Leads go by number, their row in `leads`: inquiry_at, mql_from_points, leave_below_points, may_qualify. `lines`: the
    points of persons in the order of lead, event_at, event_id, rule_id, as lead, event_at, event_on, capped_points,
    half_life_days, percent_per_month, window_days. `signals` in the order of lead, occurred_at, rank of the stage,
    signal_id, as lead, stage, occurred_at, is_decided. Times are UTC. What comes out names the line (and the points as
    they stood) or the signal by its row; both are null for an inquiry, and for an MQL whose points had faded.

    - An inquiry at `inquiry_at`. MQL at the first event by which the points, capped and faded, reach the bar of the
      lead's fit grade; not where something blocks it. The grade is today's.
    - SAL, SQL, opportunity at their first signal. Evidence for SQL that came earlier counts from the stage that the
      policy asks for. A stage is left out when a later one of the cycle came before it: a lead does not go back.
    - A cycle ends with won, lost, recycled or disqualified. An MQL whom nobody took up is recycled on the local day its
      points fall below `leave_below_points`. A next cycle begins with what comes after; then only points earned since
      count, and only after the cool-down; never after disqualified.
    - A deal that ended before the inquiry ends the first cycle all the same.

    Source: spec 04-scoring, Life cycle.
    """
    lives = _Lives(leads, lines, signals, policy, as_of, timezone)
    parts: list[_Entered] = []
    state = lives.start()
    while len(state.lead):
        cycle = lives.play(state)
        parts.extend(lives.tell(state, cycle))
        state = lives.next(state, cycle)
    return _entered(parts)


@dataclass(frozen=True)
class _State:
    """Where each lead still playing stands: arrays, one element per lead."""

    lead: Ints  # its number
    cycle: Ints
    since: Ints  # end of the cycle before, in microseconds; BEFORE_ALL in the first
    spent: Ints  # last score line of the cycle before; -1 in the first
    pointer: Ints  # first signal not yet used
    may_qualify: Flags


@dataclass(frozen=True)
class _Cycle:
    """One cycle of each lead: times of its stages (NEVER where not entered) and the lines and signals behind them."""

    mql_at: Ints
    mql_line: Ints
    sal: Ints
    sql_at: Ints
    sql: Ints
    opportunity: Ints
    end: Ints
    faded_at: Ints
    end_at: Ints


class _Lives:
    """The columns of all leads, lines and signals, and the rules of moving on."""

    def __init__(
        self, leads: pa.Table, lines: pa.Table, signals: pa.Table, policy: ScoringPolicy, as_of: date, timezone: str
    ) -> None:
        self.policy, self.timezone = policy, timezone
        self.today = (as_of - date(1970, 1, 1)).days
        self.count = leads.num_rows
        self.inquiry_at = _whole(leads["inquiry_at"], pa.timestamp("us"))
        self.bar, self.leave_below = _number(leads["mql_from_points"]), _number(leads["leave_below_points"])
        self.is_free = np.asarray(leads["may_qualify"].to_numpy(), dtype=bool) & ~np.isnan(self.bar)

        owner = np.asarray(lines["lead"].to_numpy(), dtype=np.int64)
        self.line_at = _whole(lines["event_at"], pa.timestamp("us"))
        self.line_day = _whole(lines["event_on"], pa.date32())
        self.line_points = _number(lines["capped_points"])
        self.line_bounds = _bounds(owner, self.count)
        fading = [_number(lines[name]) for name in ("half_life_days", "percent_per_month", "window_days")]
        self.scores = RunningScores(Log(owner, self.line_day, self.line_points, *fading))

        self.signal_at = _whole(signals["occurred_at"], pa.timestamp("us"))
        # Stages go by their rank; a stage nobody knows is nothing.
        self.signal_stage = _whole(pc.index_in(signals["stage"], STAGE_NAMES).fill_null(-1), pa.int32())
        self.is_decided = np.asarray(signals["is_decided"].to_numpy(), dtype=bool)
        self.signal_bounds = _bounds(np.asarray(signals["lead"].to_numpy(), dtype=np.int64), self.count)

    def start(self) -> _State:
        """All leads before their first cycle."""
        lead = np.arange(self.count, dtype=np.int64)
        none = np.full(len(lead), -1, dtype=np.int64)
        since = np.full(len(lead), BEFORE_ALL, dtype=np.int64)
        return _State(lead, np.ones_like(lead), since, none, self.signal_bounds[0].copy(), self.is_free)

    def play(self, state: _State) -> _Cycle:
        """One cycle of each lead."""
        mql_at, mql_line = self._mql(state)
        rows, owner = _expand(state.pointer, self.signal_bounds[1][state.lead])
        stage, decided, count = self.signal_stage[rows], self.is_decided[rows], len(state.lead)
        end = self._end(state, mql_at, rows, owner)
        inside = (rows < end[owner]) | (end[owner] < 0)
        sal = _first(rows, owner, inside & (stage == RANK["sal"]), count)
        told_sql = _first(rows, owner, inside & (stage == RANK["sql"]) & decided, count)
        shown_sql = _first(rows, owner, inside & (stage == RANK["sql"]) & ~decided, count)
        opportunity = _first(rows, owner, inside & (stage == RANK["opportunity"]), count)
        taken_at = np.minimum.reduce([self._time(found) for found in (sal, told_sql, shown_sql, opportunity)])
        end_at = self._time(end)
        faded_at = self._faded(state, mql_at, mql_line)
        faded_at = np.where((faded_at < end_at) & (taken_at > faded_at), faded_at, NEVER)
        end_at = np.minimum(end_at, faded_at)
        needed = self._time(sal)
        if self.policy.sql.needs == "mql":
            needed = np.minimum(needed, mql_at)
        shown_at = np.maximum(self._time(shown_sql), needed)
        sql = np.where(self._time(told_sql) <= shown_at, told_sql, shown_sql)
        cycle = _Cycle(
            mql_at, mql_line, sal, np.minimum(self._time(told_sql), shown_at), sql, opportunity, end, faded_at, end_at
        )
        return self._forward_only(cycle)

    def _forward_only(self, cycle: _Cycle) -> _Cycle:
        """The cycle without the stages that came after a later one, or after its end."""
        opportunity_at = np.where(self._time(cycle.opportunity) <= cycle.end_at, self._time(cycle.opportunity), NEVER)
        later = np.minimum(opportunity_at, cycle.end_at)
        sql_at = np.where(cycle.sql_at <= later, cycle.sql_at, NEVER)
        later = np.minimum(later, sql_at)
        is_sal = self._time(cycle.sal) <= later
        later = np.where(is_sal, np.minimum(later, self._time(cycle.sal)), later)
        mql_at = np.where(cycle.mql_at <= later, cycle.mql_at, NEVER)
        none = np.int64(-1)
        return replace(
            cycle,
            mql_at=mql_at,
            sal=np.where(is_sal, cycle.sal, none),
            sql_at=sql_at,
            opportunity=np.where(opportunity_at < NEVER, cycle.opportunity, none),
        )

    def _mql(self, state: _State) -> tuple[Ints, Ints]:
        """When each lead reaches its bar, and by which line (-1: by the inquiry itself, where the bar is 0)."""
        starts, ends = (bound[state.lead] for bound in self.line_bounds)
        rows, owner = _expand(np.where(state.may_qualify, starts, 0), np.where(state.may_qualify, ends, 0))
        day, lead = self.line_day[rows], state.lead[owner]
        earned = self.scores.at(rows, day) - self.scores.at(state.spent[owner], day)
        cool_down = self.policy.mql.cool_down_days * DAY_US
        is_first = state.since[owner] == BEFORE_ALL
        in_time = is_first | (self.line_at[rows] >= np.where(is_first, 0, state.since[owner]) + cool_down)
        reached = in_time & (self.line_points[rows] > 0) & (earned >= self.bar[lead] - TOLERANCE)
        line = _first(rows, owner, reached & (state.spent[owner] < rows), len(state.lead))
        at = np.where(line >= 0, self.line_at[line] if len(self.line_at) else 0, NEVER)
        at_once = state.may_qualify & (state.cycle == 1) & (self.bar[state.lead] <= 0)
        return np.where(at_once, self.inquiry_at[state.lead], at), np.where(at_once, -1, line)

    def _end(self, state: _State, mql_at: Ints, rows: Ints, owner: Ints) -> Ints:
        """The signal that ends each cycle; -1 for none. Recycling and disqualifying need something open to end."""
        stage, at, count = self.signal_stage[rows], self.signal_at[rows], len(state.lead)
        opens = ((stage == RANK["sal"]) | (stage == RANK["sql"]) | (stage == RANK["opportunity"])) & self.is_decided[
            rows
        ]
        opened_at = np.minimum(mql_at, self._time(_first(rows, owner, opens, count)))
        opened_at = np.where(state.cycle == 1, np.minimum(self.inquiry_at[state.lead], opened_at), opened_at)
        closes = (stage == RANK["won"]) | (stage == RANK["lost"])
        returns = ((stage == RANK["recycled"]) | (stage == RANK["disqualified"])) & (at >= opened_at[owner])
        return _first(rows, owner, closes | returns, count)

    def _faded(self, state: _State, mql_at: Ints, mql_line: Ints) -> Ints:
        """When the points of an MQL fall below its lower bar: local midnight, or the event that takes them away."""
        faded = np.full(len(state.lead), NEVER)
        who = np.flatnonzero((mql_at < NEVER) & (mql_line >= 0))
        rows, owner = _expand(mql_line[who], self.line_bounds[1][state.lead[who]])
        if not len(rows):
            return faded
        is_last = np.r_[owner[1:] != owner[:-1], True]
        until = np.where(is_last, self.today, np.r_[self.line_day[rows[1:]], 0])
        spent, bars = state.spent[who][owner], self.leave_below[state.lead[who]][owner] - TOLERANCE
        below = self.scores.at(rows, until) - self.scores.at(spent, until) < bars
        line = _first(np.arange(len(rows)), owner, below, len(who))
        gone = line[line >= 0]
        day = first_day_below(self.scores, rows[gone], until[gone], spent[gone], bars[gone])
        at = np.maximum(_midnights(day, self.timezone), self.line_at[rows[gone]])
        faded[who[line >= 0]] = at
        return faded

    def _time(self, signal: Ints) -> Ints:
        return np.where(signal >= 0, self.signal_at[signal] if len(self.signal_at) else 0, NEVER)

    def next(self, state: _State, cycle: _Cycle) -> _State:
        """The leads whose cycle has ended, ready for the next one."""
        on = np.flatnonzero(cycle.end_at < NEVER)
        lead, since = state.lead[on], cycle.end_at[on]
        rows, owner = _expand(*(bound[lead] for bound in self.line_bounds))
        used = np.bincount(owner, weights=self.line_at[rows] <= since[owner], minlength=len(on)).astype(np.int64)
        by_signal = cycle.faded_at[on] == NEVER
        rows, owner = _expand(state.pointer[on], self.signal_bounds[1][lead])
        passed = np.bincount(owner, weights=self.signal_at[rows] <= since[owner], minlength=len(on)).astype(np.int64)
        ended_by = self.signal_stage[cycle.end[on]] if len(self.signal_stage) else np.full(len(on), -1)
        return _State(
            lead=lead,
            cycle=state.cycle[on] + 1,
            since=since,
            spent=np.where(used > 0, self.line_bounds[0][lead] + used - 1, -1),
            pointer=np.where(by_signal, cycle.end[on] + 1, state.pointer[on] + passed),
            may_qualify=state.may_qualify[on] & ~(by_signal & (ended_by == RANK["disqualified"])),
        )

    def tell(self, state: _State, cycle: _Cycle) -> Iterator[_Entered]:
        """The stages entered in the cycle."""
        first = np.flatnonzero(state.cycle == 1)
        yield _Entered.of(state, first, "inquiry", self.inquiry_at[state.lead[first]])
        mql = np.flatnonzero(cycle.mql_at < NEVER)
        line = cycle.mql_line[mql]
        yield replace(_Entered.of(state, mql, "mql", cycle.mql_at[mql], line), points=self._earned(state, line, mql))
        for stage, signal, at in (
            ("sal", cycle.sal, self._time(cycle.sal)),
            ("sql", cycle.sql, cycle.sql_at),
            ("opportunity", cycle.opportunity, self._time(cycle.opportunity)),
        ):
            who = np.flatnonzero(at < NEVER)
            yield _Entered.of(state, who, stage, at[who], signal=signal[who])
        is_faded = cycle.faded_at < NEVER
        faded = np.flatnonzero(is_faded)
        yield _Entered.of(state, faded, "recycled", cycle.faded_at[faded])
        for stage in ("won", "lost", "recycled", "disqualified"):
            ended = (cycle.end >= 0) & ~is_faded
            ended[ended] = self.signal_stage[cycle.end[ended]] == RANK[stage]
            who = np.flatnonzero(ended)
            yield _Entered.of(state, who, stage, cycle.end_at[who], signal=cycle.end[who])

    def _earned(self, state: _State, line: Ints, who: Ints) -> Floats:
        """The points of this cycle at each line, as they stood on its day; 0 where there is none."""
        day = np.where(line >= 0, self.line_day[line], 0) if len(self.line_day) else np.zeros(len(who), np.int64)
        return self.scores.at(line, day) - self.scores.at(np.where(line >= 0, state.spent[who], -1), day)


@dataclass(frozen=True)
class _Entered:
    """Leads that enter one stage."""

    stage: str
    lead: Ints
    cycle: Ints
    at: Ints
    line: Ints  # -1 for none, as in `signal`
    points: Floats
    signal: Ints

    @classmethod
    def of(
        cls, state: _State, who: Ints, stage: str, at: Ints, line: Ints | None = None, signal: Ints | None = None
    ) -> _Entered:
        """Those of the state in the places `who`."""
        none = np.full(len(who), -1, dtype=np.int64)
        empty = np.full(len(who), np.nan)
        line, signal = none if line is None else line, none if signal is None else signal
        return cls(stage, state.lead[who], state.cycle[who], at, line, empty, signal)


def _entered(parts: list[_Entered]) -> pa.Table:
    """All stages entered, in the order of lead, cycle, time and stage."""

    def joined(name: str, kind: type = np.int64) -> Any:
        return np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])

    lead, cycle, at, line, signal = (joined(name) for name in ("lead", "cycle", "at", "line", "signal"))
    rank = np.repeat([RANK[part.stage] for part in parts], [len(part.lead) for part in parts]).astype(np.int64)
    points = joined("points", np.float64)
    order = np.lexsort((rank, at, cycle, lead))
    columns = [
        pa.array(lead[order]),
        pa.array(cycle[order]),
        STAGE_NAMES.take(pa.array(rank[order])),
        pa.array(at[order].astype("datetime64[us]")),
        pa.array(line[order], mask=line[order] < 0),
        pa.array(points[order], mask=line[order] < 0),
        pa.array(signal[order], mask=signal[order] < 0),
    ]
    return pa.Table.from_arrays(columns, schema=ENTERED)


def _whole(column: pa.ChunkedArray, kind: pa.DataType) -> Ints:
    """Times as microseconds, days as days since 1970."""
    width = pa.int64() if kind == pa.timestamp("us") else pa.int32()
    return np.asarray(column.cast(kind).cast(width).to_numpy(), dtype=np.int64)


def _number(column: pa.ChunkedArray) -> Floats:
    """Numbers, NaN for null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _bounds(owner: Ints, count: int) -> tuple[Ints, Ints]:
    """The first row of each lead and the one after its last; `owner` rises."""
    numbers = np.arange(count)
    return np.searchsorted(owner, numbers, "left"), np.searchsorted(owner, numbers, "right")


def _expand(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The row numbers of all ranges one after the other, and for each the number of its range."""
    counts = np.maximum(ends - starts, 0)
    owner = np.repeat(np.arange(len(starts)), counts)
    before = np.cumsum(counts) - counts
    return np.arange(len(owner)) - before[owner] + starts[owner], owner


def _first(rows: Ints, owner: Ints, mask: Flags, count: int) -> Ints:
    """The first row of each range where the mask holds; -1 for none."""
    found = np.full(count, -1, dtype=np.int64)
    hits = np.flatnonzero(mask)
    owners, places = np.unique(owner[hits], return_index=True)
    found[owners] = rows[hits[places]]
    return found


def _midnights(days: Ints, timezone: str) -> Ints:
    """The beginning of each local day, in microseconds UTC."""
    unique, place = np.unique(days, return_inverse=True)
    starts = [
        datetime.combine(date(1970, 1, 1) + timedelta(days=int(day)), clock_time(), zone(timezone)).astimezone(UTC)
        for day in unique
    ]
    micros = np.array([round(start.timestamp() * 1_000_000) for start in starts], dtype=np.int64)
    return np.asarray(micros[place] if len(micros) else np.zeros(0, np.int64))
