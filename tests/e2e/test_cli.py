"""The commands as a user calls them: what they print, what they leave, how they end."""

import atexit
import csv
import hashlib
import io
import json
import logging
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from abmloop.settings import load_settings
from cli import main as command
from tasks.runs import open_run
from tests.e2e.worlds import AS_OF, ask, exported_records
from warehouse.database import published_path
from warehouse.ledger import Ledger

DAY = AS_OF.isoformat()
HOSTILE = "<script>alert(1)</script>{{7*7000003}}"
FILES = {
    "companies/list.csv": "企业名称,统一社会信用代码,省份,城市,行业,网址\n"
    "东莞迅锋仪器仪表有限公司,91441900010472917L,广东省,东莞市,仪器仪表制造业,xunfeng-yq.example.com\n"
    "南京联诚商贸有限公司,91320100MAM8E1572C,江苏省,南京市,批发业,liancheng-sm.example.com\n",
    "contacts/people.csv": "联系人ID,姓名,公司名称,邮箱,手机\n"
    "c1,李雷,东莞迅锋仪器仪表有限公司,li.lei@xunfeng-yq.example.com,19900000001\n"
    "c2,韩梅梅,南京联诚商贸有限公司,han.meimei@liancheng-sm.example.com,19900000002\n",
    "campaigns/campaigns.csv": f"活动编号,活动名称,渠道,实际成本\nm1,{HOSTILE},webinar,1000\nm2,展会,event,500\n",
    "touches/touches.csv": "touch_id,contact_id,campaign_id,type,occurred_at\n"
    "t1,c1,m1,registration,2026-08-01 10:00:00\nt2,c1,m1,demo_request,2026-08-03 10:00:00\n",
    "consents/consents.csv": "联系人ID,渠道,状态,时间,证据\n"
    "c1,crm_share,granted,2026-08-01 10:00:00,官网表单\nc1,email,granted,2026-08-01 10:00:00,官网表单\n",
    "deals/deals.csv": "商机编号,客户名称,统一社会信用代码,销售阶段,金额,创建时间,关闭时间\n"
    "d1,东莞迅锋仪器仪表有限公司,91441900010472917L,赢单,5000,2026-08-10 09:00:00,2026-09-01 09:00:00\n",
    "orders/orders.csv": "订单编号,商机编号,签订日期,金额\no1,d1,2026-09-01,5000\n",
    "payments/payments.csv": "回款编号,订单编号,回款日期,金额\np1,o1,2026-09-15,5000\n",
}
GOOD_TOUCH = "g{0},c2,m2,visit,2026-08-05 10:00:00\n"
TOUCH_HEADER = "touch_id,contact_id,campaign_id,type,occurred_at\n"
RAGGED = "r1,c2,m2,visit,2026-08-05 10:00:00,and one cell too many\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and all that it printed."""

    code: int
    out: str
    err: str


