"""Catalogue E (identity, match), through the steps themselves: land, parse, resolve, segment, match."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.csv as arrow_csv
import pytest

from abmloop.errors import BadUsage
from abmloop.run import Person, Run
from tasks.explain.person import explain_person
from tasks.find_account import FoundAccount, find_account
from tasks.loop import run_steps
from tasks.match.decisions import record_review, undo_review
from tasks.match.files import match_files
from tasks.runs import open_run
from warehouse.hashes import table_hashes
from warehouse.ledger import Ledger
from warehouse.steps import step

STEPS = ("land", "parse", "resolve", "segment", "match")
COMPANIES = """企业名称,统一社会信用代码,所属省份,所属城市,网址,简称
江苏宏微科技股份有限公司,91320411790880099C,江苏省,常州市,www.macmicst.com,宏微科技
江西特种电机股份有限公司,,江西省,宜春市,,
义乌市九洲汽车销售有限公司,,浙江省,金华市,,
"""
CONTACTS = """contact_id,姓名,公司,职位,邮箱,手机,省份,城市
c1,王明,宏微科技,采购总监,wang@macmicst.com,13800138001,江苏,常州
c2,李四,江特电机,,li@qq.com,13800138002,,
c3,赵六,南通市九洲汽车销售有限公司,,,13800138003,江苏,南通
c4,钱七,无,,,13800138003,,
"""
# The same people in another order, script, width and case, some of them twice.
OTHERWISE = """contact_id,姓名,公司,职位,邮箱,手机,省份,城市
c4,錢七,無,,,１３８ ００１３ ８００３,,
c3,趙六,南通市九洲汽車銷售有限公司,,,+86 13800138003,江蘇,南通
ｃ２,李四,江特電機,,ＬＩ＠qq.com,138-0013-8002,,
c1,王明,宏微科技,采购总监,Wang@MACMICST.com,008613800138001,江蘇省,常州市
c1,王明,宏微科技,采购总监,Wang@MACMICST.com,008613800138001,江蘇省,常州市
"""
CONSENTS = "mobile,channel,status,given_at\n13800138002,email,refused,2026-03-03\n"
NEXT_DAY = date(2026, 11, 1)
LATER = {
    "companies/more.csv": "企业名称,所属省份,所属城市\n南通市九洲汽车销售有限公司,江苏省,南通市\n",
    "contacts/more.csv": "contact_id,姓名,公司,邮箱,手机\nc1,王明,江西特种电机股份有限公司,wangming@jxtz.cn,\n"
    "c77,李四,江特,,13800138002\nc9,孙八,江特电机,sun@qq.com,\n",
    "touches/edm.csv": "touch_id,邮箱,类型,时间\n"
    "t1,wang@macmicst.com,click,2026-10-01\nt2,wang@macmicst.com,click,2026-11-05\n",
}
BY = Person("wang", date(2026, 10, 31))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three companies, four contacts and a refusal, matched once."""
    root = tmp_path_factory.mktemp("matched") / "workspace"
    for entity, text in (("companies", COMPANIES), ("contacts", CONTACTS), ("consents", CONSENTS)):
        (root / "inbox" / entity).mkdir(parents=True)
        (root / "inbox" / entity / "list.csv").write_text(text, encoding="utf-8")
    (root / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    matched(root)
    return root


@pytest.fixture
def filled(first: Path, tmp_path: Path) -> Path:
    """That workspace, to be changed."""
    return Path(shutil.copytree(first, tmp_path / "workspace"))


@dataclass(frozen=True)
class Later:
    """The workspace a day later: its matches before and after."""

    root: Path
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]

    def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of its warehouse."""
        with warehouse(self.root) as con:
            return con.execute(sql, list(parameters)).fetchall()


@pytest.fixture(scope="module")
def later(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Later:
    """c2's match was accepted; c1 has moved, c2 comes again as c77, c9 writes as c2 did, c3's company is in a list."""
    root = Path(shutil.copytree(first, tmp_path_factory.mktemp("later") / "workspace"))
    before = at_first(root)
    with Ledger.of(root) as ledger, warehouse(root) as con:
        record_review(con, ledger, BY, before["c2"]["person_id"], "accept")
    for name, text in LATER.items():
        (root / "inbox" / name).parent.mkdir(exist_ok=True)
        (root / "inbox" / name).write_text(text, encoding="utf-8")
    with open_run(root, NEXT_DAY) as run:
        run_steps(run, only=(*STEPS, "build_core"))
        return Later(root, before, matches(run))


def at_first(root: Path) -> dict[str, dict[str, Any]]:
    """Contact id → its person and match, as the last run left them."""
    with open_run(root, BY.as_of) as run:
        return matches(run)


def matched(root: Path, *only: str) -> dict[str, dict[str, Any]]:
    """Run the steps; contact id → its person and match."""
    with open_run(root, BY.as_of) as run:
        run_steps(run, only=only or STEPS)
        return matches(run)


def matches(run: Run) -> dict[str, dict[str, Any]]:
    with step(run, "look") as work:
        rows = work.query(
            """
            select contacts.contact_id, matches.*, accounts.name as account_name
            from staging.contacts
            join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = contacts.row_id
            join matched.person_accounts as matches using (person_id)
            left join resolved.accounts using (account_id)
            """
        )
    return {row["contact_id"]: row for row in rows.to_pylist()}


def all_matched(root: Path) -> dict[str, str]:
    """Table → hash of everything that matching gives."""
    with warehouse(root) as con:
        return table_hashes(con, ("matched",))


def warehouse(root: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(next((root / "state").glob("*.duckdb"))), read_only=True)


def explained(root: Path, contact: str, language: str) -> str:
    """What explain says of a contact's person, of whom no mart tells the region."""
    with open_run(root, BY.as_of) as run, step(run, "look") as work:
        work.execute("create table if not exists marts.person_regions as from (values (null, null, null, null)) as none"
                     "(person_id, region, is_disputed, indications)")  # fmt: skip
        return explain_person(work.con, contact, language)


