"""The rules of the directory: what is too common to be evidence, and how strictly the target list binds."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from abmloop.policy import Policy


class DirectoryPolicy(Policy):
    """What `directory.yaml` says."""

    file_name: ClassVar[str] = "directory.yaml"

    version: int = 1
    shared_from: Annotated[int, Field(ge=2, description="accounts on one domain or telephone that make it shared")] = 5
    review_from_members: Annotated[int, Field(ge=2, description="rows of one account that ask for a look")] = 50
    mode: Literal["open", "half_open", "closed"] = "open"

    def as_row(self) -> dict[str, object]:
        """The one row of rules.directory."""
        return self.model_dump(exclude={"version"})
