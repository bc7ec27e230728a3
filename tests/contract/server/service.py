"""The fake CRM as a process: `python -m tests.contract.server.service` prints its port and serves on loopback.

Paths below /_fake are the tests' own: they reset it, move its clock, and read its dump; no fault is drawn for them.
"""

import gzip
import json
import select
import socket
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract.server.dialects import DIALECTS, Dialect
from tests.contract.server.faults import AFTER, BEFORE, FAULTS, HUGE_BYTES, LATE, Draw, Reply, Request
from tests.contract.server.memory import SECONDS_PER_CALL

LATE_SECONDS = 8.0


class Account:
    """One CRM account and how it behaves."""

    def __init__(self, **given: Any) -> None:
        self.lock = threading.Lock()
        self.reset(given)

    def reset(self, given: dict[str, Any]) -> None:
        """Begin anew: dialect, seed, share of faulty calls, which faults, lag of the search, quota of calls."""
        faults = given.get("faults", FAULTS)
        self.draw = Draw(given.get("seed", 0), given.get("share", 0.0), faults, given.get("slow_seconds", 0.4))
        self.draw.huge_bytes = given.get("huge_bytes", HUGE_BYTES)
        self.dialect: Dialect = DIALECTS[given.get("dialect", "hubspot")](self.draw, given)
        self.quota: int | None = given.get("quota")
        self.calls: Counter[str] = Counter()

    def control(self, verb: str, body: dict[str, Any]) -> Any:
        """What the tests ask."""
        memory = self.dialect.memory
        if verb == "reset":
            self.reset(body)
        elif verb == "set":
            self.draw.share = body.get("share", self.draw.share)
            self.draw.faults = tuple(body.get("faults", self.draw.faults))
            self.quota = body.get("quota", self.quota)
            self.dialect.options.update(body)
        elif verb == "sleep":
            memory.pass_time(body["seconds"])
        elif verb == "plant":
            return [memory.create(body["object"], fields, self.dialect.prefix).id for fields in body["records"]]
        elif verb in ("change", "link", "merge"):
            return self._people_do(verb, body)
        elif verb == "dump":
            return memory.dump()
        elif verb == "jobs":
            return [job["state"] for job in self.dialect.jobs.values()]
        elif verb == "calls":
            return {"calls": self.calls, "drawn": self.draw.drawn, "now": memory.now, "bodies": self.dialect.seen}
        return {}

    def _people_do(self, verb: str, body: dict[str, Any]) -> Any:
        """What people over there do with records: change and delete them, link them to others, merge two."""
        memory = self.dialect.memory
        if verb == "merge":
            return self.dialect.merge(memory.records[body["winner"]], memory.records[body["loser"]]).id
        if verb == "link":
            memory.records[body["from"]].links = [(end, label) for end, label in body["to"]]
            memory.update(memory.records[body["from"]], {})
            return {}
        for one in body["records"]:
            held = memory.records[one["id"]]
            memory.update(held, one.get("fields", {}))
            held.is_deleted = one.get("deleted", held.is_deleted)
            held.merged_into = one.get("merged_into")
            held.modified += one.get("modified_later", 0)
        return {}

    def answer(self, request: Request) -> Reply:
        """One call of a client, with its fault if one is drawn."""
        memory = self.dialect.memory
        memory.pass_time(SECONDS_PER_CALL)
        self.calls[f"{request.method} {request.path}"] += 1
        if self.dialect.is_token_call(request):
            return self.dialect.token_reply(request)
        if not self.dialect.is_authorised(request):
            return self.dialect.unauthorised()
        if self.quota is not None:
            if self.quota <= 0:
                return self.dialect.quota_gone()
            self.quota -= 1
        options = self.dialect.options
        if options.get("echo") and str(options.get("echo_of", "")).encode() in request.body:
            return self._echo(request, int(options["echo"]))
        fault = self.draw.next()
        if fault == "token_expired":
            self.dialect.serial += 1
            return self.dialect.unauthorised()
        if fault in BEFORE:
            return self.draw.before(fault, memory.now)
        if fault in LATE:
            memory.later(LATE_SECONDS, lambda: self._carry_out(request, None))
            return Reply(0, drop=True)
        reply = self._carry_out(request, fault)
        return self.draw.after(fault, reply) if fault in AFTER else reply

    def _echo(self, request: Request, status: int) -> Reply:
        """An error in every vendor's form whose words repeat all that was sent, the key included."""
        words = f"cannot read {request.path} {request.body.decode()} of {request.headers.get('authorization')}"
        codes = {"status": "error", "category": "VALIDATION_ERROR", "errorCode": 320001400, "code": 1020007}
        told = {**codes, "message": words, "errorMessage": words, "msg": words}
        return Reply(status, [told] if self.dialect.is_listing_errors else told)

    def _carry_out(self, request: Request, fault: str | None) -> Reply:
        try:
            return self.dialect.answer(request, fault)
        except (KeyError, ValueError) as error:
            return Reply(400, {"status": "error", "message": f"malformed request: {error!r}"})


# Every open connection, and whether a request on it is being worked on.
_lines: dict[socket.socket, bool] = {}


def _let_others_arrive(own: socket.socket) -> None:
    """Whoever lets time pass waits for what was sent before: on a crowded machine it may still lie in a socket.

    Else a call whose client gave up could take effect after the time in which it surely would have.
    """
    for _ in range(2000):
        others = [line for line in list(_lines) if line is not own]
        try:
            unread = select.select([_listener[0], *others], [], [], 0)[0] if _listener else []
        except (OSError, ValueError):
            continue  # one of them was closed meanwhile
        if not unread and not any(_lines.get(line) for line in others):
            return
        time.sleep(0.002)


_listener: list[socket.socket] = []


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open."""

    protocol_version = "HTTP/1.1"
    account: Account
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        _lines[self.connection] = False

    def finish(self) -> None:
        _lines.pop(self.connection, None)
        super().finish()

    def _serve(self) -> None:
        _lines[self.connection] = True
        url = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if len(body) < size:
            # The client died in the middle of its own words: nothing of them is carried out.
            _lines[self.connection] = False
            self.close_connection = True
            self._send(Reply(400, b""), self.account.dialect.memory.now)
            return
        if url.path == "/_fake/sleep":
            _let_others_arrive(self.connection)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.account.lock:
            if url.path.startswith("/_fake/"):
                reply = Reply(200, self.account.control(url.path[7:], json.loads(body or b"{}")))
            else:
                query = dict(parse_qsl(url.query, keep_blank_values=True))
                reply = self.account.answer(Request(self.command, url.path, query, headers, body))
            now = self.account.dialect.memory.now
        _lines[self.connection] = False
        self._send(reply, now)

    def _send(self, reply: Reply, now: float) -> None:
        if reply.drop:
            self.close_connection = True
            return
        if reply.wait:
            time.sleep(reply.wait)
        raw = reply.raw()
        head = {"Content-Type": "application/json", **reply.headers, "Date": formatdate(now, usegmt=True)}
        head["Content-Length"] = str(len(raw) * 2 if reply.is_cut else len(raw))
        lines = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {value}" for name, value in head.items())]
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + raw)
        except OSError:
            self.close_connection = True
        if reply.is_cut:
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Nothing: the tests ask for the counts."""


class Server(ThreadingHTTPServer):
    """A server that says nothing when a client goes away in the middle of an answer."""

    daemon_threads = True

    def handle_error(self, *_args: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*_args)


def main() -> None:
    """Serve until standard input is closed, so that no server outlives its test."""
    Handler.account = Account()
    server = Server(("127.0.0.1", 0), Handler)
    _listener.append(server.socket)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
