"""What a connector is: four verbs and a few declared facts. Everything else (gate, plan, outbox, retry) is ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from abmloop.errors import CrmError, CrmRefused, CrmUnreachable

# JSON values only: dates, times and decimals are text in ISO form, so that equal means equal on both sides.
Value = str | int | bool | None
Fields = Mapping[str, Value]

Identity = Literal["upsert_by_external_id", "search_after_lag", "manual_hold"]


@dataclass(frozen=True)
class Record:
    """One record to be written. `allowed_by` is the gate's word for it; a connector refuses a record without.

    `is_moved`: `crm_id` is a record into which ours was merged over there: it gets our key first, by a verdict linked.
    """

    key: str
    fields: Fields
    payload_hash: str
    allowed_by: str
    crm_id: str | None = None
    is_moved: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the CRM did with one record, known by our key. A record without a verdict is of unknown outcome.

    unsent: the call for it was never made. linked: a record that people made was in the way and bears our key now; the
    fields follow by the next plan, which sees what stands there.
    """

    key: str
    state: Literal["done", "retry", "dead", "unsent", "linked"]
    crm_id: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Found:
    """A record that the CRM holds. `fields` None: it is not read back; `modified_at` is UTC in ISO form."""

    crm_id: str | None
    fields: Fields | None = None
    modified_at: str | None = None
    payload_hash: str | None = None


class Standing(NamedTuple):
    """The record that stands for one today, which may be another one, and the key of ours that it bears, if any."""

    crm_id: str
    key: str | None


@dataclass(frozen=True)
class Page:
    """A piece of what changed over there, as a file of an entity that `land` reads.

    `cursor`: where the next reading begins; empty where everything is offered again each time. `whole_of`: a column
    for each of whose values `whole` this page tells all rows there are; others of theirs are gone.
    """

    entity: str
    name: str
    suffix: str
    body: bytes
    cursor: str = ""
    whole_of: str = ""
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Description:
    """Who the other side is and what it can.

    `fields`: object → the fields it has; an object left out takes any. `reads_back`: `find` gives the fields of a
    record, and what it does not give is not there; otherwise it only knows which keys it was given. `bulk_size`: how
    many records go in one batch where more than `bulk_from` of an object wait; None: no such way. `rows_per_call`: how
    many records one call takes, if not a whole batch. `settle_seconds`: how long after a call without an answer it may
    still take effect. `notes`: what a person should look at, in words. `pulls`: input entity → empty where it is told
    what changed in it, else why not; then exports dropped as files are the way.
    """

    instance: str
    identity: Identity
    batch_size: int
    reads_back: bool
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    bulk_size: int | None = None
    bulk_from: int = 0
    settle_seconds: float = 0.0
    rows_per_call: int | None = None
    pulls: Mapping[str, str] = field(default_factory=dict)


class BatchRefused(CrmRefused):
    """The batch was refused as a whole and nothing of it was applied: one of its records is to blame."""


class ChannelStopped(CrmRefused):
    """Nothing can be delivered now: no permission, wrong instance, revoked key."""


class SlowDown(CrmUnreachable):
    """The CRM asks to wait. `seconds` None: it did not say how long."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class Interrupted(CrmUnreachable):
    """A batch of single calls that had to stop: `verdicts` of what was settled before, `cause` of the end."""

    def __init__(self, verdicts: Sequence[Verdict], cause: CrmError) -> None:
        super().__init__(cause.message)
        self.verdicts = list(verdicts)
        self.cause = cause


class Connector(Protocol):
    """One CRM account.

    Errors: BatchRefused and ChannelStopped as above; any other CrmUnreachable (also SlowDown) leaves the outcome of
    the whole batch unknown, and `find` is asked before anything of it is sent again. Interrupted carries the verdicts
    that were reached before.
    """

    def describe(self) -> Description:
        """Who answers there. `identity` says how a doubtful delivery is settled; blind creation is not an option:

        upsert_by_external_id: the CRM itself keeps our key unique; search_after_lag: `find` answers for all that was
        sent before it was called, waiting out the search index if need be; manual_hold: a person looks.
        """
        ...

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        """Our key → the record, for those of `keys` that the CRM holds."""
        ...

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        """Create the records without `crm_id` (or with a new key), update the others; verdicts in any order."""
        ...

    def end_left_open(self) -> None:
        """See to it that nothing which was begun for us and not heard of again (a bulk job of a run that was killed)

        takes effect later. Asked before what is in doubt is looked for. Raises CrmUnreachable where that is not sure.
        """
        ...

    def calls_left(self) -> int | None:
        """How many calls the CRM still takes today, by its own last word; None: it did not say."""
        ...

    def changes_since(self, entity: str, cursor: str | None) -> Iterator[Page]:
        """What changed over there in one of our input entities, oldest first; repeats are allowed, gaps are not."""
        ...

    def ids_there(self, entity: str) -> Iterator[Sequence[str]] | None:
        """All ids of an entity, where what was deleted is known by its absence alone; None: it is told otherwise."""
        ...

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """The CRM's id → the record that stands for it after merges; ids of deleted records are left out."""
        ...
