"""The rules of scores and stages: what a touch is worth, what makes an MQL, what proves an SQL."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Points = Annotated[float, Field(ge=-1000, le=1000)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(gt=0, le=3650)]
# Below a week, 2^(days / half-life) over ten years leaves the range of a double; a window says the same more plainly.
HalfLife = Annotated[int, Field(ge=7, le=3650)]
FIT_GRADES = ("A", "B", "C", "D", "U")
BANDS = (1, 2, 3)


class MinutesRule(Rule):
    """How long a touch must have lasted."""

    at_least: Annotated[float, Field(ge=0)]


class TouchConditions(Rule):
    """What a touch must have besides its type; an unknown value never meets a condition."""

    minutes: MinutesRule | None = None
    content_has: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class EngagementRule(Rule):
    """What touches of some types are worth, how often, and for how long."""

    id: Annotated[str, Field(min_length=1)]
    group: str = "other"
    touch: str | tuple[str, ...]
    where: TouchConditions = TouchConditions()
    points: Points
    once: bool = False
    cap: Positive | None = None
    per_day: Annotated[int, Field(gt=0)] | None = None
    half_life_days: HalfLife | None = None
    percent_per_month: Annotated[float, Field(gt=0, le=100)] | None = None
    window_days: Days | None = None
    why: Annotated[str, Field(min_length=1)]

    @property
    def touch_types(self) -> tuple[str, ...]:
        """The types in lower case, as they are compared."""
        given = (self.touch,) if isinstance(self.touch, str) else self.touch
        return tuple(name.strip().lower() for name in given)

    @model_validator(mode="after")
    def _says_one_thing(self) -> EngagementRule:
        ways = [self.half_life_days, self.percent_per_month, self.window_days]
        if sum(way is not None for way in ways) > 1:
            raise ValueError(said("rule_one_fading"))
        if self.points < 0 and (self.cap or self.once):
            raise ValueError(said("rule_negative_cap"))
        if self.once and self.cap:
            raise ValueError(said("rule_once_or_cap"))
        return self


class Engagement(Rule):
    """The engagement score of a person."""

    total_cap: Positive | None = None
    group_caps: dict[str, Positive] = {}
    oldest_days: Days = 3650
    rules: tuple[EngagementRule, ...]

    @model_validator(mode="after")
    def _names_fit(self) -> Engagement:
        ids = [rule.id for rule in self.rules]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(said("rule_rules_twice", names=", ".join(twice)))
        if unknown := sorted(set(self.group_caps) - {rule.group for rule in self.rules}):
            raise ValueError(said("rule_group_caps", names=", ".join(unknown)))
        return self


class MqlRule(Rule):
    """When an inquiry becomes marketing-qualified, and when it ceases to be.

    By the grid: from where the cell's band begins. With `threshold`: from so many points, for the grid's grades, or for
    all without a grid. `thresholds` gives a fit grade points of its own, whatever grid and threshold say of it.
    """

    grid: tuple[str, ...] = ()
    threshold: Positive | None = None
    thresholds: dict[Literal["A", "B", "C", "D", "U"], Positive] = {}
    decisions: tuple[Literal["auto", "manual", "review", "none"], ...] = ("auto", "manual")
    new_accounts: bool = True
    blocked_lists: tuple[str, ...] = ("exclusion", "reserved")
    leave_below_share: Share = 0.5
    cool_down_days: Annotated[int, Field(ge=0, le=3650)] = 30

    @model_validator(mode="after")
    def _cells_are_known(self) -> MqlRule:
        known = {f"{grade}{band}" for grade in FIT_GRADES for band in BANDS}
        if unknown := [cell for cell in self.grid if cell not in known]:
            raise ValueError(said("rule_grid", names=", ".join(unknown)))
        if not (self.grid or self.threshold or self.thresholds):
            raise ValueError(said("rule_no_mql"))
        return self


class AnswersRule(Rule):
    """Qualification answers: how many of these topics must be answered in the affirmative."""

    topics: dict[str, tuple[str, ...]]
    negatives: tuple[str, ...] = ()
    at_least: Annotated[int, Field(gt=0)]


class Evidence(Rule):
    """One kind of proof that sales has a case: exactly one of touch, activity, answers, status."""

    id: Annotated[str, Field(min_length=1)]
    touch: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    answers: AnswersRule | None = None
    seniority: tuple[str, ...] = ()
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Evidence:
        if sum(map(bool, (self.touch, self.activity, self.status, self.answers))) != 1:
            raise ValueError(said("rule_one_of_four"))
        return self


class SqlRule(Rule):
    """When a lead becomes sales-qualified."""

    needs: Literal["mql", "sal"] = "mql"
    evidence: tuple[Evidence, ...]


class Feedback(Rule):
    """Which words of the CRM's feedback mean which stage."""

    sal: tuple[str, ...] = ("accepted",)
    recycled: tuple[str, ...] = ("rejected",)
    disqualified: tuple[str, ...] = ("disqualified",)


