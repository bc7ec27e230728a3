"""What a vendor calls our objects and fields: a file per connector, which crm.yaml may overrule field by field."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from abmloop.policy import Policy, Rule, read_policy
from scoring.policies.crm import CrmPolicy, ObjectName, ObjectRule

FOLDER = Path(__file__).parent / "mappings"
PulledEntity = Literal["owners", "lead_status", "deals", "deal_stages", "deal_contacts", "orders", "payments"]


class ObjectMapping(Rule):
    """One of our objects over there: its name, the field that bears our key, and the names of the fields.

    A field that is not named goes under `prefix` and our own name: a field that has to be made there.
    """

    to: str
    key: str
    prefix: str = ""
    suffix: str = ""
    fields: dict[str, str] = {}
    fixed: dict[str, str] = Field({}, description="their field → a value that every new record gets")

    def name_of(self, field: str) -> str:
        """What they call our field."""
        # Some of ours bear the prefix already: abm_stage.
        return self.fields.get(field, f"{self.prefix}{field.removeprefix('abm_')}{self.suffix}")


class PullMapping(Rule):
    """One of our input entities over there: its object, the time of its changes, our column → their field."""

    to: str
    modified: str
    id: str
    columns: dict[str, str]


class Mapping(Policy):
    """A connector's mapping file."""

    version: int = 1
    url: str | None = Field(None, description="where it answers, unless crm.yaml says so")
    calls: int = Field(100, ge=1, description="so many calls in so many seconds, for all runs")
    seconds: float = Field(10, gt=0)
    objects: dict[ObjectName, ObjectMapping]
    pull: dict[PulledEntity, PullMapping] = {}
    absent: dict[ObjectName, str] = Field({}, description="our object → why this CRM does not get it")


@cache
def load_mapping(kind: str) -> Mapping:
    """The mapping file of a kind of connector."""
    return read_policy(FOLDER / f"{kind}.yaml", Mapping)


def has_mapping(kind: str) -> bool:
    """Whether that kind of connector speaks a vendor's language."""
    return (FOLDER / f"{kind}.yaml").is_file()


def in_their_words(policy: CrmPolicy) -> CrmPolicy:
    """The policy with the vendor's field names where crm.yaml gives none; objects the vendor lacks are left out."""
    if not has_mapping(policy.connector):
        return policy
    mapping = load_mapping(policy.connector)
    objects = {
        name: _renamed(rule, mapping.objects[name]) for name, rule in policy.objects.items() if name in mapping.objects
    }
    return policy.model_copy(update={"objects": objects})


def _renamed(rule: ObjectRule, mapping: ObjectMapping) -> ObjectRule:
    fields = {
        name: how if how.to else how.model_copy(update={"to": mapping.name_of(name)})
        for name, how in rule.fields.items()
    }
    return ObjectRule(match=rule.match, why=rule.why, fields=fields)
