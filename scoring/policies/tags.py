"""The rules of tags: fields, keywords, groups."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field, model_validator

from abmloop.messages import said, together
from abmloop.policy import Policy, Rule
from scoring.policies.conditions import Condition, Words, given_twice

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Why = Annotated[str, Field(min_length=1)]


class TagGroup(Rule):
    """A group of tags; in an exclusive one an account bears one tag, by the first rule that holds."""

    exclusive: bool
    why: Why


class TagRule(Rule):
    """A tag and what earns it: all conditions hold, and one keyword is found where keywords are given."""

    id: Id
    tag: Id
    group: Id
    when: tuple[Condition, ...] = ()
    keywords: Words | None = None
    over: Annotated[tuple[Literal["name", "scope", "industry"], ...], Field(min_length=1)] = ("name", "scope")
    why: Why

    @model_validator(mode="after")
    def _asks_something(self) -> TagRule:
        if not self.when and not self.keywords:
            raise ValueError(said("rule_tag_empty"))
        if any(condition.tag for condition in self.when):
            raise ValueError(said("rule_tag_of_tag"))
        return self

    def __str__(self) -> str:
        """What must hold, in words."""
        keywords = f"{' or '.join(self.over)} contains {', '.join(self.keywords)}" if self.keywords else ""
        return "; ".join([*map(str, self.when), *([keywords] if keywords else [])])


class TagsPolicy(Policy):
    """What `tags.yaml` says."""

    file_name: ClassVar[str] = "tags.yaml"

    version: int = 1
    groups: dict[Id, TagGroup] = {}
    rules: tuple[TagRule, ...] = ()

    def as_table(self) -> pa.Table:
        """The rows of rules.tags."""
        columns = ("rule_id", "position", "tag_id", "tag_group", "is_exclusive", "test", "why")
        rows = [
            (rule.id, place, rule.tag, rule.group, self.groups[rule.group].exclusive, str(rule), rule.why)
            for place, rule in enumerate(self.rules)
        ]
        return pa.table([[row[i] for row in rows] for i in range(len(columns))], names=columns)

    @model_validator(mode="after")
    def _names_fit(self) -> TagsPolicy:
        faults = [said("rule_twice", name=name) for name in given_twice(rule.id for rule in self.rules)]
        strange = [rule for rule in self.rules if rule.group not in self.groups]
        faults += [said("rule_no_group", name=rule.id, group=rule.group) for rule in strange]
        places = {(rule.tag, rule.group) for rule in self.rules}
        faults += [said("rule_tag_groups", tag=tag) for tag in given_twice(tag for tag, _ in places)]
        if faults:
            raise ValueError(together(faults, "; "))
        return self
