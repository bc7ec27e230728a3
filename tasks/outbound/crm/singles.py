"""Vendors that take one record a call and have no key of ours to hold unique: search first, wait out the index, create.

A record is created only where a search, made later than anything sent before could become visible, did not find it.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from abmloop.errors import CrmError, CrmUnreachable
from abmloop.messages import said
from scoring.policies.crm import PullMapping
from tasks.outbound.crm.base import ChannelStopped, Found, Identity, Interrupted, Record, SlowDown, Verdict
from tasks.outbound.crm.mapping import ObjectMapping
from tasks.outbound.crm.network import MOVED, NetworkConnector, assert_allowed, dead, one_each
from tasks.outbound.crm.values import iso_time

_KEYS_A_SEARCH = 100
LONGEST_LIST = 100_000


class Refusal(Exception):
    """The vendor's words on one record. `other`: the id of a record in the way; `passing`: another time it may go."""

    def __init__(self, message: str, other: str | None = None, passing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.other = other
        self.passing = passing


class _Single(Protocol):
    def __call__(self, record_id: str | None) -> str | None: ...


class SingleRecordConnector(NetworkConnector):
    """The common part of Fxiaoke, Neocrm and Tryton."""

    identity: Identity = "search_after_lag"
    batch_size = 20
    rows_per_call = 1
    time_field = ""
    id_field = ""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        # Who ran before us may have sent something a moment ago.
        self._is_settled = False

    # What a vendor gives.

    @abstractmethod
    def _search(
        self, mapping: ObjectMapping, field: str, values: Sequence[str], columns: list[str]
    ) -> list[dict[str, Any]]:
        """The records whose field is one of these values, deleted ones left out."""

    @abstractmethod
    def _create(self, object_name: str, mapping: ObjectMapping, record: Record) -> str | None:
        """Make it; gives its id where one is told. Raises Refusal."""

    @abstractmethod
    def _update(self, object_name: str, mapping: ObjectMapping, record: Record, record_id: str) -> None:
        """Write its fields. Raises Refusal."""

    @abstractmethod
    def _all_ids(self, pulled: PullMapping) -> Iterator[Sequence[str]]:
        """The ids of all records there are, deleted ones left out, page by page."""

    # What the engine asks.

    def ids_there(self, entity: str) -> Iterator[Sequence[str]] | None:
        """All ids, for these vendors' queries do not tell what was deleted."""
        pulled = self._mapping.pull.get(entity)  # type: ignore[call-overload]
        return None if pulled is None or pulled.history else self._all_ids(pulled)

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        """By a search over our key's field, once all that was sent must be visible to it."""
        if not self._is_settled:
            self._pause(self._policy.index_lag_seconds)
            self._is_settled = True
        mapping = self._object(object_name)
        columns = [self.id_field, mapping.key, self.time_field, *self._fields_of(object_name)]
        found: dict[str, list[Found]] = {}
        # Half the page: should a key stand in two records, both still fit into the answer.
        for start in range(0, len(keys), _KEYS_A_SEARCH // 2):
            asked = keys[start : start + _KEYS_A_SEARCH // 2]
            for row in self._search(mapping, mapping.key, asked, columns):
                fields = self._read_fields(object_name, row)
                one = Found(str(row[self.id_field]), fields, iso_time(row.get(self.time_field)))
                found.setdefault(str(row[mapping.key]), []).append(one)
        return one_each(found)

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        """One call a record. What has no answer is left without a verdict; where to go on makes no sense, it stops."""
        assert_allowed(records)
        mapping = self._object(object_name)
        verdicts: list[Verdict] = []
        silent = 0
        for number, record in enumerate(records):
            try:
                verdicts.append(self._one(object_name, mapping, record))
                silent = 0
                continue
            except (SlowDown, ChannelStopped) as error:
                # Said before anything was done: this record was not taken either.
                cause: CrmError = error
                rest = records[number:]
            except CrmUnreachable as error:
                self._is_settled = False
                silent += 1
                if silent < self._policy.stop_after_failures:
                    continue
                cause, rest = error, records[number + 1 :]
            unsent = [Verdict(one.key, "unsent", message=said("crm_not_sent", why=cause.message)) for one in rest]
            raise Interrupted([*verdicts, *unsent], cause)
        if silent:
            raise Interrupted(verdicts, CrmUnreachable(said("crm_silent_calls", number=silent)))
        return verdicts

    def _one(self, object_name: str, mapping: ObjectMapping, record: Record) -> Verdict:
        try:
            if record.is_moved:
                return self._linked(object_name, mapping, record, Refusal(MOVED, record.crm_id))
            if record.crm_id is None:
                return Verdict(record.key, "done", self._create(object_name, mapping, record))
            self._update(object_name, mapping, record, record.crm_id)
            return Verdict(record.key, "done", record.crm_id)
        except Refusal as refusal:
            if refusal.passing:
                return Verdict(record.key, "retry", message=refusal.message)
            if refusal.other and record.crm_id is None and self._policy.on_duplicate == "link":
                return self._linked(object_name, mapping, record, refusal)
            return dead(record, refusal.message)

    def _linked(self, object_name: str, mapping: ObjectMapping, record: Record, refusal: Refusal) -> Verdict:
        """Give a record that people made our key, if it bears none; nothing else of it is touched."""
        other = refusal.other or ""
        rows = self._search(mapping, self.id_field, [other], [self.id_field, mapping.key])
        bears = [row.get(mapping.key) for row in rows]
        if len(bears) != 1 or bears[0] not in (None, "", record.key):
            words = refusal.message
            return dead(record, said("crm_dead_other", words=words, key=bears[0]) if bears else words)
        link = Record(record.key, {}, record.payload_hash, record.allowed_by)
        try:
            self._update(object_name, mapping, link, other)
        except Refusal as again:
            return dead(record, again.message)
        self._is_settled = False
        return Verdict(record.key, "linked", other, refusal.message)
