"""What the CRM gets from us: objects, the fields allowed out, who owns each of them, and how records are matched."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Owner = Literal["ours", "theirs", "fill_if_blank", "newest"]
FieldType = Literal["text", "email", "phone", "integer", "decimal", "date", "time", "boolean"]
MatchPolicy = Literal["upsert", "update_only", "create_only"]
ObjectName = Literal["companies", "contacts", "leads", "campaign_members", "tasks"]
PlayColumn = Literal[
    "stage",
    "grid",
    "fit_grade",
    "engagement_band",
    "channel",
    "campaign",
    "industry_section",
    "seniority",
    "department",
]
Spoken = Literal["en", "zh"]
PulledEntity = Literal[
    "owners",
    "lead_status",
    "deals",
    "deal_stages",
    "deal_contacts",
    "deal_splits",
    "orders",
    "invoices",
    "payments",
    "activities",
    "merges",
    "consents",
]

# Where a CRM's exports are dropped unless crm.yaml names another folder; it need not exist.
IMPORT_FOLDER = "crm"
# Companies before the contacts and leads that point at them.
OBJECT_ORDER: tuple[ObjectName, ...] = ("companies", "contacts", "leads", "campaign_members", "tasks")


class FieldRule(Rule):
    """One field that may leave: its name over there, its type, and whose word counts."""

    to: str | None = Field(None, min_length=1, description="the CRM's name; default: ours")
    owner: Owner = "ours"
    type: FieldType = "text"
    characters: int | None = Field(None, ge=1, description="how many the CRM's field takes, in UTF-16 units")
    bytes: int | None = Field(None, ge=1, description="how many bytes of UTF-8 it takes, where it counts those")
    too_long: Literal["cut", "hold"] = "cut"
    why: str = ""


class ObjectRule(Rule):
    """One object of the CRM: how its records are matched and the fields allowed out; nothing else leaves."""

    match: MatchPolicy = "upsert"
    why: str = ""
    fields: dict[str, FieldRule] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_distinct(self) -> ObjectRule:
        names = [self.name_there(name) for name in self.fields]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(said("rule_fields_twice", names=", ".join(doubled)))
        return self

    def name_there(self, name: str) -> str:
        """What the CRM calls our field `name`."""
        return self.fields[name].to or name

    @property
    def owners(self) -> dict[str, Owner]:
        """The CRM's field name → whose word counts."""
        return {self.name_there(name): rule.owner for name, rule in self.fields.items()}

    @property
    def types(self) -> dict[str, FieldType]:
        """The CRM's field name → its type, in the order of the file."""
        return {self.name_there(name): rule.type for name, rule in self.fields.items()}


class PlayRule(Rule):
    """What sales should do with a lead; the first play whose conditions all hold goes with the lead and its task.

    `text` is the talk track, `content` what to send or show, `next_steps` what comes after.
    """

    id: str
    when: dict[PlayColumn, tuple[str, ...]] = Field({}, description="column → allowed values; empty: always")
    asks_to_call: bool = False
    text: dict[Spoken, str]
    content: dict[Spoken, tuple[str, ...]] = {}
    next_steps: dict[Spoken, tuple[str, ...]] = {}
    why: str = ""

    @model_validator(mode="after")
    def _speaks_both(self) -> PlayRule:
        for name in ("text", "content", "next_steps"):
            spoken = set(getattr(self, name))
            if (spoken or name == "text") and (missing := {"en", "zh"} - spoken):
                raise ValueError(said("rule_languages", name=name, missing=", ".join(sorted(missing))))
        return self


class PullMapping(Rule):
    """One of our input entities over there: its object, the time of its changes, our column → their field.

    A field with a question mark behind it may be missing over there; any other must be there.
    """

    to: str
    modified: str
    id: str
    columns: dict[str, str]
    where: dict[str, tuple[str, ...]] = Field({}, description="their field → values; other records count as deleted")
    history: str | None = Field(None, description="their field: each value that it had is a row, with its time")
    linked: str | None = Field(None, description="their object: each of its records linked to ours is a row")
    refunded: str | None = Field(None, description="their field: what was given back, a row of its own with minus")


class PullChange(Rule):
    """What of a vendor's PullMapping is otherwise in this account; an entity that it lacks needs all of it."""

    to: str | None = None
    modified: str | None = None
    id: str | None = None
    columns: dict[str, str] = Field({}, description="our column → their field; goes before the vendor's")
    where: dict[str, tuple[str, ...]] | None = None
    refunded: str | None = None


class CrmPolicy(Policy):
    """What `crm.yaml` says."""

    file_name: ClassVar[str] = "crm.yaml"

    version: int = 1
    instance: str = Field("files:default", pattern=r"^[a-z][a-z0-9_]*:[A-Za-z0-9._-]+$")
    previous_instances: tuple[str, ...] = ()
    region: str = Field("CN", pattern="^[A-Z]{2}$", description="where the CRM keeps its data, ISO 3166")
    key_field: str = Field("abm_key", min_length=1)
    import_folder: str = Field(IMPORT_FOLDER, min_length=1, description="relative to the workspace, or absolute")
    csv_profile: Literal["human", "machine"] = "human"
    url: str | None = Field(None, description="where the CRM answers; default: the vendor's own address")
    private_network: bool = Field(False, description="the CRM stands in your own network")
    timeout_seconds: float = Field(30, gt=0, le=600)
    index_lag_seconds: float = Field(
        30, ge=0, le=600, description="how long until a search sees a new record, or a call without an answer is over"
    )
    on_duplicate: Literal["link", "hold"] = Field(
        "link", description="a record that people made is in the way: give it our key, or wait for a person"
    )
    calls_per_run: int | None = Field(None, ge=1, description="writing calls; the best leads go first")
    attempts_per_run: int = Field(5, ge=1, le=20)
    backoff_seconds: float = Field(2, ge=0, le=300)
    longest_pause_seconds: float = Field(60, ge=0, le=3600)
    stop_after_failures: int = Field(4, ge=1)
    objects: dict[ObjectName, ObjectRule]
    pull: dict[PulledEntity, PullChange] = Field(
        {}, description="what is read otherwise than the vendor's mapping says"
    )
    plays: tuple[PlayRule, ...] = ()

    @model_validator(mode="after")
    def _last_play_catches_all(self) -> CrmPolicy:
        if self.plays and self.plays[-1].when:
            raise ValueError(said("rule_last_play"))
        return self

    @model_validator(mode="after")
    def _key_is_free(self) -> CrmPolicy:
        for name, rule in self.objects.items():
            if self.key_field in rule.owners:
                raise ValueError(said("rule_key_field", object=name, key=self.key_field))
        return self

    @property
    def connector(self) -> str:
        """The kind of connector: what stands before the colon of `instance`."""
        return self.instance.partition(":")[0]
