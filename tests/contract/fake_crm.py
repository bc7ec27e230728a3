"""A CRM with a memory of its own and seeded bad manners: it answers late, twice, for others, by half, or not at all."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abmloop.errors import CrmUnreachable
from abmloop.faultpoint import fault_point
from scoring.policies.crm import OBJECT_ORDER
from tasks.outbound.crm.base import (
    BatchRefused,
    ChannelStopped,
    Description,
    Found,
    Identity,
    Page,
    Record,
    SlowDown,
    Standing,
    Verdict,
)

FAULTS = (
    "429_seconds", "429_silent", "500_before", "500_after", "dropped_reply", "half_applied",
    "acknowledged_twice", "acknowledged_for_another", "acknowledged_in_part",
)  # fmt: skip


@dataclass
class FakeCrm:
    """One CRM account.

    `identity` upsert_by_external_id keeps our key unique; search_after_lag creates whatever comes without an id of
    its own, and its search sees new records only after a wait, which `find` keeps. Faults are drawn one per call.
    """

    seed: int = 0
    fault_share: float = 0.0
    identity: Identity = "upsert_by_external_id"
    batch_size: int = 20
    instance: str = "fake:test"
    faults: tuple[str, ...] = FAULTS
    row_refusals: Mapping[str, str] = field(default_factory=dict)
    batch_refusals: Mapping[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def describe(self) -> Description:
        return Description(self.instance, self.identity, self.batch_size, reads_back=True)

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        self.calls.append(("find", object_name, len(keys)))
        wanted = set(keys)
        return {
            record["key"]: Found(record["id"], dict(record["fields"]), record["modified_at"])
            for record in self.records
            if record["object"] == object_name and record["key"] in wanted
        }

    def upsert(self, object_name: str, records: Sequence[Record]) -> list[Verdict]:
        self.calls.append(("upsert", object_name, len(records)))
        if any(not record.allowed_by for record in records):
            raise ChannelStopped("a record without the gate's word")
        fault = self._draw()
        if fault == "429_seconds":
            raise SlowDown("429", 1.0)
        if fault == "429_silent":
            raise SlowDown("429")
        if fault == "500_before":
            raise CrmUnreachable("500")
        if refused := next((self.batch_refusals[one.key] for one in records if one.key in self.batch_refusals), None):
            raise BatchRefused(refused)
        applied = records[: len(records) // 2] if fault == "half_applied" else records
        verdicts = [self._apply(object_name, record) for record in applied]
        fault_point("crm:after_send")
        if fault in ("500_after", "dropped_reply", "half_applied"):
            raise CrmUnreachable(fault)
        return self._misreport(verdicts, fault)

    def end_left_open(self) -> None:
        """Nothing is ever left open."""

    def calls_left(self) -> int | None:
        return None

    def changes_since(self, entity: str, cursor: str | None) -> Iterator[Page]:
        if cursor is None and entity == "deals":
            yield Page("deals", "deals", ".csv", b"deal_id,stage\r\nD1,won\r\n", "1")

    def ids_there(self, entity: str) -> Iterator[Sequence[str]] | None:
        return None

    def standing_for(self, object_name: str, crm_ids: Sequence[str]) -> Mapping[str, Standing]:
        return {}

    def dump(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """(object, key) → its records; a key with more than one was created twice."""
        held: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for record in self.records:
            held.setdefault((record["object"], record["key"]), []).append(dict(record["fields"]))
        return held

    def type_over(self, object_name: str, key: str, modified_at: str = "2026-10-30T00:00:00Z", **fields: Any) -> None:
        """What a sales person types into a record."""
        for record in self.records:
            if record["object"] == object_name and record["key"] == key:
                record["fields"].update(fields)
                record["modified_at"] = modified_at

    def _draw(self) -> str | None:
        """One draw per call."""
        if self._random.random() >= self.fault_share:
            return None
        fault = self._random.choice(self.faults)
        self.drawn[fault] += 1
        return fault

    def _apply(self, object_name: str, record: Record) -> Verdict:
        if object_name not in OBJECT_ORDER:
            raise ChannelStopped(f"no object {object_name}")
        if record.key in self.row_refusals:
            return Verdict(record.key, "dead", message=self.row_refusals[record.key])
        held = next((one for one in self.records if self._is_same(one, object_name, record)), None)
        if held is None:
            held = {"object": object_name, "key": record.key, "id": f"crm-{len(self.records) + 1}", "fields": {}}
            self.records.append(held)
        held["fields"].update(record.fields)
        held["modified_at"] = "2026-10-01T00:00:00Z"
        return Verdict(record.key, "done", held["id"])

    def _is_same(self, held: Mapping[str, Any], object_name: str, record: Record) -> bool:
        if self.identity == "upsert_by_external_id":
            return bool(held["object"] == object_name and held["key"] == record.key)
        return record.crm_id is not None and held["id"] == record.crm_id

    def _misreport(self, verdicts: list[Verdict], fault: str | None) -> list[Verdict]:
        self._random.shuffle(verdicts)
        if fault == "acknowledged_twice":
            return [*verdicts, *verdicts]
        if fault == "acknowledged_for_another":
            return [*verdicts[1:], Verdict("somebody-else", "done", "crm-0")]
        if fault == "acknowledged_in_part":
            return verdicts[: len(verdicts) // 2]
        return verdicts


class NeverAsked(FakeCrm):
    """The control: the same CRM, but whoever asks what it holds learns nothing, as if nobody asked."""

    def find(self, object_name: str, keys: Sequence[str]) -> Mapping[str, Found]:
        return {}
