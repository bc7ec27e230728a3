"""Routing once more, slow and plain: a reference to hold the real one to, written from the specification alone.

Nothing is remembered but the story of each lead, a list of (instant, what, owner, pool); whatever is asked is found by
going through all stories again.
"""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Story = list[tuple[datetime, str, str | None, str | None]]


def due_day(claimed: date, done: list[date], rule: dict[str, int]) -> date:
    """The last local day on which the owner has the lead, by the days on which they did something."""
    end = claimed + timedelta(days=rule["max_days"])
    due = claimed + timedelta(days=max(rule["default_days"], rule["protect_days"]))
    for day in sorted(done):
        if day > due:
            break
        due = min(end, max(due, day + timedelta(days=rule["extension_days"])))
    return min(due, end)


class PlainRouting:
    """One world, lived through day by day."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world, self.rule = world, world["rule"]
        self.zone = ZoneInfo(world["timezone"])
        self.stories: dict[str, Story] = {lead["lead_id"]: [] for lead in world["leads"]}
        self.done: dict[str, list[tuple[datetime, str]]] = {lead["lead_id"]: [] for lead in world["leads"]}
        self.closed: set[str] = set()
        self.turns: list[tuple[date, str, str]] = []
        self.dues: list[tuple[str, date]] = []

    def live(self) -> list[tuple[str, datetime, str, str | None, str | None]]:
        """All days; gives every line of every story, in the order of leads."""
        day = self.world["first"]
        while day <= self.world["last"]:
            for deed in self.world["deeds"]:
                if self.day_of(deed["at"]) == day:
                    self.act(deed, day)
            self.end_of(day)
            day += timedelta(days=1)
        return [(lead, *line) for lead in sorted(self.stories) for line in self.stories[lead]]

    def day_of(self, at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(self.zone).date()

    def night_of(self, day: date) -> datetime:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(days=1)
        return midnight.astimezone(UTC).replace(tzinfo=None) - timedelta(seconds=1)

    def owner_of(self, lead: str) -> str | None:
        story = self.stories[lead]
        return story[-1][2] if story and lead not in self.closed else None

    def held_by(self, owner: str) -> int:
        return sum(self.owner_of(lead) == owner for lead in self.stories)

    def taken_by(self, owner: str, day: date) -> int:
        return sum(
            line[2] == owner and self.day_of(line[0]) == day for story in self.stories.values() for line in story
        )

    def cools(self, lead: str, owner: str, at: datetime) -> bool:
        story = self.stories[lead]
        for before, line in itertools.pairwise(story):
            gone_for = at - line[0]
            if (
                line[1] in ("reclaim", "release")
                and before[2] == owner
                and gone_for < timedelta(self.rule["cool_down_days"])
            ):
                return True
        return False

    def is_here(self, owner: str, day: date) -> bool:
        row = self.world["owners"].get(owner)
        return row is not None and (row["gone_on"] is None or day < row["gone_on"])

    def is_free(self, owner: str, day: date) -> bool:
        row = self.world["owners"].get(owner)
        if row is None or not self.is_here(owner, day):
            return False
        if row["away_from"] is not None and row["away_from"] <= day <= row["away_until"]:
            return False
        if row["daily_capacity"] is not None and self.taken_by(owner, day) >= row["daily_capacity"]:
            return False
        return row["holding_limit"] is None or self.held_by(owner) < row["holding_limit"]

    def act(self, deed: dict[str, Any], day: date) -> None:
        lead, who, at = deed["lead_id"], deed["owner_id"], deed["at"]
        story, has = self.stories[lead], self.owner_of(lead)
        if deed["kind"] == "close":
            self.closed.add(lead)
        elif deed["kind"] == "claim":
            in_pool = story and lead not in self.closed and story[-1][2] is None
            if in_pool and story[-1][3] == "public" and self.is_free(who, day) and not self.cools(lead, who, at):
                story.append((at, "claim", who, "public"))
        elif has is None or who != has:
            return
        elif deed["kind"] == "activity":
            self.done[lead].append((at, who))
        elif deed["kind"] == "release":
            story.append((at, "release", None, self.pools_of(lead)[0]))
        elif deed["kind"] == "transfer":
            to = deed["to_id"]
            if to != has and self.is_free(to, day) and not self.cools(lead, to, at):
                story.append((at, "transfer", to, None))

    def pools_of(self, lead: str) -> list[str]:
        """The pools that take a lead: grade A those of the best, then everybody's."""
        facts = next(row for row in self.world["leads"] if row["lead_id"] == lead)
        first = ["best"] if facts["fit_grade"] == "A" else []
        return first + (["sales"] if self.world["has_sales_pool"] else []) + ["public"]

    def due_of(self, lead: str) -> date:
        at, _, owner, _ = self.stories[lead][-1]
        mine = [self.day_of(when) for when, who in self.done[lead] if who == owner and when >= at]
        return due_day(self.day_of(at), mine, self.rule)

    def end_of(self, day: date) -> None:
        """What the night does: take back, then give out, the best first."""
        night = self.night_of(day)
        for lead, story in self.stories.items():
            owner = self.owner_of(lead)
            if owner is None:
                continue
            if not self.is_here(owner, day):
                story.append((night, "owner_gone", None, self.pools_of(lead)[0]))
            elif self.due_of(lead) <= day:
                self.dues.append((lead, self.due_of(lead)))
                story.append((night, "reclaim", None, self.pools_of(lead)[0]))
        waiting = [
            lead
            for lead in self.world["leads"]
            if self.day_of(lead["arrived_at"]) <= day
            and lead["lead_id"] not in self.closed
            and self.owner_of(lead["lead_id"]) is None
        ]
        given: dict[str, str] = {}
        for lead in sorted(waiting, key=_best_first):
            self.give(lead, day, night, given)

    def give(self, lead: dict[str, Any], day: date, night: datetime, given: dict[str, str]) -> None:
        name, account = lead["lead_id"], lead["account_id"]
        story = self.stories[name]
        before = [
            (line[0], other)
            for other, lines in self.stories.items()
            if self.facts(other)["account_id"] == account and self.owner_of(other) and (line := lines[-1])[0] < night
        ]
        holder = None
        if before:
            latest = max(when for when, _ in before)
            holder = self.owner_of(min(other for when, other in before if when == latest))
        elif account in given:
            holder = given[account]
        if holder and self.is_free(holder, day) and not self.cools(name, holder, night):
            story.append((night, "assigned", holder, None))
            given.setdefault(account, holder)
            return
        for pool in self.pools_of(name):
            if pool == "public":
                if not story or story[-1][3] != pool or story[-1][2] is not None:
                    story.append((night, "assigned", None, pool))
                return
            able = [
                owner
                for owner, row in sorted(self.world["owners"].items())
                if (pool != "best" or row["team"] == "best")
                and self.is_free(owner, day)
                and not self.cools(name, owner, night)
            ]
            if able:
                owner = min(able, key=lambda one: (self.last_turn(pool, one), one))
                story.append((night, "assigned", owner, pool))
                self.turns.append((day, pool, owner))
                given.setdefault(account, owner)
                return

    def facts(self, lead: str) -> dict[str, Any]:
        return next(row for row in self.world["leads"] if row["lead_id"] == lead)

    def last_turn(self, pool: str, owner: str) -> int:
        mine = [place for place, (_, where, who) in enumerate(self.turns, 1) if (where, who) == (pool, owner)]
        return max(mine, default=0)


def _best_first(lead: dict[str, Any]) -> tuple[Any, ...]:
    """Grade, points, then who waits longest."""
    return (lead["fit_grade"], -lead["engagement_points"], lead["arrived_at"], lead["lead_id"])
