"""How reach comes back: what of a tracking tool's events is a touch, and under which names campaigns appear."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

RollUp = Literal["session", "day", "none"]
Word = Annotated[str, Field(min_length=1)]


class Visitors(Rule):
    """Who a visitor is before the login, and how long a visit lasts."""

    devices_per_login: Literal["many", "one"] = "many"
    session_minutes: int = Field(30, ge=1, le=1_440)


class Bots(Rule):
    """What is no person: words of the user agent, and more events in a minute than a person makes."""

    user_agents: tuple[Word, ...] = ()
    events_per_minute: int = Field(120, ge=1)


class EventType(Rule):
    """Events that are touches of one type."""

    type: str = Field(min_length=1, pattern=r"^\S+$")
    roll_up: RollUp
    events: tuple[Word, ...] = Field(min_length=1)
    why: str = Field(min_length=1)


class ReachPolicy(Policy):
    """config/reach.yaml."""

    file_name: ClassVar[str] = "reach.yaml"

    version: int = 1
    campaigns: dict[str, tuple[Word, ...]] = {}
    visitors: Visitors = Visitors()
    bots: Bots = Bots()
    types: tuple[EventType, ...] = ()
    other_events: Literal["session", "day", "none", "ignore"] = "day"
    ignore: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        """An event has one meaning, an alias names one campaign."""
        events = [event.casefold() for each in self.types for event in each.events]
        events += [event.casefold() for event in self.ignore]
        aliases = [alias.strip().casefold() for names in self.campaigns.values() for alias in names]
        for what, words in (("event", events), ("campaign", aliases)):
            twice = sorted({word for word in words if words.count(word) > 1})
            if twice:
                raise ValueError(said(f"rule_{what}_twice", names=", ".join(twice)))
        return self
