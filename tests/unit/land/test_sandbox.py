"""The reading child: few rights, limits that hold, one child for many files."""

import os
from pathlib import Path
from typing import Any

import pytest

from scoring.policies.sources import Limits
from tasks.land import sandbox as sandbox_module
from tasks.land.faults import Refused
from tasks.land.headers import Reading
from tasks.land.job import Job
from tasks.land.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("own_reader")
PEOPLE = "姓名,手机\n张三,13800138000\n"


def job(tmp_path: Path, data: str = PEOPLE, **limits: Any) -> Job:
    path, out = tmp_path / "file", tmp_path / "out"
    out.mkdir(exist_ok=True)
    path.write_text(data, encoding="utf-8")
    return Job(str(path), "contacts/x.csv", str(out), (Reading("contacts"),), {**Limits().model_dump(), **limits})


def test_one_child_reads_many_files_and_is_replaced_when_it_was_killed(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        first = sandbox.read(job(tmp_path))
        child = sandbox._child
        assert sandbox.read(job(tmp_path)) == first and sandbox._child is child
        with pytest.raises(Refused, match="more than 1 MB of memory"):
            sandbox.read(job(tmp_path, memory_mb=1, data=PEOPLE + "a,1\n" * 2_000_000))
        assert sandbox.read(job(tmp_path)) == first and sandbox._child is not child
        with pytest.raises(Refused, match=r"more than 0\.001 seconds"):
            sandbox.read(job(tmp_path, seconds=0.001))


def test_the_child_sees_no_secret_and_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABMLOOP_CRM_TOKEN", "secret")
    with Sandbox() as sandbox:
        sandbox.read(job(tmp_path))
        assert sandbox._child is not None
        pid = sandbox._child.pid
        environment = Path(f"/proc/{pid}/environ")
        if environment.exists():
            assert b"secret" not in environment.read_bytes()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_defect_of_ours_names_the_place_and_no_data(tmp_path: Path) -> None:
    broken = Job(str(tmp_path), "contacts/geheim.csv", str(tmp_path), (Reading("contacts"),), Limits().model_dump())
    with Sandbox() as sandbox, pytest.raises(sandbox_module.AbmError, match="IsADirectoryError at"):
        sandbox.read(broken)
