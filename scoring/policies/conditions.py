"""What a rule may ask of an account: one test of one field, of its place, or of its tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from abmloop.messages import said
from abmloop.policy import Rule

TextField = Literal[
    "name", "name_form", "status", "industry", "industry_section", "industry_division", "company_type", "country",
    "uscc", "employees_band", "revenue_band", "registered_capital_currency", "scope", "website", "domain", "phone",
    "email",
]  # fmt: skip
NumberField = Literal["employees", "revenue", "registered_capital", "member_count"]
FlagField = Literal["is_branch"]
AccountField = TextField | NumberField | FlagField
NUMBER_FIELDS: tuple[str, ...] = get_args(NumberField)
FLAG_FIELDS: tuple[str, ...] = get_args(FlagField)


def _several(given: object) -> object:
    """One word may be given without brackets."""
    return (given,) if isinstance(given, str) else given


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1), BeforeValidator(_several)]
RegionCode = Annotated[str, Field(pattern=r"^\d{2}(\d{2}(\d{2})?)?$")]
_TESTS = ("equals", "any_of", "contains", "band", "region", "tag", "missing")
_WITHOUT_FIELD = ("region", "tag")


def given_twice(names: Iterable[str]) -> list[str]:
    """The names that stand more than once, in order."""
    return sorted(name for name, times in Counter(names).items() if times > 1)


class Band(Rule):
    """A range of numbers; a null number is in no band."""

    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _has_an_edge(self) -> Band:
        if self.at_least is None and self.below is None:
            raise ValueError(said("rule_bounds"))
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise ValueError(said("rule_bounds_empty", at_least=f"{self.at_least:g}", below=f"{self.below:g}"))
        return self


class Condition(Rule):
    """One test. `region` (GB/T 2260 codes, two, four or six digits) and `tag` need no field, all others do."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    field: AccountField | None = None
    equals: bool | float | str | None = None
    any_of: Annotated[tuple[float | str, ...] | None, Field(alias="in", min_length=1)] = None
    contains: Words | None = None
    band: Band | None = None
    region: Annotated[tuple[RegionCode, ...] | None, Field(min_length=1)] = None
    tag: Words | None = None
    missing: Literal[True] | None = None

    @property
    def test(self) -> str:
        """Which of the tests it is."""
        return next(name for name in _TESTS if getattr(self, name) is not None)

    @property
    def asks(self) -> str | None:
        """The column whose being known decides whether the test could be made; None for tags."""
        return "province_code" if self.test == "region" else self.field

    @model_validator(mode="after")
    def _is_one_test(self) -> Condition:
        given = [name for name in _TESTS if getattr(self, name) is not None]
        if len(given) != 1:
            found = ", ".join(given).replace("any_of", "in") or "none"
            raise ValueError(said("rule_one_test", found=found))
        if (self.field is None) != (given[0] in _WITHOUT_FIELD):
            raise ValueError(said("rule_stands_alone" if self.field else "rule_needs_field", test=given[0]))
        if given[0] == "band" and self.field not in NUMBER_FIELDS:
            raise ValueError(said("rule_no_number", field=self.field, known=", ".join(NUMBER_FIELDS)))
        if given[0] == "contains" and self.field in (*NUMBER_FIELDS, *FLAG_FIELDS):
            raise ValueError(said("rule_no_text", field=self.field))
        return self

    def __str__(self) -> str:
        """The test in words, as `explain` shows it."""
        if self.band is not None:
            low = "" if self.band.at_least is None else f" ≥ {self.band.at_least:g}"
            high = "" if self.band.below is None else f" < {self.band.below:g}"
            return f"{self.field}{low}{high}"
        if self.missing:
            return f"{self.field} missing"
        if self.equals is not None:
            return f"{self.field} = {self.equals}"
        words = ", ".join(str(word) for word in self.any_of or self.contains or self.region or self.tag or ())
        return f"{self.field or self.test} {'contains' if self.contains else 'in'} {words}"