class Excluded(Rule):
    """How people of one kind are known: any of these is enough.

    `email_domains`: the domain or one below it, * for anything; `company_words`, `name_words`: somewhere in it;
    `titles`: what the title ends with; `list_words`: in the name or reason of the exclusion list they stand on.
    """

    email_domains: tuple[str, ...] = ()
    company_words: tuple[str, ...] = ()
    name_words: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    list_words: tuple[str, ...] = ()


class Exclusions(Excluded):
    """Who is no lead, by kind: counted, never scored or handed over. What is said of no kind is of kind other."""

    own_staff: Excluded = Excluded()
    competitor: Excluded = Excluded()
    student: Excluded = Excluded()
    test_user: Excluded = Excluded()

    @property
    def kinds(self) -> dict[str, Excluded]:
        """Kind of people → how they are known, in the order in which they are asked for."""
        named = {name: getattr(self, name) for name in ("own_staff", "competitor", "student", "test_user")}
        return {**named, "other": self}


class AccountStages(Rule):
    """From which engagement on an account is aware, engaged, marketing-qualified."""

    aware_points: Positive = 1
    engaged_points: Positive = 30
    mqa_points: Positive = 100
    mqa_people: Annotated[int, Field(gt=0)] = 2
    mqa_roles: Annotated[int, Field(ge=0)] = 0


class BuyingRole(Rule):
    """Who in a company takes this part in a purchase: by seniority, by department, or as sales noted it on a deal.

    Of seniority and department the person must meet what is given of both; a role noted on a deal is enough by itself.
    Words of department and deal_role are looked for in what was noted, in any case.
    """

    id: Annotated[str, Field(min_length=1)]
    seniority: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    deal_role: tuple[str, ...] = ()
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _says_who(self) -> BuyingRole:
        if not (self.seniority or self.department or self.deal_role):
            raise ValueError(said("rule_role"))
        return self


class ScoringPolicy(Policy):
    """What `scoring.yaml` says."""

    file_name: ClassVar[str] = "scoring.yaml"

    version: int = 1
    handover: Literal["mql", "sal", "sql"] = "mql"
    engagement: Engagement
    bands: dict[Literal[2, 3], Positive]
    seniority_weights: dict[str, Positive] = {}
    mql: MqlRule
    sql: SqlRule
    feedback: Feedback = Feedback()
    ignored_deal_types: tuple[str, ...] = ()
    exclude: Exclusions = Exclusions()
    account_stages: AccountStages = AccountStages()
    buying_group: tuple[BuyingRole, ...] = ()

    @model_validator(mode="after")
    def _roles_fit(self) -> ScoringPolicy:
        ids = [role.id for role in self.buying_group]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(said("rule_buying_group_twice", names=", ".join(twice)))
        if self.account_stages.mqa_roles > len(ids):
            raise ValueError(said("rule_mqa_roles", number=len(ids)))
        return self

    @model_validator(mode="after")
    def _bands_rise(self) -> ScoringPolicy:
        if set(self.bands) != {2, 3} or self.bands[2] >= self.bands[3]:
            raise ValueError(said("rule_bands"))
        return self

    def band_start(self, band: int) -> float:
        """The engagement points from which a band begins; band 1 begins at nothing."""
        return 0.0 if band == 1 else self.bands[2 if band == 2 else 3]

    def mql_from(self, fit_grade: str) -> float | None:
        """The engagement points that make an MQL of a lead with this fit grade; None where none do."""
        rule = self.mql
        own = [points for grade, points in rule.thresholds.items() if grade == fit_grade]
        starts = [self.band_start(int(cell[1])) for cell in rule.grid if cell[0] == fit_grade]
        if own or (rule.grid and not starts):
            return own[0] if own else None
        return rule.threshold or min(starts, default=None)
