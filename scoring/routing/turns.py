"""Whose turn it is: queues of sales people per pool, each lead asked in logarithmic time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace

from scoring.policies.routing import Turn

Place = tuple[float, int, str]
Gate = Callable[[str], str | None]

LISTED_GATES = 20  # candidates told by name; of the others their number by gate


@dataclass
class Turns:
    """Whose turn it was, per pool: last turn and leads taken in the days of fairness."""

    last: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    taken: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    next: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1))

    def know(self, scope: str, owner: str, last_turn: int, taken: int) -> None:
        """What the log says of an owner."""
        self.last[scope, owner] = last_turn
        self.taken[scope, owner] = taken
        self.next[scope] = max(self.next[scope], last_turn + 1)

    def take(self, scope: str, owner: str) -> int:
        """Give the turn to an owner; gives its number."""
        number = self.next[scope]
        self.next[scope] = number + 1
        self.last[scope, owner] = number
        self.taken[scope, owner] += 1
        return number


@dataclass
class Passed:
    """Candidates passed over for one lead, with the gate each failed, noted so that it costs little until it is read.

    Read it before the next lead is placed: queues go on.
    """

    parts: list[tuple[str, Sequence[tuple[str, str]], Counter[str] | None]] = field(default_factory=list)

    def add(self, rule: str, owner: str, gate: str) -> None:
        """One candidate."""
        self.parts.append((rule, ((owner, gate),), None))

    def add_all(self, rule: str, out: Sequence[tuple[str, str]], counts: Counter[str]) -> None:
        """All that dropped out of a queue so far; `counts` is their number by gate."""
        if out:
            self.parts.append((rule, out, counts))

    def rows(self) -> list[dict[str, object]]:
        """What the log keeps: {"owner", "rule", "gate"} of the first, then {"rule", "gate", "count"} of the others."""
        listed: list[dict[str, object]] = []
        others: Counter[tuple[str, str]] = Counter()
        for rule, out, counts in self.parts:
            first = out[: LISTED_GATES - len(listed)]
            listed += [{"owner": owner, "rule": rule, "gate": gate} for owner, gate in first]
            rest = Counter(gate for _, gate in out) if counts is None else counts.copy()
            rest.subtract(gate for _, gate in first)
            others.update({(rule, gate): number for gate, number in rest.items() if number > 0})
        return [*listed, *({"rule": rule, "gate": gate, "count": n} for (rule, gate), n in sorted(others.items()))]


class TurnQueue:
    """The candidates of one pool in their turn. Who is out for the rest of the day drops out once, with the gate.

    Keys only grow (turns and leads taken), so a stale place is one too far in front and is put right when it comes up;
    an owner may stand in several queues of one scope.
    """

    def __init__(
        self, turns: Turns, scope: str, owners: Collection[str], turn: Turn, weights: dict[str, float]
    ) -> None:
        self._turns, self._scope, self._turn, self._weights = turns, scope, turn, weights
        self._heap = [self._place(owner) for owner in owners]
        heapify(self._heap)
        self._out: list[tuple[str, str]] = []
        self._gates: Counter[str] = Counter()

    def _place(self, owner: str) -> Place:
        """Where an owner stands: by load (weighted, fewest), then the longest without a lead, then by id."""
        taken = self._turns.taken[self._scope, owner]
        if self._turn == "round_robin":
            load = 0.0
        elif self._turn == "fewest":
            load = float(taken)
        else:
            load = (taken + 1) / self._weights.get(owner, 1.0)
        return (load, self._turns.last[self._scope, owner], owner)

    def next(self, is_out: Gate, cooling: Collection[str], passed: Passed) -> str | None:
        """Whose turn it is; None where nobody is free. Whoever is passed over is added to `passed`.

        `is_out` gives the gate that keeps an owner from any further lead today; `cooling` may not have this one.
        """
        aside: list[Place] = []
        found: str | None = None
        while self._heap and found is None:
            place = self._heap[0]
            owner = place[2]
            if (current := self._place(owner)) != place:
                heapreplace(self._heap, current)
            elif gate := is_out(owner):
                heappop(self._heap)
                self._out.append((owner, gate))
                self._gates[gate] += 1
            elif owner in cooling:
                aside.append(heappop(self._heap))
            else:
                found = owner
        passed.add_all(self._scope, self._out, self._gates)
        for place in aside:
            heappush(self._heap, place)
            passed.add(self._scope, place[2], "cool_down")
        return found
