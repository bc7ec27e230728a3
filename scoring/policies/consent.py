"""What may leave for which purpose: per region, whether a grant is needed or only the absence of a refusal."""

from __future__ import annotations

from datetime import time
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from abmloop.errors import BadPolicy
from abmloop.messages import said
from abmloop.policy import Policy, Rule

Channel = Literal[
    "email", "sms", "call", "wechat", "ad", "ad_user_data", "ad_personalization", "crm_share", "share", "cross_border"
]
CHANNELS: tuple[str, ...] = get_args(Channel)
PurposeName = Literal["crm_lead", "cross_border", "share", "call", "sms", "email", "wechat", "ad"]
# What reaches a person, so that hours and caps apply.
Contact = Literal["call", "sms", "email", "wechat"]
Needs = Literal["grant", "no_refusal"]
# What may say where a person is: their contact, a form or the CRM; the country of their mobile number; their company.
Indication = Literal["country", "mobile", "company"]
Regions = Annotated[tuple[str, ...], Field(min_length=1, description="ISO 3166; `*` is every region")]


class RegionRule(Rule):
    """What a person of these regions must have said; `*` is every region."""

    regions: tuple[str, ...] = Field(min_length=1)
    needs: Needs
    why: str = Field(min_length=1)


class PurposeRule(Rule):
    """One purpose: the channel whose events count, and what is needed where; the first rule of a region holds."""

    channel: Channel
    grant_valid_days: int | None = Field(None, ge=1, description="an older grant counts no more; none: no end")
    mechanism: str | None = Field(None, min_length=1, description="a basis on record that stands in for the grant")
    rules: tuple[RegionRule, ...] = Field(min_length=1)

    def needs_in(self, region: str) -> Needs:
        """What a person of that region must have said."""
        return next(one.needs for one in self.rules if region in one.regions or "*" in one.regions)

    @model_validator(mode="after")
    def _ends_with_all(self) -> PurposeRule:
        if "*" not in self.rules[-1].regions:
            raise ValueError(said("rule_last_region"))
        return self


class HoursRule(Rule):
    """When people of these regions may be reached, by the clock where they are."""

    regions: Regions
    starts: time
    ends: time
    days: Literal["working", "all"] = Field("working", description="working: no weekends, no public holidays there")
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> HoursRule:
        if self.ends <= self.starts:
            raise ValueError(said("rule_ends_starts", ends=f"{self.ends:%H:%M}", starts=f"{self.starts:%H:%M}"))
        return self


class CapRule(Rule):
    """At most so many contacts with one person by one channel within so many days."""

    channel: Contact
    regions: Regions = ("*",)
    at_most: int = Field(ge=1)
    days: int = Field(ge=1, le=366)
    why: str = Field(min_length=1)


class IndicationRule(Rule):
    """Something that says where a person is, and whether it counts beside what stands before it."""

    indication: Indication
    counts: Literal["always", "alone"] = Field(
        "always", description="alone: only where nothing before it says anything"
    )
    why: str = Field(min_length=1)


REGION_BY = tuple(
    IndicationRule.model_validate({"indication": name, "counts": counts, "why": why})
    for name, counts, why in (
        ("country", "always", "what the contact, a form or the CRM states"),
        ("mobile", "always", "the rules of the number's country may reach them too"),
        ("company", "alone", "where nothing else is known"),
    )
)


class ConsentPolicy(Policy):
    """What `consent.yaml` says."""

    file_name: ClassVar[str] = "consent.yaml"

    version: int = 1
    unknown_region: str = Field("CN", pattern="^[A-Z]{2}$", description="the strictest of yours")
    region_by: tuple[IndicationRule, ...] = Field(
        REGION_BY, min_length=1, description="what says where a person is, the most telling first"
    )
    publish_unmasked: tuple[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+$")], ...] = Field(
        (), description="columns of the published file that stand there unmasked, as zone.table.column"
    )
    purposes: dict[PurposeName, PurposeRule]
    contact_hours: dict[Contact, tuple[HoursRule, ...]] = {}
    frequency: tuple[CapRule, ...] = ()
    keep_proof_days: int = Field(
        1095, ge=153, description="how long the proof of a consent is kept after the last message; five months at least"
    )

    def regions_of(self, region: str | None) -> tuple[str, ...]:
        """The regions that `marts.person_regions` names (`DE+CN`); the unknown region where it names none."""
        return tuple((region or self.unknown_region).split("+"))

    def hours_of(self, channel: str) -> tuple[HoursRule, ...]:
        """The hours of a channel; none: any hour is right."""
        return next((rules for name, rules in self.contact_hours.items() if name == channel), ())

    def rule_of(self, purpose: PurposeName) -> PurposeRule:
        """What a purpose asks for. Raises BadPolicy where the file says nothing about it."""
        rule = self.purposes.get(purpose)
        if rule is None:
            raise BadPolicy(said("consent_no_purpose", file=self.file_name, purpose=purpose))
        return rule

    @model_validator(mode="after")
    def _names_what_we_do(self) -> ConsentPolicy:
        if missing := {"crm_lead", "cross_border", "call"} - set(self.purposes):
            raise ValueError(said("rule_purposes", names=", ".join(sorted(missing))))
        return self

    @model_validator(mode="after")
    def _asks_each_indication_once(self) -> ConsentPolicy:
        named = [one.indication for one in self.region_by]
        if twice := {one for one in named if named.count(one) > 1}:
            raise ValueError(said("rule_region_by", names=", ".join(sorted(twice))))
        return self
