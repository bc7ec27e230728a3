"""A workspace's `abmloop.yaml`: where it is, how it counts days and money, how much of the machine it may use."""

import os
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from abmloop.calendar import zone
from abmloop.errors import BadPolicy, BadUsage
from abmloop.messages import said
from abmloop.policy import Policy, read_policy

SETTINGS_FILE = "abmloop.yaml"


class Settings(Policy):
    """The settings of one workspace. Secrets are not among them: those come from environment variables."""

    file_name: ClassVar[str] = SETTINGS_FILE

    name: str = Field("my-company", description="shown on reports")
    language: Literal["en", "zh"] = "en"
    timezone: str = "Asia/Shanghai"
    currency: str = Field("CNY", pattern="^[A-Z]{3}$")
    fiscal_year_starts_in: int = Field(1, ge=1, le=12, description="month with which the year of the quarters begins")
    memory_limit: str = Field(
        "2GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB)$", description="DuckDB's; beyond it spills to disk"
    )
    threads: int = Field(0, ge=0, description="0 = all cores")
    processes: int = Field(
        0, ge=0, description="that judge large numbers of matches; 0 = one for each core, 1 = none beside this one"
    )
    dask_scheduler: str | None = Field(
        None, description="address of a Dask cluster that judges them instead, like tcp://host:8786"
    )
    ledger_url: str | None = Field(None, description="a SQLAlchemy URL; default: ledger/ledger.db of the workspace")
    quarantine_hold_share: float = Field(
        0.05, ge=0, le=1, description="above this share of refused rows per file nothing is published"
    )
    quarantine_hold_rows: int = Field(
        20, ge=0, description="…if more than so many are refused: one bad row of ten says little about a file"
    )
    push: Literal["apply", "plan", "off"] = "apply"

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            zone(value)
        except BadPolicy as error:
            # pydantic gathers ValueErrors, so that the fault gets its line and stands with the others.
            raise ValueError(said("rule_time_zone")) from error
        return value


def find_workspace(given: Path | None) -> Path:
    """The workspace's folder: the one given, else `ABMLOOP_WORKSPACE`, else the current folder.

    Raises BadUsage where that folder holds no abmloop.yaml.
    """
    root = Path(given or os.environ.get("ABMLOOP_WORKSPACE") or ".").resolve()
    if not (root / SETTINGS_FILE).is_file():
        raise BadUsage(said("workspace_none", root=root, file=SETTINGS_FILE))
    return root


def load_settings(root: Path) -> Settings:
    """The settings of the workspace in `root`. Raises BadPolicy with every fault."""
    return read_policy(root / SETTINGS_FILE, Settings)
