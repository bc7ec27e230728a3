"""Lists of companies follow the directory: whoever merged since is one company, by its old name and its new one."""

from typing import Any

import pyarrow as pa
import pytest

from abmloop.run import Run
from scoring.audiences.platforms import platforms
from scoring.policies.audiences import ListRule
from tasks.outbound.consent.gate import naive_utc
from tasks.outbound.consent.suppress import Why, suppress_all
from tasks.outbound.lists.desk import open_list
from tasks.outbound.lists.export import Asked, Parcel, export_list
from tasks.outbound.lists.members import active_members, read_exports
from tests.unit.outbound.conftest import CONSENTS
from tests.unit.outbound.list_world import lines_of, rule
from warehouse.secret import make_secret
from warehouse.steps import step

TEXT = ("account_id", "hold", "name", "name_en", "uscc", "domain", "industry", "city", "province", "country", "became")
TYPES = {"domains": pa.list_(pa.string()), "is_customer": pa.bool_()}
KEYS = pa.schema([(name, pa.string()) for name in ("key_kind", "key_value", "person_id")])
MADE = rule(kind="company", platform="linkedin")


def company(name: str, **more: Any) -> dict[str, Any]:
    found = {"account_id": f"A{name}", "name": f"{name}公司", "domain": f"{name}.cn", "country": "CN", **more}
    return {"domains": [found["domain"]], "is_customer": False, **found}


def directory(run: Run, companies: list[dict[str, Any]], former: list[dict[str, Any]] | None = None) -> None:
    """The directory of one day: companies, and ids that companies bore before."""
    tables = {"marts.outbound_companies": companies, "marts.outbound_former_companies": former or []}
    schema = pa.schema([*((name, pa.string()) for name in TEXT), *TYPES.items()])
    given = {name: pa.Table.from_pylist(rows, schema) for name, rows in tables.items()}
    given["marts.outbound_companies"] = given["marts.outbound_companies"].drop_columns(["became"])
    given["marts.outbound_former_companies"] = given["marts.outbound_former_companies"].drop_columns([*TYPES, "hold"])
    given |= {"marts.outbound_people": pa.table({"person_id": pa.array([], pa.string())})}
    given |= {"matched.person_keys": KEYS.empty_table(), "core.consents": CONSENTS.empty_table()}
    given |= {"marts.outbound_company_keys": KEYS.empty_table()}
    with step(run, "given") as work:
        for name, rows in given.items():
            work.con.register("given_rows", rows)
            work.execute(f"create or replace table {name} as select * from given_rows")
            work.con.unregister("given_rows")


def make(run: Run, made: ListRule = MADE, is_withdrawal: bool = False) -> list[Parcel]:
    with step(run, "make_list") as work:
        return export_list(open_list(run, work, made, is_withdrawal), run, work.ledger, Asked("tester"))[1]


def standing(run: Run) -> set[str | None]:
    with step(run, "look") as work:
        members = active_members(work.ledger, read_exports(work.ledger), MADE.id, naive_utc(run.at))
    return {one.person_id for one in members.values()}


def names(parcel: Parcel) -> set[str]:
    return {row["companyname"] for row in lines_of(parcel.path)}


@pytest.fixture
def merged(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """甲 and 乙 came on a list; then the directory learned that 甲 is 乙."""
    monkeypatch.setitem(platforms()["linkedin"].__dict__, "minimum", 0)
    make_secret(run.root, {})
    directory(run, [company("甲"), company("乙"), company("丙")])
    assert names(make(run)[0]) == {"甲公司", "乙公司", "丙公司"}
    one = company("乙", domains=["乙.cn", "甲.cn"])
    old = {name: value for name, value in company("甲", became="A乙").items() if name not in TYPES}
    directory(run, [one, company("丙")], [old])
    return run


def test_a_company_that_merged_stays_on_the_list_with_the_one_it_became(merged: Run) -> None:
    assert make(merged) == []
    assert standing(merged) == {"A甲", "A乙", "A丙"}


@pytest.mark.parametrize("said_of", ["甲.cn", "乙.cn"])
@pytest.mark.parametrize("is_withdrawal", [True, False])
def test_p44_a_refusal_takes_a_merged_company_off_by_its_old_name_and_its_new_one(
    merged: Run, said_of: str, is_withdrawal: bool
) -> None:
    with step(merged, "stop") as work:
        suppress_all(work.ledger, merged.root, [("domain", said_of)], Why("asked by letter"), merged)
    [parcel] = make(merged, is_withdrawal=is_withdrawal)
    assert (parcel.action, names(parcel)) == ("remove", {"甲公司", "乙公司"})
    assert standing(merged) == {"A丙"}
    assert make(merged, is_withdrawal=is_withdrawal) == []


def test_p44_the_one_it_became_comes_on_by_its_own_name_and_both_leave_together(merged: Run) -> None:
    # 丁 was on the list before it was known to be 戊, which was not.
    directory(merged, [company("丁"), company("丙")])
    make(merged)
    old = {name: value for name, value in company("丁", became="A戊").items() if name not in TYPES}
    directory(merged, [company("戊", domains=["戊.cn", "丁.cn"]), company("丙")], [old])
    [parcel] = make(merged)
    assert (parcel.action, names(parcel)) == ("add", {"戊公司"})
    assert {"A丁", "A戊"} <= standing(merged)
    directory(merged, [company("戊", hold="company_closed"), company("丙")], [old])
    [parcel] = make(merged)
    assert (parcel.action, names(parcel)) == ("remove", {"丁公司", "戊公司"})


def test_p44_who_merged_before_they_came_off_is_named_by_today_s_name_too(merged: Run) -> None:
    directory(merged, [company("丁"), company("丙")])
    make(merged)
    old = {name: value for name, value in company("丁", became="A戊").items() if name not in TYPES}
    directory(merged, [company("戊"), company("丙")], [old])
    with step(merged, "stop") as work:
        suppress_all(work.ledger, merged.root, [("domain", "戊.cn")], Why("asked by letter"), merged)
    [parcel] = make(merged, is_withdrawal=True)
    assert names(parcel) == {"丁公司", "戊公司"}
