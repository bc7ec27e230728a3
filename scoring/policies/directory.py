"""The rules of the directory: what is evidence of one company, how strictly the target list binds, who holds what."""

from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from abmloop.policy import Policy, Rule
from abmloop.yaml_text import load_yaml

# What a pair of rows can agree or disagree on: the features of scoring/resolve/features.py that bear points.
Evidence = Literal[
    "same_name",
    "same_short_name",
    "same_local_name",
    "other_name",
    "english_name",
    "same_parts",
    "without_form",
    "without_place",
    "short_name",
    "short_latin_name",
    "slip_of_letter",
    "letter_changed",
    "nearly_same",
    "two_names",
    "registration",
    "organisation",
    "english",
    "phone",
    "email",
    "domain",
    "domain_in_name",
    "address",
    "representative",
    "founded",
    "capital",
    "same_city",
    "same_province",
    "other_city",
    "other_province",
    "other_founding_day",
    "other_representative",
    "other_domain",
    "other_english",
    "shop_unsaid",
    "email_and_domain",
    "unreached",
]


class EvidenceRule(Rule):
    """What one piece of evidence counts; `why` says what that rests on."""

    id: Evidence
    points: Annotated[float, Field(ge=-20, le=20)]
    why: str = ""


Days = Annotated[int, Field(ge=0, le=3650)]


class DirectoryPolicy(Policy):
    """What `directory.yaml` says."""

    file_name: ClassVar[str] = "directory.yaml"

    version: int = 1
    shared_from: Annotated[int, Field(ge=2, description="accounts on one domain or telephone that make it shared")] = 5
    review_from_members: Annotated[int, Field(ge=2, description="rows of one account that ask for a look")] = 50
    keys_up_to: Annotated[
        int, Field(ge=2, description="rows on one key; what more rows bear brings nobody together")
    ] = 50
    link_from: Annotated[float, Field(gt=0, description="points from which two rows are one company")] = 5.0
    link_unnamed_from: Annotated[float, Field(gt=0, description="the same where the names are in two scripts")] = 6.5
    evidence: tuple[EvidenceRule, ...] = ()
    mode: Literal["open", "half_open", "closed"] = "open"
    half_open_grades: tuple[Literal["A", "B", "C", "D"], ...] = ("A", "B")
    protect_days: Days = 30
    follow_up_days: Days = 30
    customer_days: Days = 365

    def as_row(self) -> dict[str, object]:
        """The one row of rules.directory."""
        row = self.model_dump(exclude={"version", "keys_up_to", "link_from", "link_unnamed_from", "evidence"})
        return {**row, "half_open_grades": list(self.half_open_grades)}

    def points(self) -> dict[str, float]:
        """Evidence → points: as shipped, where the user's file does not say otherwise."""
        return {**_shipped_points(), **{rule.id: rule.points for rule in self.evidence}}


@cache
def _shipped_points() -> dict[str, float]:
    shipped = load_yaml(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {rule["id"]: float(rule["points"]) for rule in shipped["evidence"]}
