"""Security of files, S01 to S10: one beyond each limit is refused, and the child that reads has hardly a right."""

import contextlib
import gzip
import io
import json
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tasks.land.archives import check_archive
from tasks.land.encodings import decode
from tasks.land.faults import Refused
from tests.unit.land.files import read_bytes, refusal

ROOT = Path(__file__).parents[2]
LONG = "name,email\n%s,x\n"
TWO = "name,email\na,a@b.cn\nb,b@b.cn\n"


def zipped(members: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def deep(levels: int) -> str:
    """A record with a value nested so deep; the record itself is the first level."""
    return '[{"email":"a@b.cn","x":' + "[" * (levels - 1) + "]" * (levels - 1) + "}]"


@pytest.mark.parametrize(
    ("limit", "at", "beyond", "name"),
    [
        ({"rows": 2}, TWO, TWO + "c,c@b.cn\n", "x.csv"),
        ({"columns": 2}, TWO, "name,email,x\na,a@b.cn,1\n", "x.csv"),
        ({"json_depth": 5}, deep(5), deep(6), "x.json"),
        ({"entries": 2}, zipped(dict.fromkeys("ab", TWO)), zipped(dict.fromkeys("abc", TWO)), "x.zip"),
        ({"unpacked_mb": 1, "ratio": 10**6}, LONG % ("a" * 999_000), LONG % ("a" * 1_000_000), "x.csv.gz"),
    ],
)  # fmt: skip
def test_s01_one_beyond_a_limit_is_refused(
    tmp_path: Path, limit: dict[str, Any], at: str | bytes, beyond: str | bytes, name: str
) -> None:
    packed = [gzip.compress(data.encode()) if name.endswith(".gz") else data for data in (at, beyond)]  # type: ignore[union-attr]
    assert read_bytes(tmp_path, packed[0], name, limits=limit).rows
    found = refusal(tmp_path, packed[1], name, limits=limit)
    assert found.rule in ("too_many_rows", "too_many_columns", "json_too_deep", "too_many_members", "bomb")


def test_s01_one_character_beyond_refuses_the_row_only(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "name,email\naaaaaa,a@b.cn\naaaaaaa,b@b.cn\n", limits={"cell_characters": 6})
    assert found.values("name") == ["aaaaaa"] and found.told() == ["line 3: a cell of more than 6 characters."]


@pytest.mark.parametrize(("name", "rule"), [("x.xlsx", "text_named_otherwise"), ("x.parquet", "text_named_otherwise")])
def test_s02_a_name_that_does_not_fit_the_bytes_is_refused(tmp_path: Path, name: str, rule: str) -> None:
    assert refusal(tmp_path, TWO, name).rule == rule
    assert refusal(tmp_path, gzip.compress(TWO.encode()), "x.csv").rule == "other_type_inside"


def test_s03_overlapping_members_are_refused_before_unpacking() -> None:
    data = zipped({"a.csv": TWO * 100, "b.csv": TWO * 100})
    limits = {"entries": 10, "unpacked_mb": 10, "ratio": 1_000}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_archive(archive, len(data), limits)
        archive.infolist()[1].header_offset = archive.infolist()[0].header_offset
        with pytest.raises(Refused, match="members overlap"):
            check_archive(archive, len(data), limits)


def test_s03_paths_in_an_archive_are_only_shown_and_links_refused(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, zipped({"../../etc/a.csv": TWO}), "x.zip")
    assert found.rows[0]["sheet"] == "../../etc/a.csv" and not (tmp_path.parent.parent / "etc").exists()
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(tmp_path, stream.getvalue(), "x.zip").rule == "link_in_archive"


_RIGHTS = """
import json, os, resource, socket
from tasks.land.child import give_up_rights
give_up_rights()
try:
    socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=2)
    reached = True
except OSError:
    reached = False
limits = [resource.getrlimit(each)[0] for each in (resource.RLIMIT_AS, resource.RLIMIT_CORE)]
print(json.dumps([reached, os.path.exists("/proc/self/ns/net"), *limits]))
"""


def test_s04_the_reading_child_has_no_network_and_no_endless_memory() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {"PORT": str(server.getsockname()[1]), "PYTHONPATH": str(ROOT)}
        told = subprocess.run(
            [sys.executable, "-c", _RIGHTS], env=environment, capture_output=True, check=True, text=True
        )
    reached, has_namespaces, memory, core = json.loads(told.stdout)
    assert core == 0 and memory != resource.RLIM_INFINITY
    if has_namespaces and _may_leave_the_network():
        assert not reached


def _may_leave_the_network() -> bool:
    """Whether this kernel lets an ordinary process have a network of its own."""
    done = subprocess.run(["unshare", "-U", "-n", "true"], capture_output=True, check=False)
    return done.returncode == 0


def test_s05_declared_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    evil = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><workbook>&a;</workbook>'
    data = zipped({"xl/workbook.xml": evil, "xl/_rels/workbook.xml.rels": "<r/>"})
    assert refusal(tmp_path, data, "x.xlsx").rule == "bad_workbook"


def test_s10_a_line_without_end_is_read_in_linear_time(tmp_path: Path) -> None:
    """A pattern that tries again from every place of a line of 2 million characters would take hours."""
    started = time.process_time()
    for data in (b"a" * 2_000_000 + "中".encode(), b"a" * 2_000_000 + b"\xd6\xd0", b"(" * 2_000_000 + b"\xff"):
        with contextlib.suppress(Refused):
            decode(data)
    assert time.process_time() - started < 10
