"""From inbox to warehouse: sources, rules that change, kills in between, the real funnel by mapping alone."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from abmloop.errors import BadPolicy
from scoring.policies.sources import SourcesPolicy
from tasks.land.entities import entities
from tasks.land.inspecting import inspect_file
from tasks.land.plans import plan_file, unmapped_source
from tests.faults.forked import in_child
from tests.unit.land.landed import ask, configure, drop, everything, land_day

PEOPLE = "姓名,手机,备注\n张三,13800138000,x\n李四,13900139000,y\n"


@pytest.fixture(autouse=True)
def _no_waiting(workspace: Path) -> None:
    configure(workspace, "")


@pytest.mark.parametrize(
    ("entity", "file_name", "source"),
    [
        ("contacts", "contacts/export.csv", "inbox"),
        ("contacts", "contacts/hubspot/export.csv", "hubspot"),
        ("companies", "companies/企查查导出_3月.csv", "企查查导出"),
        ("companies", "companies/企查查导出_2026-03-01.csv.gz", "企查查导出"),
        ("companies", "companies/20260301.csv", "inbox"),
        ("companies", "companies/qcc/3.csv", "qcc"),
    ],
)
def test_an_unmapped_file_belongs_to_a_source_that_outlives_its_date(entity: str, file_name: str, source: str) -> None:
    assert unmapped_source(entities()[entity], file_name) == source


def test_the_day_of_a_file_is_read_from_its_name() -> None:
    policy = SourcesPolicy.model_validate(
        {"sources": [{"name": "qcc", "files": ["companies/*"], "date": {"in_name": "YYYY-MM-DD"}, "rank": 5}]}
    )
    (plan,) = plan_file(policy, "companies/企查查_2026-03-01.csv")
    assert (plan.day, plan.rank, plan.source) == (date(2026, 3, 1), 5, "qcc")


def test_a_mapping_to_unknown_columns_is_told_before_anything_is_read(workspace: Path) -> None:
    configure(
        workspace,
        "sources: [{name: a, files: ['*'], entities: [{entity: contacts, columns: {nme: x}}, {entity: foo}]}]\n",
    )
    with pytest.raises(BadPolicy, match=r"(?s)contacts has no column 'nme'.*no entity 'foo'"):
        land_day(workspace)


def test_a_changed_mapping_reads_anew_and_keeps_the_first_day(workspace: Path) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE)
    land_day(workspace, date(2026, 1, 1))
    configure(
        workspace,
        "sources: [{name: a, files: ['contacts/*'], entities: [{entity: contacts, columns: {title: 备注}}]}]\n",
    )
    counts = land_day(workspace, date(2026, 1, 2)).counts
    assert (counts["files_read"], counts["files_removed"]) == (1, 1)
    assert ask(workspace, "select title, source, landed_on from raw.contacts order by 1") == [
        ("x", "a", date(2026, 1, 1)), ("y", "a", date(2026, 1, 1))]  # fmt: skip


def test_a_changed_rank_is_noted_without_reading_again(workspace: Path) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE)
    configure(workspace, "sources: [{name: a, files: ['contacts/*'], rank: 3}]\n")
    land_day(workspace)
    configure(workspace, "sources: [{name: a, files: ['contacts/*'], rank: 7}]\n")
    assert land_day(workspace).counts["files_read"] == 0
    assert ask(workspace, "select distinct source_rank from raw.contacts") == [(7,)]
    before = everything(workspace)
    land_day(workspace)
    assert everything(workspace) == before


@pytest.mark.parametrize("point", ["land:rows_kept", "land:manifest_kept", "land:begin", "land:before_commit"])
def test_killed_at_any_boundary_the_next_run_ends_the_same(workspace: Path, point: str) -> None:
    drop(workspace, "contacts/people.csv", PEOPLE + "x,,\n")
    twin = workspace.parent / "twin"
    shutil.copytree(workspace, twin)
    land_day(twin)
    assert in_child(land_day, workspace, {"ABMLOOP_FAULT_POINT": point}) == -9
    from warehouse.ledger import Ledger

    with Ledger.of(workspace) as ledger, ledger.transaction() as transaction:
        transaction.exec_driver_sql("delete from lease")
    land_day(workspace)
    assert everything(workspace) == everything(twin)


def test_inspecting_tells_what_landing_would_do_and_lands_nothing(workspace: Path) -> None:
    path = drop(workspace, "contacts/people.csv", PEOPLE + "x,,\n")
    report = inspect_file(path, "contacts/people.csv", SourcesPolicy(), "zh")
    (about,) = report.entities
    assert (about.rows_in, about.rows_loaded, about.refused_by_rule) == (3, 2, {"missing_one_of": 1})
    assert about.columns == {"name": "姓名", "mobile": "手机"} and about.extra == ["备注"]
    assert about.faults[0][2].startswith("第 4 行：") and not (workspace / "raw").exists()


@pytest.mark.shared_data
def test_the_real_funnel_loads_by_mapping_alone(workspace: Path, shared_data: Path) -> None:
    mapping = Path(__file__).parents[2] / "e2e" / "olist" / "sources.yaml"
    (workspace / "config" / "sources.yaml").write_text(mapping.read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copytree(shared_data / "olist", workspace / "inbox" / "olist")
    assert land_day(workspace).counts["quarantined"] == 0
    assert ask(workspace, "select count(*), count(distinct contact_id) from raw.contacts") == [(5563, 5563)]
    assert ask(workspace, "select count(*), count(*) filter (channel is null) from raw.touches") == [(5563, 35)]
    deals = "select count(*), count(distinct stage), count(amount), any_value(source) from raw.deals"
    assert ask(workspace, deals) == [(562, 1, 0, "olist")]
