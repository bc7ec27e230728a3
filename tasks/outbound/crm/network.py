"""What connectors to a vendor's interface share: the account they were pinned to, fields by name, answers by key."""

import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

from abmloop.errors import BadPolicy, CrmError
from abmloop.messages import Said, said
from scoring.policies.crm import CrmPolicy, PulledEntity, PullMapping
from tasks.outbound.crm.base import (
    ChannelStopped,
    Description,
    Fields,
    Found,
    Identity,
    Page,
    Record,
    Standing,
    Verdict,
)
from tasks.outbound.crm.mapping import Mapping as VendorMapping
from tasks.outbound.crm.mapping import MergeMapping, ObjectMapping, RefusalMapping, as_read_here, load_mapping
from tasks.outbound.crm.session import Auth, Pace, Pause, Session, Waits
from tasks.outbound.crm.values import read_value
from tasks.outbound.crm.walk import Fetch, Marks, Place, Reading, Row, mark_of, walk_pages
from tasks.outbound.crm.wire import Answer, Wire

# What a merge is told by, whatever the vendor.
MERGES = PullMapping(
    to="",
    modified="",
    id="old_id",
    columns={name: name for name in ("object", "new_id", "old_key", "new_key", "merged_at")},
)
# What a flag of refusal is told by, whatever the vendor. The id of its record is a contact's.
REFUSALS = PullMapping(
    to="",
    modified="",
    id="contact_id",
    columns={
        name: name for name in ("lead_id", "email", "mobile", "phone", "channel", "status", "given_at", "evidence")
    },
)
# What is said of a record that gets our key because ours was merged into it.
MOVED = "ours was merged into it over there"
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
        self._mapping = as_read_here(mapping or load_mapping(self.kind), policy)
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
                pulls=self._pulls(),
            )
        return self._says

    def end_left_open(self) -> None:  # noqa: B027
        """Nothing: whoever takes records call by call has none that go on by themselves."""

    def calls_left(self) -> int | None:
        """What the last answer said of the day's limit."""
        return self._left

    def _pulls(self) -> dict[str, str]:
        """Input entity → empty where it is read, else why not."""
        own = {"merges": self._mapping.merges, "consents": self._mapping.refusals}
        read = {*self._mapping.pull, *(entity for entity, named in own.items() if named)}
        silent = f"{self.kind} is not asked for it"
        return {
            entity: "" if entity in read else self._mapping.not_pulled.get(entity, silent)
            for entity in get_args(PulledEntity)
        }

    def changes_since(self, entity: str, cursor: str | None) -> Iterator[Page]:
        """By time of modification and id, as the mapping says; nothing of an entity that it does not name."""
        place = Place(entity, Marks.read(cursor), lambda: self._wire.now)
        if entity == "merges":
            yield from self._all_merges(place)
        elif entity in self._mapping.pull:
            yield from self._walked(place, entity)
        elif entity == "consents":
            yield from self._all_refusals(place)

    def _walked(self, place: Place, entity: str) -> Iterator[Page]:
        pulled = self.checked(entity)
        yield from walk_pages(place, pulled, self._reading(entity, pulled))

    def _all_merges(self, place: Place) -> Iterator[Page]:
        """Each object's merges by a mark of its own."""
        for name, merged in self._mapping.merges.items():
            for page in walk_pages(replace(place, name=name), MERGES, self._merge_reading(name, merged)):
                place = replace(place, marks=Marks.read(page.cursor))
                yield page

    def _all_refusals(self, place: Place) -> Iterator[Page]:
        """The records of which a flag is set: each object and flag by a mark of its own.

        A flag that the key may not see is left out, unless it was read before; where it sees none, nothing is read.
        """
        hidden = self._hidden_flags()
        if len(hidden) == sum(len(one.flags) for one in self._mapping.refusals.values()):
            self._check_refusals()
        for name, refused in self._mapping.refusals.items():
            for channel, flag in refused.flags.items():
                begin = replace(place, name=f"{name}-{channel}")
                if (name, channel) in hidden:
                    if begin.marks.at(begin.name):
                        self._check_refusals()
                    continue
                reading = Reading(self._flagged(refused, flag), partial(_refusals, refused, channel))
                for page in walk_pages(begin, REFUSALS, reading):
                    place = replace(place, marks=Marks.read(page.cursor))
                    yield page

    def _hidden_flags(self) -> set[tuple[str, str]]:
        """Object and channel of the flags that are not there. What names the person must be: raises ChannelStopped."""
        hidden: set[tuple[str, str]] = set()
        for name, refused in self._mapping.refusals.items():
            there = self._field_names(ObjectMapping(to=refused.to, key=""))
            self._check_fields("consents", refused.to, refused.columns.values(), there)
            flags = refused.flags.items() if there else ()
            hidden |= {(name, channel) for channel, flag in flags if not self._is_there(flag, there or frozenset())}
        return hidden

    def _check_refusals(self) -> None:
        """Raises ChannelStopped where a flag, or what names its person, is not there: unseen is not unset."""
        for refused in self._mapping.refusals.values():
            there = self._field_names(ObjectMapping(to=refused.to, key=""))
            self._check_fields("consents", refused.to, {*refused.flags.values(), *refused.columns.values()}, there)

    def _flagged(self, refused: RefusalMapping, flag: str) -> Fetch:
        """How the vendor's records are read of which that flag is set, by time of modification and id."""
        raise NotImplementedError

    def _reading(self, entity: str, pulled: PullMapping) -> Reading:
        """How the vendor's records of an entity are read."""
        raise NotImplementedError

    def _merge_reading(self, name: str, merged: MergeMapping) -> Reading:
        """How the vendor tells what was merged; its rows bear the fields of MERGES."""
        raise NotImplementedError

    def ids_there(self, entity: str) -> Iterator[Sequence[str]] | None:
        """None, where deleted records come marked."""
        return None

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Nothing, where the vendor does not say what a record was merged into."""
        return {}

    def checked(self, entity: str) -> PullMapping:
        """What is read of an entity: a field that may be missing and is, is left out; any other must be there.

        A renamed field must not come in as empty: ChannelStopped is raised. Where the vendor does not tell its fields,
        nothing can be said.
        """
        pulled = self._mapping.pull[entity]  # type: ignore[index]
        there = self._field_names(ObjectMapping(to=pulled.to, key=pulled.id))
        columns = {
            ours: theirs.rstrip("?")
            for ours, theirs in pulled.columns.items()
            if not theirs.endswith("?") or there is None or self._is_there(theirs[:-1], there)
        }
        asked = {*columns.values(), *pulled.where, *([pulled.refunded] if pulled.refunded else [])}
        if pulled.history or pulled.linked:
            # Their columns are those of the history and of the links.
            asked = {pulled.history} if pulled.history else set()
        self._check_fields(entity, pulled.to, asked, there)
        return pulled.model_copy(update={"columns": columns})

    def _check_fields(self, entity: str, to: str, asked: Iterable[str], there: frozenset[str] | None) -> None:
        missing = sorted(one for one in asked if there and not self._is_there(one, there))
        if missing:
            named = {"kind": self.kind, "object": to, "fields": ", ".join(missing), "entity": entity}
            code = "crm_column_gone" if entity in self._mapping.pull else "crm_flag_gone"
            raise ChannelStopped(said(code, **named))

    def closed(self, entity: str, language: str) -> str:
        """Why an entity that is named cannot be read; empty where it can."""
        try:
            if entity in self._mapping.pull:
                self.checked(entity)
            elif entity == "consents":
                self._check_refusals()
        except CrmError as error:
            return error.told(language)
        return ""

    def _is_there(self, field: str, there: frozenset[str]) -> bool:
        """Of a related record's field, as in party.name or Contact.Email (by ContactId), only the way is known."""
        way = field.partition(".")[0]
        return bool({way, f"{way}Id"} & there) or way in self.system_fields

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


def _refusals(refused: RefusalMapping, channel: str, records: list[Row]) -> list[Row]:
    """A refusal for each record whose flag is set, as of its last change: nobody says since when."""
    flag = refused.flags[channel]  # type: ignore[index]
    return [
        Row(one.modified, one.id, {
            **{ours: one.fields.get(theirs) for ours, theirs in refused.columns.items()},
            "channel": channel, "status": "refused", "given_at": mark_of(one.modified, None),
            "evidence": f"{refused.to}.{flag}",
        })
        for one in records
        if str(one.fields.get(flag)).lower() in ("true", "1")
    ]  # fmt: skip


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
