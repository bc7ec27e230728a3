"""What one run of the loop is told at its start and passes to every step."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, Self


class Author(Protocol):
    """Who writes to the ledger: a run, or a person at the command line (`Person`)."""

    @property
    def run_id(self) -> str: ...
    @property
    def as_of(self) -> date: ...


@dataclass(frozen=True)
class Person:
    """A person who decides something outside a run; `run_id` names them in the ledger."""

    run_id: str
    as_of: date


@dataclass(frozen=True)
class Run:
    """One run, resolved once at the top; JSON-able, so that any engine can pass it on.

    `as_of` is a day in the workspace's time zone, `at` an aware instant in UTC. `ledger_head` is the newest ledger row
    that this run reads (its own rows come on top). `config_hash` names the rules' text kept in the ledger.
    `fencing_token` is the lease's: a run whose token is no longer the newest may not publish or deliver. `push` says
    what `deliver` does: apply, plan (print only) or off.
    """

    workspace: str
    run_id: str
    as_of: date
    at: datetime
    ledger_head: int
    config_hash: str
    language: str = "en"
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    fencing_token: int = 0
    push: str = "apply"

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return Path(self.workspace)

    def to_json(self) -> dict[str, Any]:
        """Plain values only: dates as ISO text."""
        return {**asdict(self), "as_of": self.as_of.isoformat(), "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            **{**values, "as_of": date.fromisoformat(values["as_of"]), "at": datetime.fromisoformat(values["at"])}
        )


@dataclass(frozen=True)
class StepCounts:
    """What a step did, in rows: shown on screen, kept in `ops.steps`."""

    step: str
    counts: dict[str, int]

    def __str__(self) -> str:
        return (
            ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in self.counts.items()) or "nothing to do"
        )
