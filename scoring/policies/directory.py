"""The rules of the directory: what is too common to be evidence, how strictly the target list binds, who holds what."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from abmloop.policy import Policy

Days = Annotated[int, Field(ge=0, le=3650)]


class DirectoryPolicy(Policy):
    """What `directory.yaml` says."""

    file_name: ClassVar[str] = "directory.yaml"

    version: int = 1
    shared_from: Annotated[int, Field(ge=2, description="accounts on one domain or telephone that make it shared")] = 5
    review_from_members: Annotated[int, Field(ge=2, description="rows of one account that ask for a look")] = 50
    mode: Literal["open", "half_open", "closed"] = "open"
    half_open_grades: tuple[Literal["A", "B", "C", "D"], ...] = ("A", "B")
    protect_days: Days = 30
    follow_up_days: Days = 30
    customer_days: Days = 365

    def as_row(self) -> dict[str, object]:
        """The one row of rules.directory."""
        return {**self.model_dump(exclude={"version"}), "half_open_grades": list(self.half_open_grades)}
