"""A CRM that no longer shows what it showed: nothing becomes zero, what was published stays, and the run says why."""

from pathlib import Path

import duckdb
import pytest

from abmloop.errors import CrmRefused
from tasks.loop import run_steps
from tasks.policies import DEFAULTS
from tasks.runs import open_run
from tests.contract.server.account import CrmServer
from tests.contract.vendors import ENVIRONMENT, INSTANCES
from tests.e2e.worlds import AS_OF
from warehouse.database import published_path

REVENUE = "select sum(amount_base) from core.deals"


def revenue(root: Path) -> float:
    with duckdb.connect(str(published_path(root)), read_only=True) as con:
        [(total,)] = con.execute(REVENUE).fetchall()
        return float(total)


def test_b02_a_lost_permission_holds_what_was_published_and_is_named(
    copy: Path, crm_server: CrmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    crm_server.ask("reset", dialect="hubspot")
    shipped = (DEFAULTS / "crm.yaml").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in shipped if not line.startswith(("instance:", "url:")))
    named = f"instance: hubspot:{INSTANCES['hubspot']}\nurl: {crm_server.url}\n"
    (copy / "config" / "crm.yaml").write_text(f"{text}\n{named}", encoding="utf-8")
    before, bytes_before = revenue(copy), published_path(copy).read_bytes()
    assert before > 0
    crm_server.ask("set", echo=403)
    with open_run(copy, AS_OF) as run, pytest.raises(CrmRefused) as stopped:
        run_steps(run, only=("pull", "build_marts", "publish"))
    assert stopped.value.exit_code == 4
    assert "403, no permission" in stopped.value.told("en") and "没有权限" in stopped.value.told("zh")
    assert (revenue(copy), published_path(copy).read_bytes()) == (before, bytes_before)
    # Control: with the permission back the same run publishes.
    crm_server.ask("set", echo=0)
    with open_run(copy, AS_OF) as run:
        run_steps(run, only=("pull", "build_marts", "publish"))
    assert revenue(copy) == before
