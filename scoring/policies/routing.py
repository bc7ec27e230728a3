"""The rules of routing: pools, turns, working time, deadlines, and when a lead goes back."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Days = Annotated[int, Field(ge=0, le=3650)]
Turn = Literal["round_robin", "weighted", "fewest"]
Holder = Literal[
    "open_deal", "customer", "customer_claim", "colleague_lead", "target_list", "reserved_account", "reserved_team"
]


class PoolConditions(Rule):
    """Which leads a pool takes; a lead whose value is unknown does not meet a condition on it."""

    provinces: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()


class Pool(Rule):
    """A pool of leads. `assigned`: its members get them in turn; `claim`: sales people take them."""

    id: Annotated[str, Field(min_length=1)]
    mode: Literal["assigned", "claim"]
    turn: Turn = "round_robin"
    where: PoolConditions = PoolConditions()
    teams: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    weights: dict[str, Annotated[float, Field(gt=0)]] = {}
    beyond_territory: bool = False
    escalate_to: str | None = None
    why: Annotated[str, Field(min_length=1)]


class CustomerPool(Rule):
    """A pool of customers (公海): claimed only. An account falls in when its holder neither follows up nor closes."""

    id: Annotated[str, Field(min_length=1)] = "customers"
    follow_up_days: Annotated[int, Field(gt=0, le=3650)] = 90
    deal_days: Annotated[int, Field(gt=0, le=3650)] | None = 365
    warn_days: Days = 14
    protect_days: Days = 30
    cool_down_days: Days = 90
    teams: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    why: Annotated[str, Field(min_length=1)]


class WorkingTime(Rule):
    """When sales works: local hours, days of the week (1 Monday), holidays of a country with its make-up days."""

    starts: time = time(9)
    ends: time = time(18)
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "CN"
    more_holidays: tuple[date, ...] = ()
    more_workdays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _day_has_hours(self) -> WorkingTime:
        if self.starts >= self.ends or not self.weekdays:
            raise ValueError(said("rule_working_time"))
        return self


class Sla(Rule):
    """How fast sales acts, in working time; how long before the deadline they are reminded, and who is told after it.

    Overdue is told to the owner's manager (owners file), else their team's lead, else the pool's, else `escalate_to`.
    """

    accept_minutes: Annotated[int, Field(gt=0, le=60_000)] = 240
    accept_remind_minutes: Annotated[int, Field(ge=0, le=60_000)] = 60
    first_touch_hours: Annotated[int, Field(gt=0, le=1000)] = 16
    first_touch_remind_hours: Annotated[int, Field(ge=0, le=1000)] = 4
    follow_up_days: Annotated[int, Field(gt=0, le=365)] | None = 7
    follow_up_remind_days: Days = 1
    team_leads: dict[str, str] = {}
    escalate_to: str | None = None

    @model_validator(mode="after")
    def _reminders_come_first(self) -> Sla:
        late = [
            name
            for name, before, due in (
                ("accept_remind_minutes", self.accept_remind_minutes, self.accept_minutes),
                ("first_touch_remind_hours", self.first_touch_remind_hours, self.first_touch_hours),
                ("follow_up_remind_days", self.follow_up_remind_days, self.follow_up_days or 3650),
            )
            if before >= due
        ]
        if late:
            raise ValueError(said("rule_reminders", names=", ".join(late)))
        return self


class ReclaimRule(Rule):
    """When a lead goes back to the pool, in calendar days of the workspace.

    Two timers: without follow-up (`default_days`, each activity moving it by `extension_days`), and without a deal
    (`max_days`, whatever is done). Neither ends within `protect_days` of the claim.
    """

    default_days: Days = 10
    extension_days: Days = 3
    max_days: Days = 20
    protect_days: Days = 0
    warn_days: Days = 2
    deal_warn_days: Days = 3
    cool_down_days: Days = 30

    @model_validator(mode="after")
    def _max_is_longest(self) -> ReclaimRule:
        if self.max_days < self.default_days:
            raise ValueError(said("rule_max_default"))
        if self.max_days < self.protect_days:
            raise ValueError(said("rule_max_protect"))
        return self


class RoutingPolicy(Policy):
    """What `routing.yaml` says."""

    file_name: ClassVar[str] = "routing.yaml"

    version: int = 1
    territory_turn: Turn = "round_robin"
    fairness_days: Annotated[int, Field(gt=0)] = 30
    beyond_limits: tuple[Holder, ...] = ("open_deal", "customer", "customer_claim", "reserved_account")
    pools: Annotated[tuple[Pool, ...], Field(min_length=1)]
    customer_pool: CustomerPool | None = None
    working_time: WorkingTime = WorkingTime()
    sla: Sla = Sla()
    reclaim: ReclaimRule = ReclaimRule()

    @model_validator(mode="after")
    def _last_pool_takes_all(self) -> RoutingPolicy:
        ids = [pool.id for pool in self.pools] + ([self.customer_pool.id] if self.customer_pool else [])
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(said("rule_pools_twice", names=", ".join(twice)))
        if self.pools[-1].where != PoolConditions():
            raise ValueError(said("rule_last_pool", pool=self.pools[-1].id))
        return self

    def pool(self, pool_id: str | None) -> Pool | None:
        """The pool of leads of that id; None where the rules no longer know it."""
        return next((pool for pool in self.pools if pool.id == pool_id), None)