def test_e06_a_decision_survives_every_rerun_and_can_be_undone(filled: Path) -> None:
    before, undecided = at_first(filled)["c2"], all_matched(filled)
    assert (before["decision"], before["account_name"]) == ("review", "江西特种电机股份有限公司")
    with Ledger.of(filled) as ledger, warehouse(filled) as con:
        decision = record_review(con, ledger, BY, before["person_id"], "accept", actor="王", reason="名片")
    for _ in range(2):
        after = matched(filled, "match")["c2"]
        assert (after["decision"], after["method"], after["account_id"]) == (
            "manual",
            "remembered",
            before["account_id"],
        )
    assert "王" in explained(filled, "c2", "zh")
    with Ledger.of(filled) as ledger:
        undo_review(ledger, BY, decision)
    matched(filled, "match")
    assert all_matched(filled) == undecided


def test_e06_not_this_company_is_not_offered_again(filled: Path) -> None:
    before = at_first(filled)["c2"]
    with Ledger.of(filled) as ledger, warehouse(filled) as con:
        record_review(con, ledger, BY, before["person_id"], "reject")
    after = matched(filled, "match")["c2"]
    assert (after["decision"], after["method"], after["account_id"]) == ("none", "rejected", None)


def test_e05_two_contacts_on_one_phone_stay_two_people(filled: Path) -> None:
    found = at_first(filled)
    assert found["c3"]["person_id"] != found["c4"]["person_id"]


def test_a_namesake_of_another_city_is_a_candidate_for_a_new_account_and_says_why(filled: Path) -> None:
    found = at_first(filled)["c3"]
    assert (found["decision"], found["method"]) == ("none", "new_account_candidate")
    told = explained(filled, "c3", "en")
    assert "义乌市九洲汽车销售有限公司" in told
    assert "the region in the name is another" in told


def test_a_refusal_given_by_mobile_stands_on_the_person(filled: Path) -> None:
    person = at_first(filled)["c2"]["person_id"]
    with warehouse(filled) as con:
        rows = con.execute("select person_id from matched.person_rows where entity = 'consents'").fetchall()
    assert rows == [(person,)]


def test_two_files_are_matched_without_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_bytes(COMPANIES.encode("gb18030"))
    (tmp_path / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    summary = match_files(tmp_path / "企业.csv", tmp_path / "contacts.csv", tmp_path / "matches.csv")
    assert (summary["contacts"], summary["companies"], summary["decided"], summary["for_review"]) == (4, 3, 1, 1)
    rows = {row["contact_id"]: row for row in arrow_csv.read_csv(tmp_path / "matches.csv").to_pylist()}
    assert rows["c1"]["account_id"] == "91320411790880099C"
    assert "same_domain" in rows["c1"]["evidence"]


def test_e08_another_order_script_width_and_case_and_repeated_rows_change_nobody(first: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(first / "inbox", root / "inbox")
    (root / "inbox" / "contacts" / "list.csv").write_text(OTHERWISE, encoding="utf-8")
    (root / "ledger").mkdir()
    shutil.copy(first / "ledger" / "suppression.key", root / "ledger")
    shutil.copy(first / "abmloop.yaml", root)
    found = matched(root)
    for contact, before in at_first(first).items():
        told = {name: value for name, value in found[contact].items() if name != "profile_id"}
        assert told == {name: value for name, value in before.items() if name != "profile_id"}, contact


def test_a_person_keeps_the_name_when_the_contact_changes_its_address(later: Later) -> None:
    assert later.after["c1"]["person_id"] == later.before["c1"]["person_id"]
    emails = later.ask("select emails from matched.persons where person_id = ?", later.after["c1"]["person_id"])
    assert emails == [(["wang@macmicst.com", "wangming@jxtz.cn"],)]


def test_e05_who_changes_employer_takes_no_touch_along(later: Later) -> None:
    before, after = (found["c1"]["account_id"] for found in (later.before, later.after))
    assert before != after
    assert later.ask("select account_id from core.touches order by touch_id") == [(before,), (after,)]
    told = later.ask(
        "select known_until, is_primary from matched.employments where person_id = ? order by is_primary",
        later.after["c1"]["person_id"],
    )
    assert told == [(NEXT_DAY, False), (None, True)]


def test_e06_a_decision_holds_for_the_person_under_another_row_and_number(later: Later) -> None:
    found = later.after["c77"]
    assert (found["decision"], found["account_id"]) == ("manual", later.before["c2"]["account_id"])
    assert found["person_id"] == later.before["c2"]["person_id"]


def test_an_accepted_name_is_an_alias_for_the_next_contact(later: Later) -> None:
    found = later.after["c9"]
    assert (found["decision"], found["method"]) == ("auto", "alias")
    assert found["account_id"] == later.before["c2"]["account_id"]


def test_a_new_account_goes_up_in_the_real_one_when_the_directory_knows_the_company(first: Path, later: Later) -> None:
    new, found = later.before["c3"]["new_account_id"], later.after["c3"]
    with warehouse(first) as con:
        assert con.execute("select name, people, made_by from matched.new_accounts").fetchall() == [
            ("南通市九洲汽车销售有限公司", 1, "rule")
        ]
        with pytest.raises(BadUsage, match="南通市九洲汽车销售有限公司, named by 1 people and by no list yet"):
            find_account(con, new)
    assert (found["decision"], found["new_account_id"]) == ("auto", None)
    with warehouse(later.root) as con:
        assert find_account(con, new) == FoundAccount(found["account_id"], new)
