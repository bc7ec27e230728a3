"""A lead's life, replayed in time: which stage it entered when, in which cycle, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from abmloop.calendar import zone
from scoring.engagement import Flags, Ints, Log, RunningScores, first_day_below
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import ENDS, STAGES

Texts = npt.NDArray[np.object_]

RANK = {stage: rank for rank, stage in enumerate((*STAGES, *ENDS))}
NEVER = int(np.iinfo(np.int64).max)
BEFORE_ALL = int(np.iinfo(np.int64).min)
DAY_US = 86_400_000_000
TOLERANCE = 1e-6  # scores are kept to four decimals

TRANSITIONS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("cycle", pa.int64()),
        ("stage", pa.string()),
        ("entered_at", pa.timestamp("us")),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("actor", pa.string()),
    ]
)


def replay_stages(
    leads: pa.Table, events: pa.Table, signals: pa.Table, policy: ScoringPolicy, as_of: date, timezone: str
) -> pa.Table:
    """The stages that follow from what is known, one row per lead, cycle and stage entered (TRANSITIONS).

    `leads`: lead_id, inquiry_at, fit_grade, mql_from_points, leave_below_points, blocked_by. `events`: score lines of
    persons as lead_id, event_id, rule_id, event_at, event_on, capped_points, half_life_days, percent_per_month,
    window_days. `signals`: as scored.stage_signals. Rows may come in any order. Times are UTC.

    - inquiry at `inquiry_at`. MQL at the first event by which the points, capped and faded, reach the bar of the lead's
      fit grade; not where something blocks it. The grade is today's.
    - SAL, SQL, opportunity at their first signal. Evidence for SQL that came earlier counts from the stage that the
      policy asks for. A stage is left out when a later one of the cycle came before it: a lead does not go back.
    - A cycle ends with won, lost, recycled or disqualified. An MQL whom nobody took up is recycled on the local day its
      points fall below `leave_below_points`. A next cycle begins with what comes after; then only points earned since
      count, and only after the cool-down; never after disqualified.
    - A deal that ended before the inquiry ends the first cycle all the same.

    Source: spec 04-scoring, Life cycle.
    """
    lives = _Lives(leads, events, signals, policy, as_of, timezone)
    parts: list[pd.DataFrame] = []
    state = lives.start()
    while len(state.lead):
        cycle = lives.play(state)
        parts.append(lives.tell(state, cycle))
        state = lives.next(state, cycle)
    told = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=TRANSITIONS.names)
    told = told.sort_values(["lead_id", "cycle", "entered_at", "stage"], kind="stable")
    return pa.Table.from_pandas(told, schema=TRANSITIONS, preserve_index=False)


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
    """The columns of all leads, lines and signals in replay order, and the rules of moving on."""

    def __init__(
        self, leads: pa.Table, events: pa.Table, signals: pa.Table, policy: ScoringPolicy, as_of: date, timezone: str
    ) -> None:
        self.policy, self.timezone = policy, timezone
        self.today = (as_of - date(1970, 1, 1)).days
        frame = leads.to_pandas().sort_values("lead_id", kind="stable").reset_index(drop=True)
        self.leads, self.inquiry_at = frame, frame["inquiry_at"].to_numpy("datetime64[us]").astype(np.int64)
        self.bar = frame["mql_from_points"].to_numpy(np.float64, na_value=np.nan)
        self.leave_below = frame["leave_below_points"].to_numpy(np.float64, na_value=np.nan)
        self.is_free = frame["blocked_by"].isna().to_numpy() & ~np.isnan(self.bar)

        lines = _placed(events, frame["lead_id"], "event_at").assign(day=_whole(events["event_on"], pa.date32()))
        lines = lines[lines["lead"] >= 0]
        self.lines = lines.sort_values(["lead", "at", "event_id", "rule_id"], kind="stable").reset_index(drop=True)
        self.line_at = self.lines["at"].to_numpy(np.int64)
        self.line_day = self.lines["day"].to_numpy(np.int64)
        self.line_points = self.lines["capped_points"].to_numpy(np.float64)
        self.line_bounds = _bounds(self.lines["lead"], len(frame))
        fading = [
            self.lines[name].to_numpy(np.float64, na_value=np.nan)
            for name in ("half_life_days", "percent_per_month", "window_days")
        ]
        owner = self.lines["lead"].to_numpy(np.int64)
        self.scores = RunningScores(Log(owner, self.line_day, self.line_points, *fading))

        said = _placed(signals, frame["lead_id"], "occurred_at").assign(rank=lambda rows: rows["stage"].map(RANK))
        said = said[said["lead"] >= 0]
        self.signals = said.sort_values(["lead", "at", "rank", "signal_id"], kind="stable").reset_index(drop=True)
        self.signal_at = self.signals["at"].to_numpy(np.int64)
        self.signal_stage = self.signals["stage"].to_numpy(object)
        self.is_decided = self.signals["is_decided"].to_numpy(bool)
        self.signal_bounds = _bounds(self.signals["lead"], len(frame))

    def start(self) -> _State:
        """All leads before their first cycle."""
        lead = np.arange(len(self.leads), dtype=np.int64)
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
        sal = _first(rows, owner, inside & (stage == "sal"), count)
        told_sql = _first(rows, owner, inside & (stage == "sql") & decided, count)
        shown_sql = _first(rows, owner, inside & (stage == "sql") & ~decided, count)
        opportunity = _first(rows, owner, inside & (stage == "opportunity"), count)
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
        opens = ((stage == "sal") | (stage == "sql") | (stage == "opportunity")) & self.is_decided[rows]
        opened_at = np.minimum(mql_at, self._time(_first(rows, owner, opens, count)))
        opened_at = np.where(state.cycle == 1, np.minimum(self.inquiry_at[state.lead], opened_at), opened_at)
        closes = (stage == "won") | (stage == "lost")
        returns = ((stage == "recycled") | (stage == "disqualified")) & (at >= opened_at[owner])
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
        ended_by = self.signal_stage[cycle.end[on]] if len(self.signal_stage) else np.empty(len(on), object)
        return _State(
            lead=lead,
            cycle=state.cycle[on] + 1,
            since=since,
            spent=np.where(used > 0, self.line_bounds[0][lead] + used - 1, -1),
            pointer=np.where(by_signal, cycle.end[on] + 1, state.pointer[on] + passed),
            may_qualify=state.may_qualify[on] & ~(by_signal & (ended_by == "disqualified")),
        )

    def tell(self, state: _State, cycle: _Cycle) -> pd.DataFrame:
        """The cycle as rows."""
        return pd.concat(list(self._told(state, cycle)), ignore_index=True)

    def _told(self, state: _State, cycle: _Cycle) -> Iterator[pd.DataFrame]:
        first = np.flatnonzero(state.cycle == 1)
        yield self._rows(state, first, "inquiry", self.inquiry_at[state.lead[first]], rule="first_sign")
        mql = np.flatnonzero(cycle.mql_at < NEVER)
        yield self._rows(
            state, mql, "mql", cycle.mql_at[mql], rule="grid", reason=self._mql_reasons(state, cycle.mql_line, mql)
        )
        for stage, signal, at in (
            ("sal", cycle.sal, self._time(cycle.sal)),
            ("sql", cycle.sql, cycle.sql_at),
            ("opportunity", cycle.opportunity, self._time(cycle.opportunity)),
        ):
            who = np.flatnonzero(at < NEVER)
            yield self._by_signals(state, who, stage, signal[who], at[who])
        is_faded = cycle.faded_at < NEVER
        faded = np.flatnonzero(is_faded)
        bars = self.leave_below[state.lead[faded]]
        below = np.array([f"below {bar:g} points" for bar in bars], object)
        yield self._rows(state, faded, "recycled", cycle.faded_at[faded], rule="faded", reason=below)
        ended = np.flatnonzero((cycle.end >= 0) & ~is_faded)
        stages = self.signal_stage[cycle.end[ended]] if len(ended) else np.empty(0, object)
        yield self._by_signals(state, ended, stages, cycle.end[ended], cycle.end_at[ended])

    def _mql_reasons(self, state: _State, line: Ints, who: Ints) -> Texts:
        """`B: 27.00 of 25 points, form_submitted t17`."""
        at, lead = line[who], state.lead[who]
        by_line = at >= 0
        day = np.where(by_line, self.line_day[at], 0) if len(self.line_day) else np.zeros(len(who), np.int64)
        points = self.scores.at(at, day) - self.scores.at(np.where(by_line, state.spent[who], -1), day)
        rules, events = self.lines["rule_id"].to_numpy(object), self.lines["event_id"].to_numpy(object)
        grades = self.leads["fit_grade"].to_numpy(object)[lead]
        return np.array(
            [
                f"{grade}: {score:.2f} of {bar:g} points" + (f", {rules[row]} {events[row]}" if row >= 0 else "")
                for grade, score, bar, row in zip(grades, points, self.bar[lead], at, strict=True)
            ],
            object,
        )

    def _by_signals(self, state: _State, who: Ints, stage: Any, signal: Ints, at: Ints) -> pd.DataFrame:
        said = self.signals.iloc[signal]
        columns = {name: said[name].to_numpy(object) for name in ("reason", "rule", "actor")}
        return self._rows(state, who, stage, at, **columns)

    def _rows(self, state: _State, who: Ints, stage: Any, at: Ints, **columns: Any) -> pd.DataFrame:
        rows = {
            "lead_id": self.leads["lead_id"].to_numpy(object)[state.lead[who]],
            "cycle": state.cycle[who],
            "stage": stage,
            "entered_at": at.astype("datetime64[us]"),
            "reason": None,
            "rule": None,
            "actor": None,
        }
        return pd.DataFrame({**rows, **columns}, index=range(len(who))).astype({"reason": object, "actor": object})


def _whole(column: pa.ChunkedArray, kind: pa.DataType) -> Ints:
    """Times as microseconds, days as days since 1970."""
    width = pa.int32() if kind == pa.date32() else pa.int64()
    return np.asarray(column.cast(kind).cast(width).to_numpy(), dtype=np.int64)


def _placed(rows: pa.Table, lead_ids: pd.Series, time: str) -> pd.DataFrame:
    """The rows with the lead's number (-1: unknown) and their time in microseconds as `at`."""
    frame = rows.to_pandas()
    at = _whole(rows[time], pa.timestamp("us"))
    return frame.assign(lead=pd.Index(lead_ids).get_indexer(frame["lead_id"]), at=at)


def _bounds(lead: pd.Series, count: int) -> tuple[Ints, Ints]:
    """The first row of each lead and the one after its last; `lead` rises."""
    numbers, owner = np.arange(count), lead.to_numpy(np.int64)
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
