"""One writer at a time: a lease in the ledger, with a fencing token that only ever grows."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
from sqlalchemy import Connection, select

from abmloop.errors import Busy
from abmloop.messages import said
from abmloop.run import Run
from warehouse.ledger import Ledger
from warehouse.ledger_tables import lease

NAME = "warehouse"
LIFE = timedelta(minutes=10)
RENEW_SECONDS = 60.0


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _is_dead(holder: dict[str, object]) -> bool:
    """Whether the holder was a process of this machine that is gone (killed, power cut), or only waits to be buried."""
    if holder["host"] != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(int(str(holder["pid"]))).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def take_lease(ledger: Ledger, holder: str) -> int:
    """Become the one writer; gives the fencing token. Raises Busy while another living run holds the lease."""
    with ledger.engine.begin() as connection:
        found = connection.execute(select(lease).where(lease.c.name == NAME)).mappings().first()
        mine = {"holder": holder, "host": socket.gethostname(), "pid": os.getpid(), "expires_at": _now() + LIFE}
        if found is None:
            connection.execute(lease.insert().values(name=NAME, token=1, **mine))
            return 1
        held = dict(found)
        if held["holder"] and held["expires_at"] > _now() and not _is_dead(held):
            until = f"{held['expires_at']:%H:%M:%S}"
            named = {"holder": held["holder"], "process": held["pid"], "host": held["host"]}
            raise Busy(said("warehouse_held", until=until, **named))
        token = int(held["token"]) + 1
        connection.execute(lease.update().where(lease.c.name == NAME).values(token=token, **mine))
        return token


def _holds(connection: Connection, token: int) -> bool:
    return connection.execute(select(lease.c.token).where(lease.c.name == NAME)).scalar() == token


def assert_lease_in(connection: Connection, run: Run) -> None:
    """Like `assert_lease`, within a ledger transaction, so that check and write cannot be parted."""
    if not _holds(connection, run.fencing_token):
        raise Busy(said("warehouse_overtaken", run=run.run_id))


def assert_lease(ledger: Ledger, run: Run) -> None:
    """Raises Busy where a newer run has taken the lease (this one slept past its end)."""
    with ledger.engine.connect() as connection:
        assert_lease_in(connection, run)


def release_lease(ledger: Ledger, token: int) -> None:
    """Give the lease back; nothing happens where a newer run has it."""
    with ledger.engine.begin() as connection:
        mine = (lease.c.name == NAME) & (lease.c.token == token)
        connection.execute(lease.update().where(mine).values(holder=None, expires_at=None))


@contextmanager
def kept_alive(ledger: Ledger, token: int) -> Iterator[None]:
    """Renew the lease once a minute while the block runs."""
    stopped = threading.Event()

    def renew() -> None:
        while not stopped.wait(RENEW_SECONDS):
            with ledger.engine.begin() as connection:
                mine = (lease.c.name == NAME) & (lease.c.token == token)
                connection.execute(lease.update().where(mine).values(expires_at=_now() + LIFE))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=5)
