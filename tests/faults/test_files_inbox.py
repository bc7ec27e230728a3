"""Catalogue F11, F19-F21, F23 of bad inputs: what the inbox does to us, seen from the warehouse."""

from datetime import date
from pathlib import Path

import pytest

from tasks.land.inbox import InboxFile, hash_file, list_inbox, wait_until_settled
from tests.unit.land.landed import ask, configure, drop, everything, land_day

PEOPLE = "姓名,手机\n张三,13800138000\n李四,13900139000\n"


@pytest.fixture(autouse=True)
def _no_waiting(workspace: Path) -> None:
    configure(workspace, "")


def test_f11_an_empty_file_is_refused_and_the_others_are_landed(workspace: Path) -> None:
    drop(workspace, "contacts/empty.csv", "")
    drop(workspace, "contacts/people.csv", PEOPLE)
    counts = land_day(workspace).counts
    assert (counts["files_loaded"], counts["files_refused"], counts["rows_out"]) == (1, 1, 2)
    assert ask(workspace, "select message from ops.files where status = 'refused'") == [
        ("inbox/contacts/empty.csv: the file is empty (0 bytes). Export it again.",)
    ]


def test_f19_unfinished_copies_are_not_ready(workspace: Path) -> None:
    for name in ("~$people.xlsx", "people.csv.part", "people.csv.crdownload", "people.tmp"):
        drop(workspace, f"contacts/{name}", "")
    drop(workspace, "contacts/.DS_Store", "x")
    counts = land_day(workspace).counts
    assert (counts["files_not_ready"], counts["files_seen"], counts["files_read"]) == (4, 0, 0)


def test_f19_a_file_that_grows_while_we_look_is_not_ready(workspace: Path) -> None:
    path = drop(workspace, "contacts/people.csv", PEOPLE)
    found = list_inbox(workspace / "inbox").files
    path.write_text(PEOPLE + "王五,1\n", encoding="utf-8")
    settled, growing = wait_until_settled(found, 0.5)
    assert (settled, growing) == ([], found)
    assert hash_file(found[0]) is None


def test_f19_a_done_marker_saves_the_wait(workspace: Path) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE)
    drop(workspace, "contacts/people.csv.done", "")
    found = list_inbox(workspace / "inbox").files
    assert [file.file_name for file in found] == ["contacts/people.csv"]
    assert wait_until_settled(found, 3600) == (found, [])


def test_f20_the_same_file_twice_and_under_another_name_is_loaded_once(workspace: Path) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE)
    first = land_day(workspace).counts
    drop(workspace, "contacts/again.csv", PEOPLE)
    before = everything(workspace)
    second = land_day(workspace).counts
    assert (first["rows_out"], second["rows_out"], second["files_same_content"]) == (2, 0, 1)
    assert everything(workspace) == before


def test_f20_a_corrected_file_of_the_same_day_stands_beside_the_first(workspace: Path) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE)
    land_day(workspace)
    drop(workspace, "contacts/people.csv", PEOPLE.replace("李四", "李四四"))
    assert land_day(workspace).counts["rows_out"] == 2
    newest = (
        "select list(name order by landed_on desc, sequence desc nulls last) from raw.contacts where mobile like '139%'"
    )
    assert ask(workspace, newest) == [(["李四四", "李四"],)], "the correction is newer, though of the same day"
    assert ask(workspace, "select count(*), count(distinct file_sha), count(distinct row_hash) from raw.contacts") == [
        (4, 2, 3)
    ]


def test_f20_editions_of_a_list_are_one_source_and_the_later_name_is_newer(workspace: Path) -> None:
    for name in ("名单.csv", "名单 (2).csv", "名单_20260301.csv"):
        drop(workspace, f"companies/{name}", f"企业名称,电话\n甲公司,{len(name)}\n")
    land_day(workspace)
    order = "source_date desc nulls last, sequence desc nulls last"
    newest = f"select distinct source, first(file_name order by {order}) over ()"
    assert ask(workspace, f"{newest} from raw.companies") == [("名单", "companies/名单_20260301.csv")]


