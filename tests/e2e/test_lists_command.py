"""`abmloop calls`, `audience` and `consent` as a user calls them, on a synced workspace."""

import csv
import io
import json
from pathlib import Path

from tasks.loop import NAMES
from tasks.outbound.lists.export import Asked
from tasks.outbound.lists.steps import list_act
from tasks.runs import open_run
from tests.e2e.test_cli import abmloop
from tests.e2e.worlds import AS_OF
from warehouse.ledger import Ledger

DAY = ("--as-of", AS_OF.isoformat())
LISTS = """
version: 1
lists:
  - {id: calls, kind: call, why: test}
  - {id: cold, kind: company, platform: linkedin, who: {tiers: [any]}, why: test}
  - {id: warm, kind: ad, platform: tencent, why: test}
"""


def called(root: Path) -> list[dict[str, str]]:
    """The rows of the call lists that stand there."""
    rows = []
    for path in sorted(root.glob("exports/lists/calls/*add.csv")):
        rows += list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    return rows


def test_a_list_is_shown_then_made_then_emptied_of_who_withdrew(copy: Path) -> None:
    (copy / "config" / "audiences.yaml").write_text(LISTS, encoding="utf-8")
    [plan] = json.loads(abmloop("calls", "calls", "--plan", "--json", *DAY, "-w", copy).out)
    assert plan["wanted"] > 10
    assert plan["asked"] == plan["wanted"] + sum(plan["held"].values())
    assert not (copy / "exports" / "lists").exists()
    told = abmloop("calls", "calls", "--apply", "--reason", "autumn", *DAY, "-w", copy)
    assert (told.code, told.err) == (0, "")
    rows = called(copy)
    assert len(rows) == plan["come_on"]
    assert all(row["allowed_by"].startswith("call: inbox:") for row in rows), "landed files are the evidence"
    # One of them withdraws; the loop's own step takes them off.
    mobile = rows[0]["mobile"]
    shown = json.loads(abmloop("consent", "show", mobile, "--json", "-w", copy).out)
    assert {row["purpose"]: row["state"] for row in shown[0]["today"]}["call"] == "allowed"
    said = ("--channel", "call", "--status", "withdrawn", "--at", "2026-10-31")
    assert abmloop("consent", "record", mobile, *said, "-w", copy).code == 0
    with open_run(copy, AS_OF, push="apply") as run:
        assert NAMES["withdraw"](run).counts == {"taken_off": 1}
        assert NAMES["withdraw"](run).counts.get("taken_off", 0) == 0
    exports = json.loads(abmloop("audience", "exports", "--json", "-w", copy).out)
    assert [row["action"] for row in exports] == ["remove", "add"]
    assert abmloop("audience", "uploaded", exports[0]["export"], "-w", copy).code == 0
    assert not Path(exports[0]["file"]).exists()


def test_who_is_stopped_by_one_key_is_stopped_by_all_and_the_proof_tells_their_lists(copy: Path) -> None:
    (copy / "config" / "audiences.yaml").write_text(LISTS, encoding="utf-8")
    assert abmloop("calls", "calls", "--apply", *DAY, "-w", copy).code == 0
    mobile = called(copy)[0]["mobile"]
    told = abmloop("consent", "stop", mobile, "--reason", "objected", "-w", copy)
    assert told.code == 0
    with Ledger.of(copy) as ledger:
        kinds = ledger.read("suppressions")["key_kind"].to_pylist()
    assert "mobile" in kinds
    shown = json.loads(abmloop("consent", "show", mobile, "--json", "-w", copy).out)
    assert {row["state"] for row in shown[0]["today"]} == {"suppressed"}
    out = copy / "proof.json"
    assert abmloop("consent", "proof", mobile, "--out", out, "-w", copy).code == 0
    proof = json.loads(out.read_text(encoding="utf-8"))
    assert [row["list"] for row in proof["lists"]] == ["calls"]
    assert proof["proof_kept_until"] > "2029"
    assert abmloop("consent", "lift", mobile, "--role", "admin", "--reason", "x", "-w", copy).code == 2


def test_the_flow_makes_the_same_list_and_a_wrong_name_is_told(copy: Path) -> None:
    (copy / "config" / "audiences.yaml").write_text(LISTS, encoding="utf-8")
    with open_run(copy, AS_OF, push="off") as run:
        planned = list_act("calls", None)(run).counts
        made = list_act("calls", Asked("prefect"))(run).counts
        assert made["add"] == planned["come_on"] == len(called(copy))
        assert list_act("cold", None)(run).counts["asked"] > 0
        assert list_act("warm", None)(run).counts["asked"] > 0
    told = abmloop("audience", "google", "nobody", "--plan", *DAY, "-w", copy)
    assert (told.code, "no such list: nobody" in told.err) == (2, True)
    assert abmloop("audience", "lists", "-w", copy).code == 0
    assert abmloop("calls", "calls", *DAY, "-w", copy).code == 2


def test_before_the_first_sync_a_list_says_what_to_do(workspace: Path) -> None:
    told = abmloop("calls", "calls_mql", "--plan", "-w", workspace)
    assert (told.code, "abmloop sync" in told.err) == (2, True)
    told = abmloop("consent", "stop", "13800138001", "--reason", "objected", "-w", workspace)
    assert (told.code, told.out.startswith("1 newly")) == (0, True)
