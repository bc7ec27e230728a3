"""What the fake CRM holds, on a clock of its own that only calls and the tests' pauses move."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

START = 1_793_404_800.0  # 2026-10-31T00:00:00Z
SECONDS_PER_CALL = 0.02


@dataclass
class Held:
    """One record. `seen_at`: from when on the search knows it; `history`: time, field, value; `links`: id, label."""

    object: str
    id: str
    fields: dict[str, Any]
    created: float
    modified: float
    seen_at: float
    is_deleted: bool = False
    merged_into: str | None = None
    history: list[tuple[float, str, Any]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Memory:
    """All records by id, with an index of the fields a key may stand in. `lag`: seconds until a search sees them."""

    indexed: tuple[str, ...]
    lag: float = 0.0
    now: float = START
    records: dict[str, Held] = field(default_factory=dict)
    _by_value: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    _later: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Move the clock; what was put off until then happens."""
        # Whole milliseconds: vendors tell no finer times.
        end = round(self.now + seconds, 3)
        due = sorted((one for one in self._later if one[0] <= end), key=lambda one: one[0])
        self._later = [one for one in self._later if one[0] > end]
        for at, action in due:
            self.now = max(self.now, round(at, 3))
            action()
        self.now = end

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something when the clock has moved on that far."""
        self._later.append((self.now + seconds, action))

    def create(self, name: str, fields: dict[str, Any], prefix: str = "") -> Held:
        """A new record, whatever is there already."""
        number = len(self.records) + 1
        held = Held(name, f"{prefix}{number:012d}", {}, self.now, self.now, self.now + self.lag)
        self.records[held.id] = held
        self.update(held, fields)
        return held

    def update(self, held: Held, fields: dict[str, Any]) -> None:
        """Lay fields over a record."""
        for name in self.indexed:
            if name in fields and fields[name] != held.fields.get(name):
                ids = self._by_value.setdefault((held.object, name, str(fields[name])), [])
                if held.id not in ids:
                    ids.append(held.id)
                held.seen_at = self.now + self.lag
        held.history += [(self.now, name, value) for name, value in fields.items() if value != held.fields.get(name)]
        held.fields.update(fields)
        held.modified = self.now

    def delete(self, held: Held, merged_into: str | None = None) -> None:
        """Into the bin, or into another record."""
        held.is_deleted, held.merged_into, held.modified = True, merged_into, self.now

    def with_value(self, name: str, key: str, value: Any) -> list[Held]:
        """The living records of an object whose indexed field is that value."""
        ids = self._by_value.get((name, key, str(value)), [])
        found = [self.records[one] for one in ids]
        return [one for one in found if not one.is_deleted and str(one.fields.get(key)) == str(value)]

    def search(self, name: str, key: str, values: Iterable[Any]) -> list[Held]:
        """The same for many values, as far as the search index knows by now."""
        return [held for value in values for held in self.with_value(name, key, value) if held.seen_at <= self.now]

    def after(self, name: str, time: float, record_id: str, deleted: bool) -> list[Held]:
        """Records of an object after (modified, id), in that order."""
        chosen = [one for one in self.records.values() if one.object == name and (deleted or not one.is_deleted)]
        return sorted((o for o in chosen if (o.modified, o.id) > (time, record_id)), key=lambda o: (o.modified, o.id))

    def dump(self) -> list[dict[str, Any]]:
        """Everything, for the checker."""
        return [vars(one).copy() for one in self.records.values()]
