"""Caps on raw points in the order of events, against a slow and plain reference."""

from dataclasses import dataclass

import numpy as np
import pytest

from scoring.caps import NO_CAP, NOTES, Caps, Events, Sums, cap_points

RULES = [  # points, rule cap, group, group cap, per day
    (10, 15, 0, 18, None),
    (4, None, 0, 18, None),
    (5, None, 1, None, 2),
    (-30, None, 2, None, 1),
]
TOTAL, OLDEST, TODAY = 30, 100, 20_000


def _caps() -> Caps:
    def whole(place: int) -> np.ndarray:
        return np.array([NO_CAP if rule[place] is None else rule[place] for rule in RULES], np.int64)

    return Caps(whole(0), whole(1), whole(2), whole(3), whole(4), TOTAL, OLDEST)


@dataclass(frozen=True)
class Touch:
    """One event of the reference: subject, rule, day; in the order of events."""

    subject: int
    rule: int
    day: int
    is_future: bool = False


def _reference(touches: list[Touch]) -> list[tuple[int, int, str | None]]:
    """Raw points, capped points and note, one event after the other."""
    told: list[tuple[int, int, str | None]] = []
    seen: dict[tuple[int, ...], int] = {}
    for touch in touches:
        points, rule_cap, group, group_cap, per_day = RULES[touch.rule]
        day = (1, touch.subject, touch.rule, touch.day)
        note = "in_future" if touch.is_future else "too_old" if touch.day < TODAY - OLDEST else None
        if note is None:
            seen[day] = seen.get(day, 0) + 1
            note = "over_daily_limit" if per_day and seen[day] > per_day else None
        raw = left = 0 if note else int(points or 0)
        kinds = (("over_rule_cap", rule_cap, (2, touch.subject, touch.rule)),
                 ("over_group_cap", group_cap, (3, touch.subject, int(group or 0))),
                 ("over_total_cap", TOTAL, (4, touch.subject)))  # fmt: skip
        for name, cap, key in kinds:
            if raw <= 0 or cap is None:
                continue
            used = seen.get(key, 0)
            seen[key] = used + left
            if (kept := max(0, min(left, cap - used))) < left:
                note, left = note or name, kept
        told.append((raw, left, note))
    return told


def _cap(touches: list[Touch], given: list[tuple[int, int, int, int, int]] = []) -> list[tuple[int, int, str | None]]:  # noqa: B006
    """The same by columns; `given`: subject, rule, day, points, times, before the subject's touches."""
    rows = [(one[0], 0, *one[1:3], one[4]) for one in given]
    rows += [(one.subject, 1, one.rule, one.day, 1) for one in touches]
    future = [False] * len(given) + [one.is_future for one in touches]
    order = np.lexsort((np.arange(len(rows)), [row[1] for row in rows], [row[0] for row in rows]))
    columns = [np.array([rows[n][place] for n in order], np.int64) for place in range(5)]
    events = Events(columns[0], columns[2], columns[3], np.array(future)[order], columns[1] == 0, columns[4])
    earned: dict[tuple[int, int], int] = {}
    for subject, rule, _, points, _ in given:
        earned[subject, rule] = earned.get((subject, rule), 0) + points
    sums = [np.array([(*key, points)[place] for key, points in earned.items()], np.int64) for place in range(3)]
    raw, capped, note = cap_points(events, _caps(), TODAY, Sums(*sums) if earned else None)
    told = {
        int(n): (int(raw[k]), int(capped[k]), NOTES[note[k]] if note[k] >= 0 else None) for k, n in enumerate(order)
    }
    return [told[n] for n in range(len(given), len(rows))]


def _random_touches(seed: int, number: int = 300) -> list[Touch]:
    draw = np.random.default_rng(seed)
    days = np.sort(draw.integers(TODAY - 130, TODAY, number))
    return [
        Touch(int(subject), int(rule), int(day), bool(future))
        for subject, rule, day, future in zip(
            draw.integers(0, 12, number),
            draw.integers(0, len(RULES), number),
            days,
            draw.random(number) < 0.05,
            strict=True,
        )
    ]


def test_caps_are_taken_in_order_of_events_rule_then_group_then_total() -> None:
    touches = [Touch(1, rule, TODAY - 9 + n) for n, rule in enumerate([0, 0, 0, 1, 2, 3, 2, 2, 2])]
    assert _cap(touches) == [
        (10, 10, None), (10, 5, "over_rule_cap"), (10, 0, "over_rule_cap"), (4, 3, "over_group_cap"), (5, 5, None),
        (-30, -30, None), (5, 5, None), (5, 2, "over_total_cap"), (5, 0, "over_total_cap"),
    ]  # fmt: skip


def test_touches_above_the_daily_limit_do_not_use_up_the_cap() -> None:
    touches = [Touch(1, 2, TODAY), Touch(1, 2, TODAY), Touch(1, 2, TODAY), Touch(1, 3, TODAY), Touch(1, 3, TODAY)]
    assert [note for _, _, note in _cap(touches)] == [None, None, "over_daily_limit", None, "over_daily_limit"]


@pytest.mark.parametrize("seed", range(5))
def test_columns_give_what_one_after_the_other_gives(seed: int) -> None:
    touches = _random_touches(seed)
    assert _cap(touches) == _reference(touches)


@pytest.mark.parametrize("seed", range(5))
def test_sums_of_what_was_earned_stand_for_the_events_before(seed: int) -> None:
    touches = _random_touches(seed)
    before, after = touches[:200], touches[200:]
    told = _reference(touches)
    sums: dict[tuple[int, int, int], tuple[int, int]] = {}
    for touch, (raw, _, note) in zip(before, told, strict=False):
        if note in ("in_future", "too_old"):
            continue
        day = touch.day if touch.day >= after[0].day else 0
        points, times = sums.get((touch.subject, touch.rule, day), (0, 0))
        sums[touch.subject, touch.rule, day] = (points + max(raw, 0), times + 1)
    given = [(*key, *value) for key, value in sorted(sums.items())]
    assert _cap(after, given) == told[200:]


def test_no_events_give_nothing() -> None:
    assert _cap([]) == []
