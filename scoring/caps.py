"""What each event gives after the daily limit and the caps of its rule, its group and in all: sums over columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from scoring.engagement import PLACES, Flags, Ints

NO_CAP = int(np.iinfo(np.int64).max) // 4
NOTES = ("over_daily_limit", "over_rule_cap", "over_group_cap", "over_total_cap", "in_future", "too_old")
Small = npt.NDArray[np.int8]
_DAILY, _RULE, _GROUP, _TOTAL, _FUTURE, _OLD = range(len(NOTES))


@dataclass(frozen=True)
class Caps:
    """The rules by position, in ten-thousandths of a point; groups are numbered from 0; NO_CAP where there is none."""

    points: Ints
    rule_cap: Ints
    group: Ints
    group_cap: Ints
    per_day: Ints
    total_cap: int
    oldest_days: int


@dataclass(frozen=True)
class Events:
    """Events in the order of subject and time, one array element each.

    `subject`: any numbers, equal ones together; `rule`: position; `day`: days since 1970. Where `is_given`, a line says
    how often (`times`) a rule had counted on a day before the subject's other events; it gives nothing itself.
    """

    subject: Ints
    rule: Ints
    day: Ints
    is_future: Flags
    is_given: Flags
    times: Ints


@dataclass(frozen=True)
class Sums:
    """What subjects had earned of a rule before their events: one element per subject and rule, in ten-thousandths."""

    subject: Ints
    rule: Ints
    points: Ints


def read_caps(rules: pa.Table) -> Caps:
    """The rows of rules.engagement as arrays; positions must be 0, 1, 2 and so on."""
    rows = sorted(rules.to_pylist(), key=lambda row: row["position"])
    groups = sorted({row["rule_group"] for row in rows})

    def whole(name: str) -> Ints:
        return np.array([NO_CAP if row[name] is None else round(row[name] * PLACES) for row in rows], np.int64)

    return Caps(
        points=whole("points"),
        rule_cap=whole("rule_cap"),
        group=np.array([groups.index(row["rule_group"]) for row in rows], np.int64),
        group_cap=whole("group_cap"),
        per_day=np.array([NO_CAP if row["per_day"] is None else row["per_day"] for row in rows], np.int64),
        total_cap=int(whole("total_cap")[0]) if rows else NO_CAP,
        oldest_days=int(rows[0]["oldest_days"]) if rows else 0,
    )


def cap_points(events: Events, caps: Caps, today: int, sums: Sums | None = None) -> tuple[Ints, Ints, Small]:
    """Raw and capped points of each event in ten-thousandths, and why it does not count in full: place in NOTES, or -1.

    Caps are taken on raw points in the order of events: the rule's, then the group's, then the total. Negative points
    are never capped. An event of the future, one older than `oldest_days` on `today`, and one beyond the rule's number
    a day has 0 raw points and uses up nothing. `sums`: what was earned before the events uses up the caps first.

    Source: spec 04-scoring, Scores are logs.
    """
    is_old = events.day < today - caps.oldest_days
    note = np.where(events.is_future, _FUTURE, np.where(is_old, _OLD, -1)).astype(np.int8)
    note[events.is_given] = -1
    number = np.cumsum(np.r_[False, events.subject[1:] != events.subject[:-1]]) if len(note) else np.zeros(0, np.int64)
    by_rule = _Parts(number * len(caps.points) + events.rule)
    over = _place_of_day(events, by_rule, note) > caps.per_day[events.rule]
    note[over & (note < 0) & ~events.is_given] = _DAILY
    raw = np.where((note < 0) & ~events.is_given, caps.points[events.rule], 0)
    earned = np.maximum(raw, 0)
    rule_sum, group_sum, sum_in_all = _earned_before(sums, events, caps) if sums else (0, 0, 0)
    of_rule = by_rule.capped(earned, caps.rule_cap[events.rule] - rule_sum)
    by_group = _Parts(number * _groups(caps) + caps.group[events.rule])
    of_group = by_group.capped(of_rule, caps.group_cap[events.rule] - group_sum)
    of_all = _Parts(number, is_sorted=True).capped(of_group, np.full(len(raw), caps.total_cap, np.int64) - sum_in_all)
    for what, more, less in ((_RULE, earned, of_rule), (_GROUP, of_rule, of_group), (_TOTAL, of_group, of_all)):
        note[(note < 0) & (less < more)] = what
    return raw, np.where(raw < 0, raw, of_all), note


def _groups(caps: Caps) -> int:
    return int(caps.group.max(initial=0)) + 1


def _earned_before(sums: Sums, events: Events, caps: Caps) -> tuple[Ints, Ints, Ints]:
    """What each event's subject had used up before: of the cap of the event's rule, of its group, and in all."""
    row, subjects = pd.factorize(sums.subject)
    rules, groups = len(caps.points), _groups(caps)
    # Subjects who had nothing have the last row: their place in the index is -1.
    of_rule = np.zeros((len(subjects) + 1, rules), np.int64)
    of_rule[row, sums.rule] = sums.points
    of_group = np.zeros((len(subjects) + 1, groups), np.int64)
    np.add.at(of_group, (row, caps.group[sums.rule]), np.minimum(sums.points, caps.rule_cap[sums.rule]))
    group_cap = np.full(groups, NO_CAP, np.int64)
    group_cap[caps.group] = caps.group_cap
    in_all = np.minimum(of_group, group_cap).sum(axis=1)
    place = pd.Index(subjects).get_indexer(events.subject)
    return of_rule[place, events.rule], of_group[place, caps.group[events.rule]], in_all[place]


class _Parts:
    """Events by part (equal keys), in their order within it."""

    def __init__(self, key: Ints, is_sorted: bool = False) -> None:
        self.order: Ints | None = None if is_sorted else np.argsort(key, kind="stable")
        key = self.sorted(key)
        self.begins: Flags = np.r_[True, key[1:] != key[:-1]] if len(key) else np.zeros(0, bool)

    def sorted(self, values: Ints) -> Ints:
        """The values, part after part."""
        return values if self.order is None else np.asarray(values[self.order])

    def placed(self, told: Ints) -> Ints:
        """The inverse of `sorted`."""
        if self.order is None:
            return told
        back = np.empty_like(told)
        back[self.order] = told
        return back

    def capped(self, points: Ints, cap: Ints) -> Ints:
        """What is left of each event's points when their running sum stops at what is left of the cap before them."""
        told = self.sorted(points)
        left = self.sorted(cap) - _sums_before(told, self.begins)
        return self.placed(np.clip(left, 0, told, out=left))


def _sums_before(values: Ints, begins: Flags) -> Ints:
    """The sum of the values before each, since its part began."""
    before = np.cumsum(values)
    before -= values
    starts = np.flatnonzero(begins)
    before -= np.repeat(before[starts], np.diff(np.r_[starts, len(values)]))
    return np.asarray(before)


def _place_of_day(events: Events, by_rule: _Parts, note: Small) -> Ints:
    """The how-manieth of its subject, rule and day each event is; what is refused counts for nothing."""
    times = by_rule.sorted(np.where(note < 0, events.times, 0))
    day = by_rule.sorted(events.day)
    begins = by_rule.begins.copy()
    begins[1:] |= day[1:] != day[:-1]
    return by_rule.placed(_sums_before(times, begins) + times)