def test_f20_two_tools_that_number_their_people_alike_are_told(
    workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for tool, digit in (("问卷", 8), ("直播", 9)):
        rows = "".join(f"{n},{tool}{n},1{digit}00000000{n}\n" for n in range(4))
        drop(workspace, f"contacts/{tool}.csv", f"用户ID,姓名,手机\n{rows}")
    land_day(workspace)
    assert "give the same numbers to different people (4 of them, such as 0)" in caplog.text


def test_f11_an_empty_file_of_a_whole_list_deletes_nothing(workspace: Path) -> None:
    configure(workspace, "sources: [{name: crm, files: ['companies/*'], snapshot: full}]\n")
    drop(workspace, "companies/crm_1.csv", "企业名称\n甲公司\n")
    land_day(workspace, date(2026, 1, 1))
    drop(workspace, "companies/crm_2.csv", "企业名称\n")
    assert land_day(workspace, date(2026, 1, 2)).counts["files_refused"] == 1
    assert ask(workspace, "select name from raw.companies") == [("甲公司",)]


def test_s01_a_source_may_have_limits_of_its_own_and_raising_them_reads_the_file(workspace: Path) -> None:
    limited = "sources: [{name: s, files: ['contacts/small*'], limits: {rows: %d}}]\n"
    configure(workspace, limited % 1)
    drop(workspace, "contacts/small.csv", PEOPLE)
    drop(workspace, "contacts/large.csv", PEOPLE.replace("三", "四"))
    counts = land_day(workspace).counts
    assert (counts["files_loaded"], counts["files_refused"]) == (1, 1)
    configure(workspace, limited % 2)
    assert land_day(workspace).counts["rows_out"] == 2


STRANGE = [
    "a" * 250 + ".csv",
    "😀.csv",
    "x\u202ecsv.csv",
    "-rf.csv",
    "CON.csv",
    "=cmd|' /C calc'!A0.csv",
    "a b'\"; drop.csv",
    "..csv",
]


def test_f21_s06_strange_file_names_are_only_data(workspace: Path) -> None:
    for number, name in enumerate(STRANGE):
        drop(workspace, f"contacts/{name}", f"姓名,手机\n张{number},1380013800{number}\n")
    land_day(workspace)
    found = {name for (name,) in ask(workspace, "select file_name from raw.contacts")}
    visible = {f"contacts/{name}" for name in STRANGE if not name.startswith(".")}
    assert found == visible
    stored = [path.name for path in (workspace / "raw").rglob("*") if path.is_file()]
    assert stored and all(name.split(".")[0].isalnum() and len(name.split(".")[0]) == 64 for name in stored)


def test_f21_s07_links_are_not_followed(workspace: Path) -> None:
    secret = workspace.parent / "secret.csv"
    secret.write_text(PEOPLE, encoding="utf-8")
    (workspace / "inbox" / "contacts").mkdir()
    (workspace / "inbox" / "contacts" / "link.csv").symlink_to(secret)
    (workspace / "inbox" / "deals").symlink_to(workspace.parent)
    counts = land_day(workspace).counts
    assert (counts["files_seen"], counts["files_links"]) == (0, 2)
    linked = workspace / "inbox" / "contacts" / "link.csv"
    assert hash_file(InboxFile(linked, "contacts/link.csv", linked.stat().st_size, linked.stat().st_mtime_ns)) is None


def test_f21_a_folder_that_is_no_entity_says_which_there_are(workspace: Path) -> None:
    drop(workspace, "people/x.csv", PEOPLE)
    land_day(workspace)
    ((message,),) = ask(workspace, "select message from ops.files")
    assert message.startswith("inbox/people/x.csv: the folder people is no entity and no source in config/sources.yaml")
    (workspace / "inbox" / "contacts").mkdir()
    (workspace / "inbox" / "people" / "x.csv").rename(workspace / "inbox" / "contacts" / "x.csv")
    assert land_day(workspace).counts["rows_out"] == 2


def test_f23_new_columns_are_kept_raw_and_a_lost_mapped_one_is_told(workspace: Path) -> None:
    configure(
        workspace,
        "sources: [{name: crm, files: ['contacts/*'], entities: [{entity: contacts, columns: {city: 城市名}}]}]\n",
    )
    drop(workspace, "contacts/jan.csv", "姓名,手机,城市名\n张三,1,深圳\n")
    drop(workspace, "contacts/feb.csv", "姓名,手机,评分\n张三,1,A\n")
    land_day(workspace)
    assert ask(workspace, "select city, extra from raw.contacts order by city") == [
        ("深圳", None),
        (None, '{"评分":"A"}'),
    ]
    assert ask(workspace, "select message from ops.files where message is not null") == [
        ("config/sources.yaml maps city to '城市名', which this file does not have.",)
    ]


def test_f20_the_raw_store_alone_rebuilds_what_was_landed_until_a_day(workspace: Path) -> None:
    drop(workspace, "contacts/jan.csv", PEOPLE + "x,\n")
    drop(workspace, "contacts/bad.xlsx", PEOPLE)
    land_day(workspace, date(2026, 1, 31))
    january = everything(workspace)
    drop(workspace, "companies/feb.csv", "企业名称\n甲公司\n")
    land_day(workspace, date(2026, 2, 28))
    february = everything(workspace)
    for path in (workspace / "state").glob("warehouse*"):
        path.unlink()
    for path in sorted((workspace / "inbox").rglob("*.*")):
        path.unlink()
    land_day(workspace, date(2026, 2, 28))
    assert everything(workspace) == february
    land_day(workspace, date(2026, 1, 31))
    assert everything(workspace) == january