def abmloop(*arguments: str | Path) -> Ended:
    """Carry out `abmloop …` in this process, as the command line does. A traceback is never what a user may see."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    logger, before = logging.getLogger("abmloop"), sys.argv
    handlers = list(logger.handlers)
    sys.argv = ["abmloop", *map(str, arguments)]
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            command.main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
        logger.handlers[:] = handlers
        atexit.unregister(command._end_quietly)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))
    ended = Ended(code, *texts)
    assert "Traceback" not in ended.out + ended.err
    assert ended.code != 70, ended.err
    return ended


def put(root: Path, name: str, text: str) -> None:
    target = root / "inbox" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sync(root: Path, *more: str) -> Ended:
    return abmloop("sync", "--local", "--workspace", root, "--as-of", DAY, *more)


@dataclass(frozen=True)
class First:
    """A workspace made by `init`, filled with a few rows and synced without a push, and how these two ended."""

    root: Path
    init: Ended
    sync: Ended


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    root = tmp_path_factory.mktemp("cli") / "my-company"
    made = abmloop("init", root)
    sources = root / "config" / "sources.yaml"
    # Files of a test are written at once: no need to wait whether they still grow.
    sources.write_text(sources.read_text(encoding="utf-8").replace("settle_seconds: 2", "settle_seconds: 0"), "utf-8")
    for name, text in FILES.items():
        put(root, name, text)
    return First(root, made, sync(root, "--push", "off"))


@pytest.fixture
def mine(first: First, tmp_path: Path) -> Path:
    """A copy of the first workspace, to be changed."""
    return Path(shutil.copytree(first.root, tmp_path / "my-company"))


def test_the_command_stands_by_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "--version"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "abmloop")


# --- init


def test_init_writes_settings_and_rules_with_comments_and_an_inbox(first: First) -> None:
    assert first.init.code == 0
    assert "abmloop sync" in first.init.out
    for path in [first.root / "abmloop.yaml", *(first.root / "config").glob("*.yaml")]:
        assert "#" in path.read_text(encoding="utf-8"), path.name
    assert (first.root / "inbox" / "companies").is_dir()


def test_init_refuses_a_folder_that_is_a_workspace_already(mine: Path) -> None:
    (mine / "abmloop.yaml").write_text("name: precious\n", encoding="utf-8")
    again = abmloop("init", mine)
    assert (again.code, "workspace already" in again.err) == (2, True)
    assert (mine / "abmloop.yaml").read_text(encoding="utf-8") == "name: precious\n"


def test_a_folder_that_is_no_workspace_is_told_how_to_become_one(tmp_path: Path) -> None:
    ended = abmloop("sync", "--local", "--workspace", tmp_path)
    assert ended.code == 2
    assert "abmloop init" in ended.err


# --- sync


def test_a_sync_of_good_files_ends_with_0_and_says_where_to_look(first: First) -> None:
    assert first.sync.code == 0, first.sync.out + first.sync.err
    for said in (
        "What came in",
        "contacts/people.csv",
        "The five best campaigns",
        "report.html",
        "abmloop explain lead",
    ):
        assert said in first.sync.out
    assert "Some rows were refused" not in first.sync.out


def test_the_loop_is_closed_from_files_to_roi(first: First) -> None:
    roi = "select roi from marts.campaign_roi where campaign_id = 'm1' and model = 'linear' and basis = 'cash'"
    assert ask(first.root, roi) == [(4.0,)]


def test_the_report_shows_hostile_names_as_text(first: First) -> None:
    page = (first.root / "reports" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7000003}}" in page
    assert "<script" not in page


def test_a_sync_that_refuses_rows_ends_with_1_and_loses_nothing(mine: Path) -> None:
    put(mine, "touches/more.csv", TOUCH_HEADER + "".join(GOOD_TOUCH.format(n) for n in range(30)) + RAGGED)
    put(mine, "costs/unknown.csv", "foo,bar\n1,2\n")
    ended = sync(mine, "--push", "off")
    assert ended.code == 1, ended.err
    assert "ragged" in ended.out
    assert "Refused whole: inbox/costs/unknown.csv" in ended.out
    assert ask(mine, "select line, rule from quality.quarantine") == [(32, "ragged")]
    assert ask(mine, "select count(*) from core.touches where campaign_id = 'm2'") == [(30,)]
    assert sync(mine, "--push", "off").code == 0, "a later run without refused rows of its own is a good run"


def test_a_broken_gate_ends_with_3_and_nothing_is_published_or_pushed(mine: Path) -> None:
    before = file_hash(published_path(mine))
    put(mine, "touches/half.csv", TOUCH_HEADER + "".join(GOOD_TOUCH.format(n) for n in range(21)) + RAGGED * 21)
    ended = sync(mine, "--push", "apply")
    assert ended.code == 3
    for said in ("touches/half.csv", "0.5", "quarantine_hold_share"):
        assert said in ended.err
    assert file_hash(published_path(mine)) == before
    assert exported_records(mine) == {}


def test_a_broken_rules_file_ends_with_2_and_names_file_and_line(mine: Path) -> None:
    path = mine / "config" / "icp.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.rstrip("\n") + "\nbrake_it: 1\n", encoding="utf-8")
    line = len(path.read_text(encoding="utf-8").splitlines())
    ended = sync(mine)
    assert ended.code == 2
    assert f"icp.yaml:{line}: brake_it" in ended.err
    told = abmloop("doctor", "--workspace", mine)
    assert (told.code, f"icp.yaml:{line}" in told.out) == (2, True)


def test_broken_settings_end_with_2_and_name_file_and_line(mine: Path) -> None:
    (mine / "abmloop.yaml").write_text("name: x\ntimezone: Asia/Shangri-La\n", encoding="utf-8")
    ended = sync(mine)
    assert ended.code == 2
    assert "abmloop.yaml:2: timezone" in ended.err


def test_a_second_run_while_the_first_goes_on_ends_with_5(mine: Path) -> None:
    with open_run(mine, AS_OF) as run:
        ended = sync(mine)
    assert ended.code == 5
    assert run.run_id in ended.err


def test_an_unknown_step_is_answered_with_those_there_are(mine: Path) -> None:
    ended = sync(mine, "--only", "nonsense")
    assert ended.code == 2
    assert "resolve" in ended.err


# --- push


def decided(root: Path) -> dict[str, int]:
    """Rows of what a push could write in the ledger, by table."""
    with Ledger.of(root, load_settings(root).ledger_url) as ledger:
        return {name: ledger.read(name).num_rows for name in ("outbox", "deliveries", "exports", "stage_transitions")}


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_hash(path) for path in folder.rglob("*") if path.is_file()}


def test_push_plan_prints_what_apply_would_send_and_writes_nothing(mine: Path) -> None:
    before, exports = decided(mine), tree(mine / "exports")
    ended = abmloop("push", "--plan", "--workspace", mine, "--as-of", DAY)
    assert ended.code == 0
    assert "contacts: 1 to create" in ended.out
    assert (decided(mine), tree(mine / "exports")) == (before, exports)
    listed = abmloop("push", "--plan", "--json", "--workspace", mine, "--as-of", DAY)
    assert {row["object"] for row in json.loads(listed.out)} >= {"contacts", "leads"}


def test_push_apply_twice_sends_once(mine: Path) -> None:
    assert abmloop("push", "--apply", "--workspace", mine, "--as-of", DAY).code == 0
    sent, exports = exported_records(mine), tree(mine / "exports")
    assert sent
    assert set(sent.values()) == {1}
    again = abmloop("push", "--apply", "--workspace", mine, "--as-of", DAY)
    assert again.code == 0
    assert (exported_records(mine), tree(mine / "exports")) == (sent, exports)
    plan = abmloop("push", "--plan", "--workspace", mine, "--as-of", DAY)
    assert "nothing to send" in plan.out


def test_push_wants_to_know_which(mine: Path) -> None:
    assert abmloop("push", "--workspace", mine).code == 2
    assert abmloop("push", "--plan", "--apply", "--workspace", mine).code == 2


# --- looking


def key_of(root: Path, sql: str) -> str:
    return str(ask(root, sql)[0][0])


EXPLAINED = {
    "account": (
        "select account_id from resolved.account_members group by all having count(*) > 2 order by 1 limit 1",
        ("companies/", "landed 2026-10-31", "Fit:"),
        ("companies/", "入库 2026-10-31", "匹配度"),
    ),
    "person": (
        "select person_id from matched.person_accounts where decision = 'auto' order by 1 limit 1",
        ("decided by", "for it:"),
        ("自动确定", "支持"),
    ),
    "lead": (
        "select lead_id from scored.lead_stages where stage = 'mql' order by 1 limit 1",
        ("Score", "points", "Stages", "mql"),
        ("评分", "阶段历史", "MQL（市场合格）"),
    ),
    "deal": (
        "select deal_id from scored.credits where basis = 'cash' and touch_id is not null order by 1 limit 1",
        ("Journey", "Credits by model", "linear", "first touch"),
        ("触达历程", "各模型的归因", "首次触达"),
    ),
    "campaign": (
        "select campaign_id from scored.credits where campaign_id like 'C0%' order by 1 limit 1",
        ("Cost", "ROI", "What it earned by"),
        ("成本", "ROI", "归因的"),
    ),
}


@pytest.mark.parametrize("kind", EXPLAINED)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_explain_says_why_in_both_languages(synced: Path, kind: str, language: str) -> None:
    sql, english, chinese = EXPLAINED[kind]
    ended = abmloop("explain", kind, key_of(synced, sql), "--workspace", synced, "--language", language)
    assert ended.code == 0
    assert [said for said in (english if language == "en" else chinese) if said not in ended.out] == []


@pytest.mark.parametrize("kind", EXPLAINED)
def test_explain_of_what_is_not_there_says_how_to_find_it(synced: Path, kind: str) -> None:
    ended = abmloop("explain", kind, "nobody", "--workspace", synced)
    assert ended.code == 2
    assert "nobody" in ended.err
    assert "abmloop sql" in ended.err


def test_the_match_queue_is_worked_from_the_terminal_and_as_a_sheet(copy: Path) -> None:
    listed = json.loads(abmloop("review", "list", "-w", copy, "--json").out)
    first, second = listed[0]["person_id"], listed[1]["person_id"]
    accepted = abmloop("review", "accept", first, "-w", copy, "--reason", "card")
    assert (accepted.code, accepted.out[:1]) == (0, "D")
    decided = json.loads(abmloop("review", "list", "--decided", "-w", copy, "--json").out)
    assert [(row["person_id"], row["verdict"], row["reason"]) for row in decided] == [(first, "accept", "card")]
    sheet = copy / "review.csv"
    assert "review import" in abmloop("review", "export", "-w", copy, "--out", sheet).out
    rows = list(csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[1][rows[0].index("Person id")] == second, "what is decided has left the queue"
    rows[1][0] = "nonsense"
    sheet.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows), encoding="utf-8")
    refused = abmloop("review", "import", sheet, "-w", copy)
    assert (refused.code, "review.csv, line 2, column Decision: 'nonsense'" in refused.err) == (2, True)
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("nonsense", "拒绝"), encoding="utf-8")
    assert "1 decided" in abmloop("review", "import", sheet, "-w", copy).out
    undone = abmloop("review", "undo", decided[0]["decision_id"], "-w", copy, "--language", "zh")
    assert "不再生效" in undone.out


def test_sql_answers_as_a_table_and_as_json(synced: Path) -> None:
    query = "select deal_id, amount from core.deals order by deal_id limit 2"
    assert "D000001" in abmloop("sql", query, "--workspace", synced).out
    rows = json.loads(abmloop("sql", query, "--json", "--workspace", synced).out)
    assert [row["deal_id"] for row in rows] == ["D000001", "D000002"]


def test_sql_writes_a_file_where_asked(synced: Path, tmp_path: Path) -> None:
    out = tmp_path / "deals.csv"
    assert abmloop("sql", "select deal_id from core.deals", "--workspace", synced, "--out", out).code == 0
    with out.open(newline="", encoding="utf-8") as handle:
        assert len(list(csv.DictReader(handle))) == ask(synced, "select count(*) from core.deals")[0][0]


@pytest.mark.parametrize("query", ["selec 1", "select * from marts.campain_roi", "drop table core.deals"])
def test_wrong_sql_ends_with_2_and_says_what_there_is(synced: Path, query: str) -> None:
    ended = abmloop("sql", query, "--workspace", synced)
    assert ended.code == 2
    assert "marts.dictionary" in ended.err


def test_the_quarantine_is_listed_by_rule_and_shown_by_place(synced: Path) -> None:
    rules = json.loads(abmloop("quarantine", "list", "--json", "--workspace", synced).out)
    assert sum(row["rows"] for row in rules) == ask(synced, "select count(*) from quality.quarantine")[0][0]
    rows = json.loads(abmloop("quarantine", "show", "ragged", "--json", "--workspace", synced).out)
    assert {row["rule"] for row in rows} == {"ragged"}
    assert all(row["file_name"] and row["line"] and row["message"] and row["hint"] for row in rows)


def test_doctor_finds_a_good_workspace_well(first: First) -> None:
    ended = abmloop("doctor", "--json", "--workspace", first.root)
    rows = json.loads(ended.out)
    assert ended.code == 0
    assert {row["asked"] for row in rows} >= {"python", "configuration", "disk", "lease", "warehouse", "outbox"}
    assert [row for row in rows if row["state"] == "bad"] == []


def test_status_tells_the_last_runs(first: First) -> None:
    rows = json.loads(abmloop("status", "--json", "--workspace", first.root).out)
    assert [(row["as of"], row["state"]) for row in rows] == [(DAY, "done")]


# --- judgements on plain files


def test_match_finds_the_companies_of_people_in_plain_files(tmp_path: Path) -> None:
    for name in ("companies/list.csv", "contacts/people.csv"):
        (tmp_path / Path(name).name).write_text(FILES[name], encoding="utf-8")
    out = tmp_path / "matches.csv"
    ended = abmloop("match", tmp_path / "list.csv", tmp_path / "people.csv", "--out", out)
    assert ended.code == 0, ended.err
    with out.open(newline="", encoding="utf-8") as handle:
        rows = {row["contact_id"]: row for row in csv.DictReader(handle)}
    assert {row["decision"] for row in rows.values()} == {"auto"}
    assert (rows["c1"]["account_id"], rows["c2"]["account_id"]) == ("91441900010472917L", "91320100MAM8E1572C")
    assert all(row["evidence"] for row in rows.values())


def test_attribute_shares_deals_of_plain_files_to_the_cent(tmp_path: Path) -> None:
    touches, deals, out = tmp_path / "touches.csv", tmp_path / "deals.csv", tmp_path / "credits.csv"
    touches.write_text(
        "touch_id,account_id,campaign_id,channel,occurred_at\n"
        "t1,A,m1,ad,2026-03-01\nt2,A,m2,webinar,2026-03-02\nt3,A,m3,event,2026-03-03\n",
        encoding="utf-8",
    )
    deals.write_text(
        "deal_id,account_id,amount,created_at,closed_at,status\nd1,A,100.00,2026-03-04,2026-03-10,won\n",
        encoding="utf-8",
    )
    ended = abmloop("attribute", touches, deals, "--model", "linear", "--out", out)
    assert ended.code == 0, ended.err
    with out.open(newline="", encoding="utf-8") as handle:
        shares = sorted(row["credit"] for row in csv.DictReader(handle))
    assert shares == ["33.33", "33.33", "33.34"]
    wrong = abmloop("attribute", touches, deals, "--model", "wishful", "--out", out)
    assert wrong.code == 2
    assert "linear" in wrong.err


def test_attribute_paths_shares_conversions_among_channels(tmp_path: Path) -> None:
    paths, out = tmp_path / "paths.csv", tmp_path / "channels.csv"
    paths.write_text(
        "path,total_conversions,total_conversion_value,total_null\nad > email,2,200,1\nemail,1,100,3\n",
        encoding="utf-8",
    )
    for model in ("linear", "markov", "shapley"):
        ended = abmloop("attribute-paths", paths, "--model", model, "--out", out)
        assert ended.code == 0, ended.err
        with out.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        shared = {row["channel"]: float(row["value"]) for row in rows if row["metric"] == "conversions"}
        assert set(shared) == {"ad", "email"}
        assert sum(shared.values()) == pytest.approx(3)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = abmloop("match", tmp_path / "none.csv", tmp_path / "nobody.csv", "--out", tmp_path / "out.csv")
    assert ended.code == 2
    assert "none.csv" in ended.err
