"""The lists that may leave: whom they hold, for which channel or platform, and what goes along with them."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Kind = Literal["ad", "company", "call", "sms", "email"]
PlatformName = Literal["google", "linkedin", "tencent"]
ADVERTISED: tuple[Kind, ...] = ("ad", "company")
MESSAGED: tuple[Kind, ...] = ("sms", "email")

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Tiers = Annotated[Words, BeforeValidator(lambda given: [str(one) for one in given])]
RegionCode = Annotated[str, Field(pattern=r"^\d{2}(\d{2}(\d{2})?)?$")]


class Who(Rule):
    """Whom a list holds: all that is given must hold; a list of words asks for one of them; empty: everybody known."""

    stages: Words | None = Field(None, description="of the lead today: inquiry, mql, sal, sql, …")
    grades: Words | None = Field(None, description="fit of the company: A to D, U")
    bands: tuple[int, ...] | None = Field(None, min_length=1, description="engagement: 1 to 3")
    tiers: Tiers | None = Field(None, description="of the target list; [any]: whoever stands on it")
    tags: Words | None = Field(None, description="of the company")
    industries: Words | None = Field(None, description="sections of GB/T 4754, A to T")
    provinces: tuple[RegionCode, ...] | None = Field(None, min_length=1, description="GB/T 2260 of the company")
    countries: Words | None = Field(None, description="ISO 3166")
    seniorities: Words | None = Field(None, description="c_level, vp, director, manager, staff")
    campaigns: Words | None = Field(None, description="touched by one of these campaigns")
    touched_within_days: int | None = Field(None, ge=1)
    untouched_for_days: int | None = Field(None, ge=1)
    customers: Literal["any", "only", "none"] = Field("any", description="companies with a deal won")


class Handler(Rule):
    """Who gets the list, where that is not you: a call centre, an agency."""

    name: str = Field(min_length=1)
    region: str = Field("CN", pattern="^[A-Z]{2}$")


class Message(Rule):
    """What is going to be sent with the list; its marks are held against the rules before the list leaves (P14)."""

    sender: str = Field(min_length=1, description="your name as the reader sees it")
    subject: str | None = None
    text: str = Field(min_length=1)
    opt_out: str = Field(min_length=1, description="how the reader says no: a link, a word to send back")
    postal_address: str | None = None


class ListRule(Rule):
    """One list."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    kind: Kind
    platform: PlatformName | None = None
    who: Who = Who()
    minimum: int = Field(0, ge=0, description="fewer are not handed over; the platform's own minimum holds besides")
    hash: Literal["sha256", "md5"] = Field("sha256", description="md5: only Tencent takes it")
    handler: Handler | None = None
    campaign: str | None = Field(None, min_length=1, description="the campaign it is for, so that it counts once")
    valid_hours: int = Field(24, ge=1, le=720, description="how long a call or message list may be worked")
    message: Message | None = None
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ListRule:
        if (self.platform is not None) != (self.kind in ADVERTISED):
            raise ValueError(said(f"rule_platform_{'needed' if self.kind in ADVERTISED else 'not'}", kind=self.kind))
        if self.kind == "company" and self.platform != "linkedin":
            raise ValueError(said("rule_only_linkedin"))
        if self.hash == "md5" and self.platform != "tencent":
            raise ValueError(said("rule_only_tencent"))
        if (self.message is not None) != (self.kind in MESSAGED):
            raise ValueError(said(f"rule_message_{'needed' if self.kind in MESSAGED else 'not'}", kind=self.kind))
        if self.kind in ADVERTISED and self.handler is not None:
            raise ValueError(said("rule_no_handler"))
        return self


class AudiencesPolicy(Policy):
    """What `audiences.yaml` says."""

    file_name: ClassVar[str] = "audiences.yaml"

    version: int = 1
    lists: tuple[ListRule, ...] = ()

    @model_validator(mode="after")
    def _names_are_distinct(self) -> AudiencesPolicy:
        names = [one.id for one in self.lists]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(said("rule_lists_twice", names=", ".join(doubled)))
        return self


# How mail and texts are marked. Source: spec 13-privacy (e-mail measures of 2006, MIIT order 31, CAN-SPAM), P14.
_AD_MARK = re.compile(r"^\s*(?:\[?\s*AD\s*\]?|[（(\[【]?\s*广告\s*[）)\]】]?)(?![A-Za-z])", re.IGNORECASE)
_ADDRESS_REGIONS = ("US",)


def mark_faults(rule: ListRule, regions: frozenset[str]) -> list[str]:
    """What the message of a list lacks for readers of these regions, as codes; empty where it bears all marks."""
    message = rule.message
    if message is None:
        return []
    faults = []
    whole = f"{message.subject or ''}\n{message.text}"
    if rule.kind == "email" and "CN" in regions and not _AD_MARK.search(message.subject or ""):
        faults.append("ad_mark")
    if message.sender not in whole:
        faults.append("sender")
    if message.opt_out not in message.text:
        faults.append("opt_out")
    if rule.kind == "email" and regions & set(_ADDRESS_REGIONS):
        address = message.postal_address
        if not address or address not in message.text:
            faults.append("postal_address")
    return faults
