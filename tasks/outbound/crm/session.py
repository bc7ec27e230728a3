"""Calls to a CRM with its token, its pace, and patience: what is only read is asked again, what is written never."""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from abmloop.errors import BadUsage, CrmUnreachable
from abmloop.messages import said
from tasks.outbound.crm.base import ChannelStopped, SlowDown
from tasks.outbound.crm.wire import Answer, Wire

READ_ATTEMPTS = 8
_JSON = {"Content-Type": "application/json"}

Pause = Callable[[float], None]


class Auth(Protocol):
    """How calls prove who we are."""

    def headers(self, wire: Wire) -> Mapping[str, str]:
        """The headers of a call; a token is fetched where there is none."""
        ...

    def renew(self) -> bool:
        """Forget the token; False where there is none to be had in its place."""
        ...


class Session:
    """One account's calls. `is_expired` tells from an answer that the token is no longer taken."""

    def __init__(
        self,
        wire: Wire,
        auth: Auth,
        is_expired: Callable[[Answer], bool],
        pace: "Pace",
        waits: "Waits",
    ) -> None:
        self._wire = wire
        self._auth = auth
        self._is_expired = is_expired
        self._pace = pace
        self._waits = waits

    def write(self, method: str, path: str, body: Any, headers: Mapping[str, str] = _JSON) -> Answer:
        """One call, made once; made again only where the CRM said that it did not look at it: token expired."""
        packed = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        for is_second in (False, True):
            self._pace.take()
            answer = self._wire.call(method, path, packed, {**headers, **self._auth.headers(self._wire)})
            if not self._is_expired(answer):
                return answer
            if not self._auth.renew():
                raise ChannelStopped(said("crm_key_refused"))
            if is_second:
                raise CrmUnreachable(said("crm_token_refused"))
        raise AssertionError("not reached")

    def read(self, method: str, path: str, body: Any, parse: Callable[[Answer], Any], form: bool = False) -> Any:
        """What `parse` makes of the answer; asked again with growing pauses while there is none that can be used."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else _JSON
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return parse(self.write(method, path, b"" if body is None else body, headers))
            except ChannelStopped:
                raise
            except CrmUnreachable as error:
                asked = error.seconds if isinstance(error, SlowDown) else None
                if attempt == READ_ATTEMPTS or (asked or 0) > self._waits.longest:
                    raise
                self._waits.pause(max(asked or 0.0, min(self._waits.first * 2 ** (attempt - 1), self._waits.longest)))
        raise AssertionError("not reached")


class Waits:
    """How long to wait between attempts: the first pause, the longest, and what waits."""

    def __init__(self, first: float, longest: float, pause: Pause) -> None:
        self.first = first
        self.longest = longest
        self.pause = pause


class Pace:
    """No more than so many calls in so many seconds."""

    def __init__(self, calls: int, seconds: float, pause: Pause, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._pause = pause
        self._clock = clock
        self._made: deque[float] = deque(maxlen=max(calls, 1))

    def take(self) -> None:
        """Wait until one more call is allowed."""
        now = self._clock()
        if len(self._made) == self._made.maxlen and (wait := self._made[0] + self._seconds - now) > 0:
            self._pause(wait)
            now += wait
        self._made.append(now)


class NamedKey:
    """A fixed token from the environment."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self, wire: Wire) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        return False


class Grant:
    """A token that is fetched with a secret and fetched anew when it has expired.

    `fetch` makes the call; `accept` gives the headers of further calls, and raises ChannelStopped for a refusal.
    """

    def __init__(self, fetch: Callable[[Wire], Answer], accept: Callable[[Any], dict[str, str]], pace: Pace) -> None:
        self._fetch = fetch
        self._accept = accept
        self._pace = pace
        self._headers: dict[str, str] | None = None

    def headers(self, wire: Wire) -> Mapping[str, str]:
        if self._headers is None:
            self._pace.take()
            self._headers = self._accept(self._body(self._fetch(wire)))
        return self._headers

    @staticmethod
    def _body(answer: Answer) -> Any:
        if answer.status in (400, 401, 403):
            raise ChannelStopped(said("crm_no_token_status", status=answer.status))
        if answer.status != 200:
            raise CrmUnreachable(said("crm_instead_of_token", status=answer.status))
        return answer.json()

    def renew(self) -> bool:
        self._headers = None
        return True


# What installers and examples set: whoever left it so has no secret. Source: 12-security S30.
_DEFAULTS = frozenset(
    {
        "admin", "changeme", "change-me", "default", "demo", "example", "none", "null", "password", "root", "secret",
        "test", "token", "xxx", "123456", "12345678", "your-secret", "your-token",
    }
)  # fmt: skip
_OF_SECRETS = re.compile(r"SECRET|TOKEN|PASSWORD|PERMANENT_CODE")


def secrets(environment: Mapping[str, str], *names: str) -> list[str]:
    """The values of these variables; none is ever shown.

    Raises BadUsage naming those that are missing, and secrets that are still what an installer or an example set.
    """
    if missing := [name for name in names if not environment.get(name, "").strip()]:
        raise BadUsage(said("crm_credentials_missing", names=", ".join(missing)))
    given = {name: environment[name].strip() for name in names}
    if left := [name for name, value in given.items() if _OF_SECRETS.search(name) and value.lower() in _DEFAULTS]:
        raise BadUsage(said("crm_credentials_default", names=", ".join(left)))
    return list(given.values())
