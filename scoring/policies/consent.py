"""What may leave for which purpose: per region, whether a grant is needed or only the absence of a refusal."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from abmloop.policy import Policy, Rule

Channel = Literal["email", "sms", "call", "wechat", "ad", "crm_share", "cross_border"]
PurposeName = Literal["crm_lead", "cross_border", "call", "sms", "email", "wechat", "ad"]
Needs = Literal["grant", "no_refusal"]


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

    @model_validator(mode="after")
    def _ends_with_all(self) -> PurposeRule:
        if "*" not in self.rules[-1].regions:
            raise ValueError("rules: the last one needs `regions: ['*']`, so that no region is without a rule")
        return self


class ConsentPolicy(Policy):
    """What `consent.yaml` says."""

    file_name: ClassVar[str] = "consent.yaml"

    version: int = 1
    unknown_region: str = Field("CN", pattern="^[A-Z]{2}$", description="the strictest of yours")
    publish_unmasked: tuple[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+$")], ...] = Field(
        (), description="columns of the published file that stand there unmasked, as zone.table.column"
    )
    purposes: dict[PurposeName, PurposeRule]

    @model_validator(mode="after")
    def _names_what_we_do(self) -> ConsentPolicy:
        if missing := {"crm_lead", "cross_border", "call"} - set(self.purposes):
            raise ValueError(f"purposes: {', '.join(sorted(missing))} is missing; the push to the CRM asks for it")
        return self
