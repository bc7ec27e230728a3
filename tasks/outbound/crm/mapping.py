"""What a vendor calls our objects and fields: a file per connector, which crm.yaml may overrule field by field."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from abmloop.errors import BadPolicy
from abmloop.messages import said
from abmloop.policy import Policy, Rule, read_policy
from scoring.policies.crm import CrmPolicy, FieldRule, ObjectName, ObjectRule, PulledEntity, PullMapping

FOLDER = Path(__file__).parent / "mappings"
MergedObject = Literal["companies", "contacts", "leads", "deals"]


class ObjectMapping(Rule):
    """One of our objects over there: its name, the field that bears our key, and the names of the fields.

    A field that is not named goes under `prefix` and our own name: a field that has to be made there.
    """

    to: str
    key: str
    prefix: str = ""
    suffix: str = ""
    fields: dict[str, str] = {}
    characters: dict[str, int] = Field({}, description="our field → how many characters theirs takes, in UTF-16 units")
    made_characters: int | None = Field(None, ge=1, description="the same of text fields that have to be made there")
    fixed: dict[str, str] = Field({}, description="their field → a value that every new record gets")

    def name_of(self, field: str) -> str:
        """What they call our field."""
        # Some of ours bear the prefix already: abm_stage.
        return self.fields.get(field, f"{self.prefix}{field.removeprefix('abm_')}{self.suffix}")

    def characters_of(self, field: str) -> int | None:
        """How many characters their field takes; None where nothing is known."""
        return self.characters.get(field, None if field in self.fields else self.made_characters)


class MergeMapping(Rule):
    """How an object tells of merges: `field` names the records that went into one, or of a gone one what it went into.

    `key`: the field that bears our key, where we write that object.
    """

    to: str
    modified: str
    field: str
    key: str | None = None


class RefusalMapping(Rule):
    """An object whose records bear flags by which their person is not to be written to or called.

    `flags`: our channel → their field; `columns`: our column → their field, by which the person is known.
    """

    to: str
    modified: str
    flags: dict[Literal["email", "sms", "call", "wechat", "any"], str]
    columns: dict[str, str]


class Mapping(Policy):
    """A connector's mapping file."""

    version: int = 1
    url: str | None = Field(None, description="where it answers, unless crm.yaml says so")
    calls: int = Field(100, ge=1, description="so many calls in so many seconds, for all runs")
    seconds: float = Field(10, gt=0)
    objects: dict[ObjectName, ObjectMapping]
    pull: dict[PulledEntity, PullMapping] = {}
    merges: dict[MergedObject, MergeMapping] = {}
    refusals: dict[Literal["contacts", "leads"], RefusalMapping] = {}
    not_pulled: dict[PulledEntity, str] = Field({}, description="our entity → why this interface does not give it")
    absent: dict[ObjectName, str] = Field({}, description="our object → why this CRM does not get it")


@cache
def load_mapping(kind: str) -> Mapping:
    """The mapping file of a kind of connector."""
    return read_policy(FOLDER / f"{kind}.yaml", Mapping)


def has_mapping(kind: str) -> bool:
    """Whether that kind of connector speaks a vendor's language."""
    return (FOLDER / f"{kind}.yaml").is_file()


def as_read_here(mapping: Mapping, policy: CrmPolicy) -> Mapping:
    """The mapping with what crm.yaml says of reading. Raises BadPolicy where that leaves something unsaid."""
    pull = dict(mapping.pull)
    for entity, change in policy.pull.items():
        given = {name: value for name, value in change.model_dump().items() if value is not None}
        before = pull[entity].model_dump() if entity in pull else {}
        try:
            columns = {**before.get("columns", {}), **change.columns}
            pull[entity] = PullMapping(**{**before, **given, "columns": columns})
        except ValidationError:
            needs = ", ".join(name for name in ("to", "modified", "id") if name not in given)
            told = {"entity": entity, "kind": policy.connector, "needs": needs}
            raise BadPolicy(said("crm_pull_unsaid", **told)) from None
    not_pulled = {entity: why for entity, why in mapping.not_pulled.items() if entity not in pull}
    return mapping.model_copy(update={"pull": pull, "not_pulled": not_pulled})


def in_their_words(policy: CrmPolicy) -> CrmPolicy:
    """The policy with the vendor's names and lengths of fields where crm.yaml gives none, without objects it lacks."""
    if not has_mapping(policy.connector):
        return policy
    mapping = load_mapping(policy.connector)
    objects = {
        name: _renamed(rule, mapping.objects[name]) for name, rule in policy.objects.items() if name in mapping.objects
    }
    return policy.model_copy(update={"objects": objects})


def _renamed(rule: ObjectRule, mapping: ObjectMapping) -> ObjectRule:
    fields = {name: _told(name, how, mapping) for name, how in rule.fields.items()}
    return ObjectRule(match=rule.match, why=rule.why, fields=fields)


def _told(name: str, how: FieldRule, mapping: ObjectMapping) -> FieldRule:
    """The field's rule with the vendor's name and length; what crm.yaml says of it goes before."""
    update: dict[str, str | int | None] = {} if how.to else {"to": mapping.name_of(name)}
    if how.characters is None and how.bytes is None and not how.to and how.type in ("text", "email", "phone"):
        update["characters"] = mapping.characters_of(name)
    return how.model_copy(update=update)
