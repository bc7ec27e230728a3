"""The rules of the front door: which file is of which source, how its columns are named, and what is too large."""

from __future__ import annotations

import datetime as dt
import hashlib
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from abmloop.messages import said
from abmloop.policy import Policy, Rule

Header = Annotated[str, Field(min_length=1)]
Position = Annotated[int, Field(ge=1)]
Difference = Literal[
    "rows_fell", "rows_grew", "region_vanished", "column_emptied", "column_added", "column_dropped", "column_retyped",
    "values_changed",
]  # fmt: skip


class Limits(Rule):
    """What one file may cost. Sizes in megabytes (10^6 bytes), time in seconds of the wall clock."""

    file_mb: int = Field(2_000, gt=0)
    unpacked_mb: int = Field(4_000, gt=0)
    ratio: int = Field(200, gt=0)
    entries: int = Field(1_000, gt=0)
    rows: int = Field(20_000_000, gt=0)
    columns: int = Field(2_000, gt=0)
    cells: int = Field(200_000_000, gt=0)
    cell_characters: int = Field(1_000_000, gt=0)
    json_depth: int = Field(100, gt=0)
    memory_mb: int = Field(1_000, gt=0)
    seconds: float = Field(60, gt=0)
    large_mb: int = Field(40, gt=0)
    large_memory_mb: int = Field(4_000, gt=0)
    large_seconds: float = Field(900, gt=0)


class Watch(Rule):
    """When a new file differs so much from the one before it that the publish is held until a person looks.

    Shares and times compare with the source's last sound snapshot. Row counts and regions are judged where a file is
    the whole list (`snapshot: full`, or an unmapped list that comes again), columns and values for every source.
    """

    rows_fall_share: float = Field(0.4, gt=0, le=1)
    rows_grow_times: float = Field(2.0, gt=1)
    column_filled_share: float = Field(0.2, gt=0, le=1)
    column_kept_share: float = Field(0.05, ge=0, lt=1)
    unseen_values_share: float = Field(0.5, gt=0, le=1)
    least_rows: int = Field(5, ge=1)
    least_rows_unmapped: int = Field(100, ge=1)
    hold: tuple[Difference, ...] = (
        "rows_fell", "rows_grew", "region_vanished", "column_emptied", "column_dropped", "column_retyped",
        "values_changed",
    )  # fmt: skip


class DateInName(Rule):
    """The day a file speaks of, read from its name: `in_name: YYYYMMDD` finds 20260301 in 企查查_20260301.csv."""

    in_name: str

    @field_validator("in_name")
    @classmethod
    def _has_the_parts(cls, value: str) -> str:
        if "YYYY" not in value or "MM" not in value:
            raise ValueError(said("rule_date_format"))
        return value


class EntityMapping(Rule):
    """How a source's file becomes rows of one entity. `columns`: canonical column → header, or position from 1."""

    entity: str
    columns: dict[str, Position | Header] = {}
    constants: dict[str, str] = {}
    key: tuple[str, ...] = ()
    sequence: Position | Header | None = None


class Source(Rule):
    """One source: its files, its rank, its date, its peculiarities."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^:\s]+$")
    files: tuple[Header, ...] = Field(min_length=1)
    rank: int = Field(100, ge=1, description="1 is the most trusted")
    date: dt.date | DateInName | None = None
    snapshot: Literal["full", "delta"] = "delta"
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    sheets: tuple[str, ...] = ()
    hidden_sheets: Literal["skip", "load"] = "skip"
    hidden_rows: Literal["skip", "load"] = "load"
    header_row: int | None = Field(None, ge=1, description="physical row of the header, from 1")
    fill_down: tuple[Header, ...] = ()
    entities: tuple[EntityMapping, ...] = ()
    limits: Limits | None = Field(None, description="instead of the file's own `limits`, as far as given")
    mapping: str | None = Field(None, min_length=1, description="the ready mapping of its files: `abmloop mappings`")
    timezone: str | None = Field(None, description="where its times without an offset were written")
    dates: Literal["day_first", "month_first"] | None = Field(None, description="how 3/4/2026 reads in its files")
    watch: Watch | None = Field(None, description="instead of the file's own `watch`")
    why: str = ""

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                raise ValueError(said("rule_no_encoding")) from None
        return value

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ValueError, ZoneInfoNotFoundError):
                raise ValueError(said("rule_no_zone")) from None
        return value

    @model_validator(mode="after")
    def _entities_once(self) -> Self:
        names = [mapping.entity for mapping in self.entities]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(said("rule_mapped_twice", names=", ".join(twice)))
        return self

    def takes(self, file_name: str) -> bool:
        """Whether a file of that path under the inbox is this source's. `*` also stands for folders."""
        return any(fnmatchcase(file_name, pattern) for pattern in self.files)


class SourcesPolicy(Policy):
    """config/sources.yaml: the first entry whose pattern fits takes the file.

    Entries may share a name: files of one system whose ids mean the same, each with its own mapping.
    """

    file_name: ClassVar[str] = "sources.yaml"

    version: int = 1
    default_rank: int = Field(100, ge=1)
    settle_seconds: float = Field(2, ge=0)
    limits: Limits = Limits()
    watch: Watch = Watch()
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _one_rank(self) -> Self:
        ranks: dict[str, int] = {}
        for source in self.sources:
            if ranks.setdefault(source.name, source.rank) != source.rank:
                raise ValueError(said("rule_two_ranks", source=source.name))
        return self

    def limits_of(self, file_name: str) -> Limits:
        """What a file may cost: what its source says, and the common limits where it says nothing."""
        source = self.source_of(file_name)
        own = source.limits.model_dump(exclude_unset=True) if source and source.limits else {}
        return self.limits.model_copy(update=own)

    def source_of(self, file_name: str) -> Source | None:
        """The source that takes the file, or None."""
        return next((source for source in self.sources if source.takes(file_name)), None)


def reading_hash(source: Source | None, mapping: EntityMapping | None) -> str:
    """Hash of what changes how a file reads: not its rank, date or reason, which are noted beside the rows."""
    apart = {"rank", "date", "snapshot", "files", "limits", "watch", "why", "entities"}
    parts = [source.model_dump_json(exclude=apart) if source else "", mapping.model_dump_json() if mapping else ""]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
