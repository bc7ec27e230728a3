"""C14: an address that is not safe, not there, or not who it says is named as such, and nothing is sent to it."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from abmloop.errors import CrmUnreachable
from tasks.outbound.crm.wire import Wire

SECRET = {"Authorization": "Bearer right-secret"}


class _Page(BaseHTTPRequestHandler):
    """Answers every call, and remembers that there was one."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: object) -> None:
        """Nothing."""


def _certificate(path: Path, host: str, days: int) -> Path:
    """Key and certificate of a host that vouches for itself, valid until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    ends = datetime.now(UTC) + timedelta(days=days)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), ends - timedelta(90), ends
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + signed)
    return path


@contextmanager
def _serving(certificate: Path | None) -> Iterator[tuple[int, list[str]]]:
    handler = type("Page", (_Page,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], handler.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


Call = Callable[[str, int, bool], str]


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """What is said of an https address on this machine whose certificate is for `host`; it must not have been asked."""

    def call(host: str, days: int, is_trusted: bool) -> str:
        certificate = _certificate(tmp_path / "server.pem", host, days)
        if is_trusted:
            monkeypatch.setenv("ABMLOOP_CA_FILE", str(certificate))
        with _serving(certificate) as (port, asked):
            try:
                answer = Wire(f"https://localhost:{port}", 5.0).call("GET", "/", None, SECRET)
            except CrmUnreachable as error:
                assert error.exit_code == 4
                assert asked == [], "the key went to somebody who is not the CRM"
                return str(error)
            assert asked == [SECRET["Authorization"]]
            return str(answer.status)

    return call


def test_c14_a_certificate_that_nobody_vouches_for_is_refused_and_named(refusal: Call) -> None:
    said = refusal("localhost", 30, False)
    assert "its certificate is not trusted (self-signed certificate)" in said
    assert "ABMLOOP_CA_FILE" in said


def test_c14_a_certificate_of_another_host_is_refused_and_named(refusal: Call) -> None:
    assert "Hostname mismatch, certificate is not valid for 'localhost'" in refusal("elsewhere.example", 30, True)


def test_c14_an_expired_certificate_is_refused_and_named(refusal: Call) -> None:
    assert "certificate has expired" in refusal("localhost", -1, True)


def test_c14_control_a_private_authority_that_is_named_is_trusted(refusal: Call) -> None:
    assert refusal("localhost", 30, True) == "200"


def test_c14_a_proxy_that_answers_in_the_clear_is_no_safe_connection() -> None:
    with _serving(None) as (port, asked), pytest.raises(CrmUnreachable, match="no safe connection") as error:
        Wire(f"https://localhost:{port}", 5.0).call("GET", "/", None, SECRET)
    assert (error.value.exit_code, asked) == (4, [])


def test_c14_a_name_that_cannot_be_found_is_said() -> None:
    with pytest.raises(CrmUnreachable, match="the name cannot be found"):
        Wire("https://crm.invalid", 5.0).call("GET", "/", None, SECRET)
