"""The bad manners of the fake CRM: one draw a call, from a seed."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any

HUGE_BYTES = 20_000_000

# Before anything is done, after all is done, and those that the dialect itself carries out.
BEFORE = (
    "429_seconds", "429_date", "429_silent", "429_day", "500_before", "503_html", "drop_before", "html_before",
    "redirect", "token_expired",
)  # fmt: skip
AFTER = ("500_after", "dropped_reply", "slow_reply", "html_after", "cut_json", "huge_body", "gzip_bomb", "empty_body")
LATE = ("late_commit",)
ROWWISE = ("half_applied", "short_list", "reordered", "doubled_ack", "foreign_ack", "row_busy", "all_busy")
FAULTS: tuple[str, ...] = (*BEFORE, *AFTER, *LATE, *ROWWISE)


@dataclass
class Request:
    """One call as the dialects see it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass
class Reply:
    """An answer. `drop`: the connection is closed instead; `wait`: real seconds before it is sent."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    wait: float = 0.0
    is_cut: bool = False

    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode()


class Draw:
    """Faults by seed and share, and the making of their answers."""

    def __init__(self, seed: int, share: float, faults: Sequence[str], slow_seconds: float) -> None:
        self.chance = random.Random(seed)
        self.share = share
        self.faults = tuple(faults)
        self.slow_seconds = slow_seconds
        self.huge_bytes = HUGE_BYTES
        self.drawn: Counter[str] = Counter()

    def next(self) -> str | None:
        """One draw for one call."""
        if not self.faults or self.chance.random() >= self.share:
            return None
        fault = self.chance.choice(self.faults)
        self.drawn[fault] += 1
        return fault

    def before(self, fault: str, now: float) -> Reply:
        """The answer of a call that does nothing."""
        said: Callable[..., dict[str, str]] = lambda value: {"Retry-After": str(value)}  # noqa: E731
        date = format_datetime(datetime.fromtimestamp(now + 3, UTC), usegmt=True)
        replies = {
            "429_seconds": Reply(429, {"message": "too many requests"}, said(2)),
            "429_date": Reply(429, {"message": "too many requests"}, said(date)),
            "429_silent": Reply(429, b""),
            "429_day": Reply(429, {"message": "daily limit"}, said(86400)),
            "500_before": Reply(500, {"message": "internal error"}),
            "503_html": Reply(503, b"<html>upstream is down</html>", {"Content-Type": "text/html"}),
            "drop_before": Reply(0, drop=True),
            "html_before": Reply(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
            "redirect": Reply(302, b"", {"Location": "http://127.0.0.2:9/elsewhere"}),
        }
        return replies[fault]

    def after(self, fault: str, reply: Reply) -> Reply:
        """What becomes of the answer of a call that was carried out."""
        if fault == "slow_reply":
            reply.wait = self.slow_seconds
            return reply
        if fault == "cut_json":
            return Reply(reply.status, reply.raw()[: len(reply.raw()) // 2], reply.headers, is_cut=True)
        bomb = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        replies = {
            "500_after": lambda: Reply(500, {"message": "internal error"}),
            "dropped_reply": lambda: Reply(0, drop=True),
            "html_after": lambda: Reply(200, b"<html>please log in</html>", {"Content-Type": "text/html"}),
            "huge_body": lambda: Reply(200, b'{"results": "' + b"x" * self.huge_bytes),
            "gzip_bomb": lambda: Reply(200, _bomb(self.huge_bytes * 5), bomb),
            "empty_body": lambda: Reply(200, b""),
        }
        return replies[fault]()

    def part(self, rows: list[Any], fault: str | None) -> list[Any]:
        """The rows that are carried out."""
        return rows[: len(rows) // 2] if fault == "half_applied" else rows

    def misreport(self, results: list[Any], fault: str | None, foreign: Any) -> list[Any]:
        """The results as they are told; `foreign` speaks of a record that nobody sent."""
        if fault == "reordered":
            self.chance.shuffle(results)
        if fault == "short_list":
            return results[: len(results) // 2]
        if fault == "doubled_ack":
            return [*results, *results]
        if fault == "foreign_ack":
            return [*results[1:], foreign]
        return results


@cache
def _bomb(size: int) -> bytes:
    return gzip.compress(b"0" * size, 9)
