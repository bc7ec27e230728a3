"""The fake CRM's own manners: what a killed client leaves in the wire, and calls that take effect late."""

import socket

from tests.contract.server.account import CrmServer
from tests.contract.server.memory import START, Memory


def test_half_a_request_is_refused_and_changes_nothing(crm_server: CrmServer) -> None:
    crm_server.ask("reset", dialect="hubspot")
    head = "POST /crm/v3/objects/contacts/batch/upsert HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", crm_server.port), timeout=10) as line:
        line.sendall(head.encode() + b'{"inputs": [')
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100).startswith(b"HTTP/1.1 400")
    assert crm_server.dump() == []
    assert crm_server.calls() == 0


def test_a_late_call_takes_effect_when_it_is_due_not_when_somebody_has_waited_longer() -> None:
    memory = Memory(indexed=(), lag=20.0)
    memory.later(8.0, lambda: memory.create("contacts", {}))
    memory.pass_time(30.0)
    (record,) = memory.records.values()
    assert (record.created, record.seen_at, memory.now) == (START + 8, START + 28, START + 30)
