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
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from abmloop.errors import BadPolicy, CrmUnreachable
from abmloop.faultpoint import fault_point
from abmloop.messages import said, together
from abmloop.redact import redact
from tasks.outbound.crm.base import ChannelStopped, SlowDown

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_WORDS = 300
# Beyond it signed requests are refused (Tencent's window), and times of refusals and hours of calls are wrong here.
MOST_CLOCK_SECONDS = 300
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
            kind = "html" if self.body.lstrip()[:1] == b"<" else "no_json"
            code = f"crm_body_{kind if self.body else 'empty'}"
            raise CrmUnreachable(said(code, status=self.status)) from None


class Wire:
    """Calls to one base address.

    `private`: the address may be of a private network (a CRM of one's own); loopback may be called when it is named so.
    `now`: the CRM's own clock, as its last answer told it. `clock`: ours, to which the first answer's is held; none
    where both are of one machine. `accepts`: how an answer may be packed.
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
        self.clock: Callable[[], datetime] | None = None if self.host in _LOOPBACK else _utc_now
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
            raise CrmUnreachable(said("crm_host_says", host=self.host, cause=_cause(error, self._timeout))) from None
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
            raise ChannelStopped(said("crm_private_address", host=self.host, address=mapped))

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        there = _date(headers)
        if self.now is None and there and self.clock and "age" not in headers:
            check_clock(self.host, there, self.clock())
        self.now = there or self.now
        packed = headers.get("content-encoding", "identity").lower()
        unpack = zlib.decompressobj(wbits=47) if packed in ("gzip", "deflate") else None
        if packed not in ("gzip", "deflate", "identity", ""):
            raise CrmUnreachable(said("crm_body_packed", status=response.status))
        end = time.monotonic() + self._timeout * 4
        pieces: list[bytes] = []
        size = 0
        while piece := response.read(_PIECE):
            piece = _unpacked(unpack, piece) if unpack else piece
            size += len(piece)
            if size > MAX_BODY_BYTES or (unpack and unpack.unconsumed_tail):
                raise CrmUnreachable(said("crm_body_too_large", status=response.status, limit=f"{MAX_BODY_BYTES:,}"))
            if time.monotonic() > end:
                seconds = f"{self._timeout * 4:g}"
                raise CrmUnreachable(said("crm_body_too_slow", status=response.status, seconds=seconds))
            pieces.append(piece)
        promised = headers.get("content-length", "")
        if not unpack and promised.isdigit() and int(promised) != size:
            raise CrmUnreachable(said("crm_body_cut", status=response.status, size=f"{size:,}", promised=promised))
        if response.will_close:
            self.close()
        return Answer(response.status, headers, b"".join(pieces))


def _unpacked(unpack: Any, piece: bytes) -> bytes:
    try:
        return bytes(unpack.decompress(piece, MAX_BODY_BYTES + 1))
    except zlib.error:
        raise CrmUnreachable(said("crm_body_unpackable")) from None


def check_url(url: str) -> str:
    """The address if it may be called. Raises BadPolicy: https only (loopback aside), no user, no query."""
    parts = urlsplit(url)
    faults = []
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        faults.append(said("crm_url_https"))
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        faults.append(said("crm_url_bare"))
    if faults:
        raise BadPolicy(said("crm_url_refused", faults=together(faults, "; ")))
    return url


def check_clock(host: str, there: datetime, here: datetime) -> None:
    """Raises ChannelStopped where our clock is off by more than `MOST_CLOCK_SECONDS` from the CRM's (C14, R11)."""
    seconds = round((here - there).total_seconds())
    if abs(seconds) > MOST_CLOCK_SECONDS:
        code = "crm_clock_ahead" if seconds > 0 else "crm_clock_behind"
        raise ChannelStopped(said(code, host=host, seconds=f"{abs(seconds):,}", most=MOST_CLOCK_SECONDS))


def _utc_now() -> datetime:
    return datetime.now(UTC)


def check_answer(answer: Answer, words: str = "") -> None:
    """Raise for what every vendor means alike; `words` is what this one said beside.

    SlowDown for 429 and for 503 with a time, ChannelStopped for 403, CrmUnreachable for redirects and all other 5xx.
    """
    code = "crm_answered" if words else "crm_status_only"
    told = {"status": answer.status, "words": hide(words)}
    if answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers):
        raise SlowDown(said(code, **told), retry_after(answer))
    if answer.status == 403:
        raise ChannelStopped(said("crm_no_permission_words" if words else "crm_no_permission", words=hide(words)))
    if 300 < answer.status < 400:
        there = urlsplit(answer.headers.get("location", "")).hostname
        to = "crm_redirected" if there else "crm_redirected_nowhere"
        raise CrmUnreachable(said(to, status=answer.status, there=there))
    if answer.status >= 500:
        raise CrmUnreachable(said(code, **told))


def retry_after(answer: Answer) -> float | None:
    """The seconds to wait, said as a number or as a date; dates are read by the CRM's own clock. None: not said."""
    asked = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", asked):
        return float(asked)
    try:
        until, now = parsedate_to_datetime(asked), _date(answer.headers)
        return max((until - now).total_seconds(), 0.0) if now else None
    except (ValueError, TypeError):
        return None


def _date(headers: dict[str, str]) -> datetime | None:
    try:
        told = parsedate_to_datetime(headers["date"])
        return told if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, KeyError, TypeError):
        return None


def hide(text: str) -> str:
    """A vendor's words for logs: short, on one line, numbers and addresses of people masked."""
    line = redact(" ".join(text.split()))[:MAX_WORDS]
    return _MAIL.sub(r"\1***@", _DIGITS.sub(r"\1****\2", line))


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("ABMLOOP_CA_FILE") or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _cause(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return said("crm_cause_timeout", seconds=f"{timeout:g}")
    if isinstance(error, socket.gaierror):
        return said("crm_cause_name")
    if isinstance(error, ssl.SSLCertVerificationError):
        return said("crm_cause_certificate", reason=error.verify_message)
    if isinstance(error, ssl.SSLError):
        return said("crm_cause_tls", reason=error.reason or "TLS")
    return said("crm_cause_broken", reason=type(error).__name__)
