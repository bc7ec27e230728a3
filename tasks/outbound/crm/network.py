"""What connectors to a vendor's interface share: the account they were pinned to, fields by name, answers by key."""

import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from abmloop.errors import BadPolicy
from abmloop.messages import Said, said
from scoring.policies.crm import CrmPolicy
from tasks.outbound.crm.base import ChannelStopped, Description, Fields, Found, Identity, Page, Record, Verdict
from tasks.outbound.crm.mapping import Mapping as VendorMapping
from tasks.outbound.crm.mapping import ObjectMapping, load_mapping
from tasks.outbound.crm.session import Auth, Pace, Pause, Session, Waits
from tasks.outbound.crm.values import read_value
from tasks.outbound.crm.walk import Place
from tasks.outbound.crm.wire import Answer, Wire

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}(?:\.[A-Za-z][A-Za-z0-9_-]{0,99}){0,3}")


class NetworkConnector(ABC):
    """The common part. A vendor gives its verbs, and says how doubt is settled and how large a batch may be."""

    kind = ""
    identity: Identity = "upsert_by_external_id"
    batch_size = 100
    bulk_size: int | None = None
    bulk_from = 0
    rows_per_call: int | None = None
    # Fields that every record has, whether the vendor lists them or not.
    system_fields: frozenset[str] = frozenset()

    def __init__(
        self,
        policy: CrmPolicy,
        environment: Mapping[str, str] | None = None,
        pause: Pause = time.sleep,
        mapping: VendorMapping | None = None,
    ) -> None:
        self._policy = policy
        self._pause = pause
        self._mapping = mapping or load_mapping(self.kind)
        url = policy.url or self._mapping.url
        if not url:
            raise BadPolicy(said("crm_url_wanted", kind=self.kind))
        self._wire = Wire(url, policy.timeout_seconds, policy.private_network)
        self._waits = Waits(policy.backoff_seconds, policy.longest_pause_seconds, pause)
        auth = self._auth(os.environ if environment is None else environment)
        pace = Pace(self._mapping.calls, self._mapping.seconds, pause)
        self._session = Session(self._wire, auth, self._is_expired, pace, self._waits)
        self._says: Description | None = None
        self._left: int | None = None

    # What a vendor gives.

    @abstractmethod
    def _auth(self, environment: Mapping[str, str]) -> Auth:
        """How to log in, by what the environment holds."""

    def _is_expired(self, answer: Answer) -> bool:
        return answer.status == 401

    @abstractmethod
    def _account(self) -> tuple[str, tuple[str, ...]]:
        """The id of the account that answers, and what a person should know of it."""

    @abstractmethod
    def _field_names(self, mapping: ObjectMapping) -> frozenset[str] | None:
        """The fields that the object has; None where that cannot be asked."""

    # What the engine asks.

    def describe(self) -> Description:
        """Asked once: account, fields of the mapped objects, and the vendor's declared ways."""
        if self._says is None:
            account, notes = self._account()
            known = {name: self._field_names(mapping) for name, mapping in self._used()}
            absent = [f"{name}: {why}" for name, why in self._mapping.absent.items()]
            self._says = Description(
                f"{self.kind}:{account}",
                self.identity,
                self.batch_size,
                reads_back=True,
                fields={name: fields for name, fields in known.items() if fields is not None},
                notes=(*notes, *absent),
                bulk_size=self.bulk_size,
                bulk_from=self.bulk_from,
                rows_per_call=self.rows_per_call,
                settle_seconds=self._policy.index_lag_seconds,
            )
        return self._says

    def end_left_open(self) -> None:  # noqa: B027
        """Nothing: whoever takes records call by call has none that go on by themselves."""

    def calls_left(self) -> int | None:
        """What the last answer said of the day's limit."""
        return self._left

    def changes_since(self, entity: str, cursor: str | None) -> Iterator[Page]:
        """Nothing, where the vendor's mapping has no such entity."""
        return iter(())

    def assert_columns(self, entity: str) -> None:
        """Refuse to read an entity of which a mapped field is gone: a renamed field must not come in as empty.

        Raises ChannelStopped; where the vendor does not tell its fields, nothing can be said.
        """
        pulled = self._mapping.pull[entity]  # type: ignore[index]
        there = self._field_names(ObjectMapping(to=pulled.to, key=pulled.id))
        # Of a related record's field, as in party.name, only the way to it is known here.
        asked = {name.partition(".")[0] for name in pulled.columns.values()}
        missing = sorted(asked - there - self.system_fields) if there else []
        if missing:
            named = {"kind": self.kind, "object": pulled.to, "fields": ", ".join(missing), "entity": entity}
            raise ChannelStopped(said("crm_column_gone", **named))

    def _place(self, entity: str, cursor: str | None) -> Place:
        """Where the reading of an entity begins, by the CRM's clock."""
        return Place(entity, cursor, lambda: self._wire.now)

    def _used(self) -> Iterator[tuple[str, ObjectMapping]]:
        for name in self._policy.objects:
            if name in self._mapping.objects:
                yield name, self._mapping.objects[name]

    def _object(self, name: str) -> ObjectMapping:
        """The mapping of one of our objects; its names are checked, for they become parts of addresses and queries."""
        mapping = self._mapping.objects.get(name)  # type: ignore[call-overload]
        if mapping is None:
            known = ", ".join(self._mapping.objects)
            raise ChannelStopped(said("crm_no_object", object=name, kind=self.kind, known=known))
        checked: ObjectMapping = mapping
        for one in (checked.to, checked.key):
            checked_name(one)
        return checked

    def _fields_of(self, name: str) -> list[str]:
        """The field names that we write or compare in one object, besides the key."""
        rule = self._policy.objects.get(name)  # type: ignore[call-overload]
        return [checked_name(one) for one in rule.owners] if rule else []

    def _read_fields(self, name: str, told: Mapping[str, Any]) -> Fields:
        """Their values of our fields in our form."""
        rule = self._policy.objects.get(name)  # type: ignore[call-overload]
        kinds = rule.types if rule else {}
        return {field: read_value(kind, told.get(field)) for field, kind in kinds.items()}

    def _encode(self, name: str, fields: Fields, form: Callable[[Any, Any], Any]) -> dict[str, Any]:
        """Our values in their form."""
        rule = self._policy.objects.get(name)  # type: ignore[call-overload]
        kinds = rule.types if rule else {}
        return {field: form(kinds.get(field, "text"), value) for field, value in fields.items()}


def checked_name(name: str) -> str:
    """A name that may stand in an address or a query as it is. Raises ChannelStopped for any other."""
    if not _NAME.fullmatch(name):
        raise ChannelStopped(said("crm_name_refused", name=name))
    return name


def assert_allowed(records: Sequence[Record]) -> None:
    """Refuse a batch in which a record lacks the gate's word. Source: spec 13-privacy P11."""
    if missing := sum(not record.allowed_by for record in records):
        raise ChannelStopped(said("crm_not_allowed_sent", number=missing))


def one_each(found: Mapping[str, list[Found]]) -> dict[str, Found]:
    """The record of each key; where the CRM holds several, the first, so that no other is made."""
    return {key: rows[0] for key, rows in found.items() if rows}


def text_or_none(value: Any) -> str | None:
    """A text of the CRM's, if it is one."""
    return value if isinstance(value, str) and value else None


def dead(record: Record, message: str) -> Verdict:
    """The CRM's own words on a record that it does not take."""
    return Verdict(record.key, "dead", message=message if isinstance(message, Said) else message[:1000])
