"""Ending a push at a named place, inside this process: what a kill leaves in the ledger and at the CRM is the same."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

import pytest

import tasks.outbound.crm.files
import tasks.outbound.crm.wire
import tasks.outbound.push.send
import tasks.outbound.push.step
import tests.contract.fake_crm
import warehouse.ledger

_MODULES = (
    tasks.outbound.crm.files,
    tasks.outbound.crm.wire,
    tasks.outbound.push.step,
    tasks.outbound.push.send,
    tests.contract.fake_crm,
    warehouse.ledger,
)
POINTS = (
    "crm:before_intent",
    "crm:after_intent",
    "crm:before_send",
    "crm:after_send",
    "crm:after_reply",
    "crm:after_record",
    "crm:after_settle",
    "ledger:before_commit",
    "ledger:after_commit",
)


def modules() -> tuple[ModuleType, ...]:
    """Every module that a push passes through."""
    return _MODULES


class Killed(BaseException):
    """Not an Exception: no handler of ours may catch it, as none can catch a kill."""


class Points:
    """Counts what is passed and ends the program at the n-th passing of `target`."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.target: str | None = None
        self.nth = 1

    def __call__(self, name: str) -> None:
        self.passed[name] += 1
        if name == self.target:
            self.nth -= 1
            if self.nth == 0:
                raise Killed(name)

    @contextmanager
    def killing(self, name: str, nth: int = 1) -> Iterator[None]:
        """The block is expected to pass `name`; ends quietly whether it was killed or came through."""
        self.target, self.nth = name, nth
        try:
            with suppress(Killed):
                yield
        finally:
            self.target = None


def install(monkeypatch: pytest.MonkeyPatch) -> Points:
    """Points in place of the real fault points, in every module a push passes through."""
    points = Points()
    for module in modules():
        monkeypatch.setattr(module, "fault_point", points)
    return points
