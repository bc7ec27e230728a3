"""What to read of one file, and how, as it crosses to the process that reads it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tasks.land.headers import Reading


@dataclass(frozen=True)
class Job:
    """What to read, and how: plain values, for it crosses to another process.

    `file_name` is what people call the file: data, never opened. Each reading's rows go to `<out>/<entity>.parquet`,
    its faults to `<out>/<entity>.faults.parquet`. `given`: what its name tells a ready mapping (tasks/land/ready.py).
    """

    path: str
    file_name: str
    out: str
    readings: tuple[Reading, ...]
    limits: dict[str, Any]
    encoding: str | None = None
    delimiter: str | None = None
    sheets: tuple[str, ...] = ()
    hidden_sheets: bool = False
    hidden_rows: bool = True
    header_row: int | None = None
    fill_down: tuple[str, ...] = ()
    given: dict[str, str] = field(default_factory=dict)

    @property
    def mapping(self) -> str | None:
        """The ready mapping its file is read by; all its readings are of one."""
        return self.readings[0].mapping if self.readings else None

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Job":
        """The inverse of `to_json`."""
        readings = tuple(Reading(**{**reading, "key": tuple(reading["key"])}) for reading in values["readings"])
        lists = {name: tuple(values[name]) for name in ("sheets", "fill_down")}
        return cls(**{**values, **lists, "readings": readings})


def limits_for(job: Job) -> tuple[int, float]:
    """Memory in megabytes and time in seconds for a file, by its size."""
    is_large = Path(job.path).stat().st_size > job.limits["large_mb"] * 1_000_000
    if is_large:
        return job.limits["large_memory_mb"], job.limits["large_seconds"]
    return job.limits["memory_mb"], job.limits["seconds"]
