"""The ideal customer profile: criteria with points, caps of groups, grades; and who gets on the target list by rule."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field, model_validator

from abmloop.messages import said, together
from abmloop.policy import Policy, Rule
from scoring.policies.conditions import Condition, given_twice
from scoring.policies.tags import Id, Why

MAX_POINTS = 100.0
LOWEST_GRADE = "D"
_TEXTS = dict.fromkeys(("criterion_id", "criterion_group", "test", "asks", "why"), pa.string())
_NUMBERS = {"position": pa.int32(), "group_cap": pa.float64(), "points": pa.float64()}
_LISTS = dict.fromkeys(("seniorities", "departments", "roles"), pa.list_(pa.string()))
PERSON_CRITERIA = pa.schema(
    {"criterion_id": pa.string(), "position": pa.int32(), **_LISTS, "points": pa.float64(), "why": pa.string()}
)
CRITERIA = pa.schema({**_TEXTS, **_NUMBERS, "words": pa.list_(pa.string())})


class FitGroup(Rule):
    """A group of criteria and the points it gives at most."""

    cap: Annotated[float, Field(gt=0, le=MAX_POINTS)]
    why: Why


class Criterion(Condition):
    """A condition and its points. Negative points are never capped, but the total does not fall below 0."""

    id: Id
    group: Id
    points: Annotated[float, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
    why: Why

    @model_validator(mode="after")
    def _missing_earns_nothing(self) -> Criterion:
        if self.missing and self.points > 0:
            raise ValueError(said("rule_missing_points"))
        return self


class PersonCriterion(Rule):
    """What a person's seniority, department or buying role (scoring.yaml) is worth; all that is given must hold."""

    id: Id
    seniority: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    points: Annotated[float, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
    why: Why

    @model_validator(mode="after")
    def _asks_something(self) -> PersonCriterion:
        if not (self.seniority or self.department or self.role):
            raise ValueError(said("rule_person_fit"))
        return self


class Grades(Rule):
    """The lowest points of each grade; below C is D."""

    A: float = 80
    B: float = 60
    C: float = 40

    @model_validator(mode="after")
    def _fall(self) -> Grades:
        if not MAX_POINTS >= self.A > self.B > self.C > 0:
            raise ValueError(said("rule_grades"))
        return self


class TargetRule(Rule):
    """Who gets on the target list: these grades, and all conditions hold; from and to these days, else always."""

    id: Id
    tier: Annotated[str, Field(min_length=1)]
    grades: Annotated[tuple[Annotated[str, Field(pattern="^[ABCD]$")], ...], Field(min_length=1)]
    when: tuple[Condition, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    why: Why

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> TargetRule:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError(said("rule_valid_to", to=self.valid_to, start=self.valid_from))
        return self


class IcpPolicy(Policy):
    """What `icp.yaml` says."""

    file_name: ClassVar[str] = "icp.yaml"

    version: int = 1
    grades: Grades = Grades()
    groups: dict[Id, FitGroup] = {}
    criteria: tuple[Criterion, ...] = ()
    targets: tuple[TargetRule, ...] = ()
    persons: tuple[PersonCriterion, ...] = ()

    @property
    def conditions(self) -> list[Condition]:
        """All conditions of criteria and target rules."""
        return [*self.criteria, *(condition for rule in self.targets for condition in rule.when)]

    def as_table(self) -> pa.Table:
        """The rows of rules.icp."""
        rows = [
            {
                "criterion_id": one.id,
                "position": place,
                "criterion_group": one.group,
                "group_cap": self.groups[one.group].cap,
                "points": one.points,
                "test": str(one),
                "asks": one.field or one.test,
                "words": one.contains or one.tag or (),
                "why": one.why,
            }
            for place, one in enumerate(self.criteria)
        ]
        return pa.Table.from_pylist(rows, CRITERIA)

    def person_table(self) -> pa.Table:
        """The rows of rules.person_icp; criteria that take points away come last."""
        rows = [
            {
                "criterion_id": one.id,
                "position": place,
                "seniorities": one.seniority,
                "departments": [word.lower() for word in one.department],
                "roles": one.role,
                "points": one.points,
                "why": one.why,
            }
            for place, one in enumerate(sorted(self.persons, key=lambda one: one.points < 0))
        ]
        return pa.Table.from_pylist(rows, PERSON_CRITERIA)

    def grade_table(self) -> pa.Table:
        """The rows of rules.fit_grades."""
        starts = {"A": self.grades.A, "B": self.grades.B, "C": self.grades.C, LOWEST_GRADE: 0.0}
        return pa.table({"grade": list(starts), "from_points": pa.array(map(float, starts.values()), pa.float64())})

    @model_validator(mode="after")
    def _names_fit(self) -> IcpPolicy:
        ids = {
            "criterion": [one.id for one in self.criteria],
            "persons": [one.id for one in self.persons],
            "target": [rule.id for rule in self.targets],
        }
        faults = [said(f"rule_{kind}_twice", name=name) for kind, of in ids.items() for name in given_twice(of)]
        strange = [one for one in self.criteria if one.group not in self.groups]
        faults += [said("rule_no_group", name=one.id, group=one.group) for one in strange]
        if faults:
            raise ValueError(together(faults, "; "))
        return self
