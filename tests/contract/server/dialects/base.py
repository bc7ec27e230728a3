"""What the dialects share: the memory behind them, tokens, refusals of rows, duplicates of records made by hand."""

from typing import Any

from tests.contract.server.faults import Draw, Reply, Request
from tests.contract.server.memory import Held, Memory

TOKEN = "token"


class Refused(Exception):
    """A row that the CRM does not take. `kind`: invalid, duplicate or busy; `other`: the record in the way."""

    def __init__(self, kind: str, message: str, other: Held | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.other = other


class Dialect:
    """One vendor's interface over one memory.

    `options`: refuse (value → message: a row that holds the value is refused), pick (field → allowed values),
    required (fields), guard (field whose value may stand in one record only), lag, instance, sandbox.
    """

    key = "abm_key"
    prefix = ""
    email = "email"
    is_listing_errors = False

    def __init__(self, draw: Draw, options: dict[str, Any]) -> None:
        self.draw = draw
        self.options = dict(options)
        indexed = (self.key, self.email, *[one for one in [options.get("guard")] if one])
        self.memory = Memory(indexed, options.get("lag", 0.0))
        self.serial = 1
        self.seen: list[str] = []
        self.jobs: dict[str, dict[str, Any]] = {}

    def is_token_call(self, request: Request) -> bool:
        """Whether the call asks for a token."""
        return "token" in request.path

    def token_reply(self, request: Request) -> Reply:
        """A token of the current serial for who brings the secret."""
        if self.options.get("revoked") or b"right-secret" not in request.body:
            return Reply(400, {"error": "invalid_client", "errorCode": 20005, "errorMessage": "invalid client"})
        return Reply(200, self.token_body())

    def token_body(self) -> dict[str, Any]:
        return {"access_token": f"{TOKEN}-{self.serial}", "token_type": "Bearer", "expires_in": 7200}

    def is_authorised(self, request: Request) -> bool:
        """Whether the call bears the newest token."""
        return request.headers.get("authorization") == f"Bearer {TOKEN}-{self.serial}"

    def unauthorised(self) -> Reply:
        return Reply(401, {"message": "token expired"})

    def quota_gone(self) -> Reply:
        return Reply(429, {"message": "daily limit reached"}, {"Retry-After": "86400"})

    def answer(self, request: Request, fault: str | None) -> Reply:
        raise NotImplementedError

    def merge(self, winner: Held, loser: Held) -> Held:
        """What people do who merge two records; gives the one that stays."""
        self.memory.update(winner, {})
        self.memory.delete(loser, winner.id)
        return winner

    # What a row goes through.

    def write(self, name: str, fields: dict[str, Any], held: Held | None, fault: str | None) -> tuple[Held, bool]:
        """Create (`held` None) or update; gives the record and whether it is new. Raises Refused."""
        if fault == "all_busy" or (fault == "row_busy" and self.draw.chance.random() < 0.5):
            raise Refused("busy", "unable to obtain exclusive access to this record")
        self.check(name, fields, held)
        if held is not None:
            self.memory.update(held, fields)
            return held, False
        return self.memory.create(name, fields, self.prefix), True

    def check(self, name: str, fields: dict[str, Any], held: Held | None) -> None:
        """Refuse what a CRM refuses: values, missing fields, duplicates."""
        for value, message in self.options.get("refuse", {}).items():
            if value in fields.values():
                raise Refused("invalid", message)
        guard = self.options.get("guard")
        if guard and held is None and fields.get(guard):
            others = self.memory.with_value(name, guard, fields[guard])
            if others:
                raise Refused("duplicate", f"already exists. Existing ID: {others[0].id}", others[0])

    def style(self, choices: tuple[str, ...]) -> str:
        """How this time a duplicate is told."""
        return self.options.get("duplicate_style") or self.draw.chance.choice(choices)
