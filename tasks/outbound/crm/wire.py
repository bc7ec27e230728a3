"""One HTTP connection to one CRM: certificates checked, no redirect followed, every answer bounded in time and size.

What comes back is untrusted, and an error never repeats what was sent: no secret and no personal value can leave by it.
"""

import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import time
import zlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from abmloop.errors import BadPolicy, CrmUnreachable
from abmloop.faultpoint import fault_point
from tasks.outbound.crm.base import ChannelStopped, SlowDown

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_WORDS = 300
_PIECE = 64 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DIGITS = re.compile(r"(?<![0-9A-Za-z])(\+?\d{3})\d{4,12}(\d{2})(?![0-9A-Za-z])")
_MAIL = re.compile(r"\b([\w.+-])[\w.+-]{0,60}@")


@dataclass(frozen=True)
class Answer:
    """A reply within the limits; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises CrmUnreachable where it is anything else: then nothing is known of the outcome."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = "an HTML page" if self.body.lstrip()[:1] == b"<" else "no JSON"
            raise CrmUnreachable(f"{self.status} with {kind if self.body else 'an empty body'}") from None


class Wire:
    """Calls to one base address.

    `private`: the address may be of a private network (a CRM of one's own); loopback may be called when it is named so.
    `now`: the CRM's own clock, as its last answer told it. `accepts`: how an answer may be packed.
    """

    def __init__(self, url: str, timeout: float, private: bool = False) -> None:
        parts = urlsplit(check_url(url))
        self.host = parts.hostname or ""
        self.port = parts.port
        self.path = parts.path.rstrip("/")
        self.is_plain = parts.scheme == "http"
        self._timeout = timeout
        self._private = private
        self._connection: http.client.HTTPConnection | None = None
        self.now: datetime | None = None
        self.accepts = "identity"

    def call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One call. Raises CrmUnreachable with the cause where there is no answer that can be read."""
        try:
            connection = self._connected()
            connection.request(method, self.path + path, body, {"Accept-Encoding": self.accepts, **headers})
            fault_point("crm:after_send")
            return self._read(connection.getresponse())
        except (
            TimeoutError,
            socket.gaierror,
            ssl.SSLError,
            ConnectionError,
            http.client.HTTPException,
            OSError,
        ) as error:
            self.close()
            raise CrmUnreachable(f"{self.host}: {_cause(error, self._timeout)}") from None
        except CrmUnreachable:
            self.close()
            raise

    def close(self) -> None:
        """Forget the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self.is_plain:
                made = http.client.HTTPConnection(self.host, self.port, timeout=self._timeout)
            else:
                made = http.client.HTTPSConnection(self.host, self.port, timeout=self._timeout, context=_context())
            made.connect()
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._check_address(made)
            self._connection = made
        return self._connection

    def _check_address(self, made: http.client.HTTPConnection) -> None:
        """Refuse an address that a CRM in the internet cannot have: whoever answers the name decides where we land."""
        address = ipaddress.ip_address(made.sock.getpeername()[0].partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        allowed = mapped.is_loopback if self.host in _LOOPBACK else mapped.is_global or (
            self._private and mapped.is_private and not (mapped.is_loopback or mapped.is_link_local)
        )  # fmt: skip
        if not allowed:
            made.close()
            raise ChannelStopped(
                f"{self.host} leads to {mapped}, which is no public address; a CRM in your own network needs "
                "`private_network: true` in crm.yaml"
            )

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        self.now = _date(headers) or self.now
        packed = headers.get("content-encoding", "identity").lower()
        unpack = zlib.decompressobj(wbits=47) if packed in ("gzip", "deflate") else None
        if packed not in ("gzip", "deflate", "identity", ""):
            raise CrmUnreachable(f"{response.status}, packed in a way nobody asked for")
        end = time.monotonic() + self._timeout * 4
        pieces: list[bytes] = []
        size = 0
        while piece := response.read(_PIECE):
            piece = _unpacked(unpack, piece) if unpack else piece
            size += len(piece)
            if size > MAX_BODY_BYTES or (unpack and unpack.unconsumed_tail):
                raise CrmUnreachable(f"{response.status} with a body of more than {MAX_BODY_BYTES:,} bytes; not read")
            if time.monotonic() > end:
                raise CrmUnreachable(f"{response.status}, and its body did not end within {self._timeout * 4:g} s")
            pieces.append(piece)
        promised = headers.get("content-length", "")
        if not unpack and promised.isdigit() and int(promised) != size:
            raise CrmUnreachable(f"{response.status} with only {size:,} of {promised} bytes")
        if response.will_close:
            self.close()
        return Answer(response.status, headers, b"".join(pieces))


def _unpacked(unpack: Any, piece: bytes) -> bytes:
    try:
        return bytes(unpack.decompress(piece, MAX_BODY_BYTES + 1))
    except zlib.error:
        raise CrmUnreachable("a body that is not packed as it says") from None


def check_url(url: str) -> str:
    """The address if it may be called. Raises BadPolicy: https only (loopback aside), no user, no query."""
    parts = urlsplit(url)
    faults = []
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        faults.append("only https (http on loopback)")
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        faults.append("a host and perhaps a path, nothing else: no user, no password, no query")
    if faults:
        raise BadPolicy(f"crm.yaml: url: {'; '.join(faults)}")
    return url


def check_answer(answer: Answer, words: str = "") -> None:
    """Raise for what every vendor means alike; `words` is what this one said beside.

    SlowDown for 429 and for 503 with a time, ChannelStopped for 403, CrmUnreachable for redirects and all other 5xx.
    """
    tail = f": {hide(words)}" if words else ""
    if answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):
        raise SlowDown(f"{answer.status}{tail}", retry_after(answer))
    if answer.status == 403:
        raise ChannelStopped(f"403, no permission{tail}")
    if 300 < answer.status < 400:
        there = urlsplit(answer.headers.get("location", "")).hostname or "nowhere"
        raise CrmUnreachable(f"{answer.status}: it sends us to {there}; redirects are not followed, see `url`")
    if answer.status >= 500:
        raise CrmUnreachable(f"{answer.status}{tail}")


def retry_after(answer: Answer) -> float | None:
    """The seconds to wait, said as a number or as a date; dates are read by the CRM's own clock. None: not said."""
    said = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", said):
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), _date(answer.headers)
        return max((until - now).total_seconds(), 0.0) if now else None
    except (ValueError, TypeError):
        return None


def _date(headers: dict[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"])
    except (ValueError, KeyError, TypeError):
        return None


def hide(text: str) -> str:
    """A vendor's words for logs: short, on one line, numbers and addresses of people masked."""
    line = " ".join(text.split())[:MAX_WORDS]
    return _MAIL.sub(r"\1***@", _DIGITS.sub(r"\1****\2", line))


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("ABMLOOP_CA_FILE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _cause(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, socket.gaierror):
        return "the name cannot be found; is the network there, is `url` right?"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); ABMLOOP_CA_FILE names a private authority"
    if isinstance(error, ssl.SSLError):
        return f"no safe connection ({error.reason or 'TLS'})"
    return f"the connection broke ({type(error).__name__})"
