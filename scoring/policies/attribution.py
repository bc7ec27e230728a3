"""The rules of attribution: whose touches count, in which window, under which models."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule


def plain_word(text: str) -> str:
    """A stage or role as it is compared: lower case, without spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]", "", text.lower())


def type_word(text: str) -> str:
    """A touch type or channel as staging writes it: lower case, _ for spaces and hyphens."""
    return re.sub(r"[\s-]+", "_", text.strip().lower())


def _keyed_by(word: Callable[[str], str]) -> Any:
    def reworded(given: Any) -> Any:
        return {word(str(key)): value for key, value in given.items()} if isinstance(given, dict) else given

    return BeforeValidator(reworded)


Factor = Annotated[float, Field(ge=0)]
RoleFactors = Annotated[dict[str, Factor], _keyed_by(plain_word)]
TypeFactors = Annotated[dict[str, Factor], _keyed_by(type_word)]
AnchorName = Literal["first", "last", "lead", "opportunity", "close"]
Repeats = Literal["every_touch", "one_per_campaign_person_day", "collapse_consecutive", "first_per_campaign"]

RULE_MODELS: tuple[str, ...] = (
    "first_touch",
    "last_touch",
    "lead_creation",
    "last_non_direct",
    "linear",
    "linear_campaign",
    "u_shaped",
    "u_shaped_50",
    "position_based",
    "j_shaped",
    "inverse_j",
    "w_shaped",
    "full_path",
    "time_decay",
)
PATH_MODELS: tuple[str, ...] = ("markov", "shapley", "shapley_rate")
PARTICIPATION = "participation"
BUILT_IN = {*RULE_MODELS, *PATH_MODELS, PARTICIPATION}


class CustomModel(Rule):
    """A user's own model: shares in per cent for anchors and positions, factors for whoever shares the rest."""

    anchors: dict[AnchorName, Annotated[float, Field(ge=0, le=100)]] = {}
    positions: dict[int, Annotated[float, Field(ge=0, le=100)]] = {}
    types: TypeFactors = {}
    channels: TypeFactors = {}
    roles: RoleFactors = {}
    why: str = ""

    @model_validator(mode="after")
    def _shares_fit(self) -> CustomModel:
        if 0 in self.positions:
            raise ValueError(said("rule_position_zero"))
        if sum(self.anchors.values()) + sum(self.positions.values()) > 100 + 1e-9:
            raise ValueError(said("rule_shares_over"))
        return self


class DealStages(Rule):
    """The words by which the CRM says that a deal is won or lost; by default those of the shipped file."""

    won: tuple[str, ...] = (
        "won", "closed won", "赢单", "已赢单", "成交", "已成交", "签约", "已签约", "赢单关闭", "成功",
    )  # fmt: skip
    lost: tuple[str, ...] = (
        "lost", "closed lost", "输单", "已输单", "丢单", "失败", "输单关闭", "已流失", "无效", "abandoned",
        "disqualified",
    )  # fmt: skip


class AttributionPolicy(Policy):
    """What `attribution.yaml` says; the defaults below are those of the bare models, without exclusions."""

    file_name: ClassVar[str] = "attribution.yaml"

    version: int = 1
    people: Literal["all_people", "deal_contacts", "primary_contact"] = "all_people"
    role_weights: RoleFactors = {}
    anchor: Literal["closed", "created"] = "closed"
    lookback_days: Annotated[float, Field(ge=0)] = 180
    until: Literal["closed", "opened"] = "closed"
    repeats: Repeats = "one_per_campaign_person_day"
    excluded_types: tuple[Annotated[str, AfterValidator(type_word)], ...] = ()
    half_life_days: Annotated[float, Field(gt=0)] = 7
    markov_order: Annotated[int, Field(ge=1, le=4)] = 1
    path_by: Literal["channel", "campaign"] = "channel"
    custom: dict[str, CustomModel] = {}
    models: tuple[str, ...] = (*RULE_MODELS, *PATH_MODELS[:2], PARTICIPATION)
    renewals: Literal["own", "inherit", "split"] = "own"
    signed_without_orders: Literal["never", "when_no_orders", "always"] = "when_no_orders"
    renewal_grace_days: Annotated[int, Field(ge=0)] = 60
    gross_margin: Annotated[float, Field(gt=0, le=1)] = 1
    customer_life_years: Annotated[float, Field(gt=0)] | None = None
    deal_stages: DealStages = DealStages()
    decision_roles: tuple[str, ...] = (
        "decision maker", "decision_maker", "decisionmaker", "economic buyer", "kp", "key person", "决策人", "决策者",
        "拍板人", "关键人",
    )  # fmt: skip

    @field_validator("custom")
    @classmethod
    def _custom_names_are_free(cls, custom: dict[str, CustomModel]) -> dict[str, CustomModel]:
        if shadowed := sorted(BUILT_IN & set(custom)):
            raise ValueError(said("rule_built_in_name", names=", ".join(shadowed)))
        return custom

    @field_validator("models")
    @classmethod
    def _models_are_known(cls, models: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = BUILT_IN | set(info.data.get("custom", {}))
        if unknown := [model for model in models if model not in known]:
            raise ValueError(said("rule_unknown_models", names=", ".join(unknown), known=", ".join(sorted(known))))
        if not models or len(set(models)) != len(models):
            raise ValueError(said("rule_models_once"))
        return models
