"""The rules of matching: which features together make which confidence, and what holds a pair down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Share = Annotated[float, Field(ge=0, le=1)]
Method = Literal[
    "code",
    "domain",
    "name",
    "alias",
    "name_and_region",
    "stem",
    "abbreviation",
    "fuzzy",
    "phone",
    "domain_only",
    "short_name",
]
FeatureName = Literal[
    "same_code",
    "same_crm_id",
    "same_name",
    "same_alias",
    "same_domain",
    "same_phone",
    "same_label",
    "same_stem",
    "same_letters",
    "same_core",
    "begins_account_name",
    "account_name_begins",
    "is_abbreviation",
    "swapped_letters",
    "one_error_in_long_name",
    "one_error",
    "alike",
    "shares_words",
    "region_agrees",
    "region_differs",
    "region_is_wider",
    "two_characters",
    "place_agrees",
    "place_differs",
    "place_unlike_region",
    "form_differs",
    "branch_differs",
    "numerals_differ",
    "two_characters_of_many",
    "account_is_local",
    "branch_or_company",
    "shares_differ",
    "short_core_differs",
    "likely_slip",
    "odd_slip",
    "only_a_slip",
    "is_near",
    "names_agree",
    "no_name",
]
KeyName = Literal[
    "stem",
    "core",
    "core_place",
    "slip",
    "slip_place",
    "sound",
    "sound_place",
    "letters",
    "phrase",
    "romanised",
    "label",
    "brand",
    "initials",
    "starts",
]
Tie = Literal["open_deal", "customer", "target", "most_contacts", "oldest", "account_id"]


class MatchRule(Rule):
    """Features that together say by what a pair was found, and make it `at_least` so sure whatever the model says."""

    id: str
    method: Method
    all_of: tuple[FeatureName, ...] = Field(min_length=1)
    none_of: tuple[FeatureName, ...] = ()
    at_least: Share = 0
    why: str


class Guard(Rule):
    """What is never taken without asking, however sure, unless a pair has one of the features of `unless`."""

    when: FeatureName
    unless: tuple[FeatureName, ...] = ()
    why: str


class Cap(Guard):
    """A contradiction: a pair with it is no surer than `at_most`, unless it has one of the features of `unless`."""

    at_most: Share


class Candidates(Rule):
    """How far candidates are looked for."""

    max_frequency: int = Field(2000, ge=1)
    grams_per_name: int = Field(12, ge=1)
    per_name: int = Field(15, ge=1, le=200)
    least_cosine: Share = 0.15
    least_of_best: Share = 0.55
    short_most_shared: int = Field(3000, ge=1)
    short_per_name: int = Field(10, ge=1, le=200)
    most_shared: Mapping[KeyName, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)


class MatchPolicy(Policy):
    """match.yaml."""

    file_name: ClassVar[str] = "match.yaml"

    version: int = 1
    promise: Share = 0.99
    auto_from: Share
    review_from: Share
    most_family_names: int = Field(1, ge=1)
    most_names: int = Field(3, ge=1)
    most_ids: int = Field(5, ge=1)
    most_shared: int = Field(5, ge=1)
    candidates_kept: int = Field(3, ge=1, le=20)
    candidates: Candidates = Candidates()
    least_chance: Share = 0.02
    rules: tuple[MatchRule, ...] = Field(min_length=1)
    told: tuple[FeatureName, ...] = ()
    caps: tuple[Cap, ...] = ()
    guards: tuple[Guard, ...] = ()
    tie_order: tuple[Tie, ...]

    @field_validator("rules")
    @classmethod
    def _ids_are_distinct(cls, rules: tuple[MatchRule, ...]) -> tuple[MatchRule, ...]:
        ids = [rule.id for rule in rules]
        if doubled := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(said("rule_ids_twice", names=", ".join(doubled)))
        return rules

    @field_validator("tie_order")
    @classmethod
    def _ends_in_a_stable_key(cls, order: tuple[Tie, ...], _info: ValidationInfo) -> tuple[Tie, ...]:
        if not order or order[-1] != "account_id":
            raise ValueError(said("rule_tie_order"))
        return order

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> MatchPolicy:
        if self.review_from > self.auto_from:
            raise ValueError(said("rule_review_from", review=self.review_from, auto=self.auto_from))
        return self
