"""The catalogue's cases of identity (E01 to E04, E06, E08, V08, V12, V16 to V19), from lists to accounts."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from abmloop.errors import BadUsage
from tasks.explain.account import explain_account
from tests.faults.directory_world import CODE_A, CODE_B, DirectoryWorld

SHENZHEN = {"province": "广东省", "city": "深圳市"}
CHENGDU = {"province": "四川省", "city": "成都市"}


@pytest.fixture
def world(workspace: Path) -> DirectoryWorld:
    return DirectoryWorld(workspace)


def company(key: str, name: str, **more: Any) -> dict[str, Any]:
    return {"source_id": key, "name": name, **more}


def explained(world: DirectoryWorld, key: str, language: str = "en") -> str:
    with world.look() as con:
        return explain_account(con, key, language)


def test_e01_where_sources_disagree_the_better_ranked_wins_and_the_loser_stays_readable(
    world: DirectoryWorld,
) -> None:
    (world.root / "config" / "sources.yaml").write_text(
        "sources:\n"
        "  - {name: crm, files: [companies/crm.csv], rank: 1}\n"
        "  - {name: list, files: [companies/list.csv], rank: 2}\n"
    )
    world.drop("list", company("1", "深圳华信科技有限公司", uscc=CODE_A, employees="50", phone="0755-86013388"))
    world.drop("crm", company("9", "深圳华信科技有限公司", uscc=CODE_A, employees="80"))
    world.sync()
    assert world.ask("select employees, member_count from resolved.accounts") == [(80, 2)]
    told = explained(world, CODE_A)
    assert "employees: 80   ← crm:9  companies/crm.csv:2   [source rank 1 before 2]" in told
    assert "not: 50   (list:1, rank 2," in told
    assert "phone: +8675586013388   ← list:1" in told
    assert "companies/list.csv:2   [nothing else counts here]" in told


def test_e02_a_chain_of_names_never_ties_two_codes_and_the_row_between_goes_to_review(world: DirectoryWorld) -> None:
    name = "深圳华信科技有限公司"
    world.drop("a", company("x", name, uscc=CODE_A, **SHENZHEN), company("y", name, uscc=CODE_B, **SHENZHEN))
    world.drop("b", company("r", name, **SHENZHEN))
    counts = world.sync()
    assert world.companies() == {frozenset("x"), frozenset("y"), frozenset("r")}
    assert counts["rows_kept_apart_for_review"] == 1
    assert world.ask("select event, reason from resolved.account_history") == [
        ("kept_apart", "same_name: same_name, same_city (2 companies)")
    ]


def test_e03_a_circle_of_parents_is_cut_and_names_both_rows(world: DirectoryWorld) -> None:
    world.drop(
        "a",
        company("1", "深圳华信科技有限公司", parent="深圳宏达科技有限公司"),
        company("2", "深圳宏达科技有限公司", parent="深圳华信科技有限公司"),
        company("3", "深圳远山科技有限公司", parent="深圳远山科技有限公司"),
    )
    world.sync()
    cuts = world.ask("select reason from resolved.account_history where event = 'parent_refused' order by 1")
    assert len(cuts) == 2
    assert any(":1 → " in reason and reason.endswith(":2]") for (reason,) in cuts)
    assert world.ask("select count(*) from resolved.accounts where ultimate_parent_id is null") == [(0,)]
    assert world.ask("select max(depth) from resolved.hierarchy") == [(1,)]


def test_e03_a_chain_of_30_parents_ends(world: DirectoryWorld) -> None:
    names = [f"深圳第{chr(0x4E00 + 97 * i)}{chr(0x5000 + 89 * i)}科技有限公司" for i in range(30)]
    world.drop("a", *(company(str(i), names[i], parent=names[i - 1] if i else "") for i in range(30)))
    world.sync()
    assert world.ask("select max(depth) <= 20 from resolved.hierarchy") == [(True,)]
    assert world.ask("select distinct split_part(reason, ':', 1) from resolved.account_history") == [("parent-depth",)]


def test_e04_a_renamed_company_stays_one_account_that_its_old_name_finds(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳新名科技有限公司", uscc=CODE_A, former_names="深圳旧名科技有限公司", **SHENZHEN))
    world.drop("b", company("7", "深圳旧名科技有限公司", **SHENZHEN))
    world.drop("crm", {"deal_id": "D1", "account_name": "深圳旧名科技有限公司", "amount": "1"}, entity="deals")
    world.sync()
    assert world.companies() == {frozenset("17")}
    assert world.ask("select method, account_id is not null from resolved.deal_accounts") == [("alias", True)]


def test_e04_a_closed_company_is_no_target(world: DirectoryWorld) -> None:
    rich = {"industry": "制造业", "employees": "2000", **SHENZHEN}
    world.drop(
        "a",
        company("1", "深圳华信机械有限公司", status="注销", **rich),
        company("2", "深圳宏达机械有限公司", status="存续", **rich),
    )
    world.sync()
    assert world.ask(
        "select source_key, grade, list from resolved.account_members join resolved.account_fit using (account_id)"
        " left join resolved.target_accounts using (account_id) order by 1"
    ) == [("1", "D", None), ("2", "A", "target")]


@pytest.mark.slow  # tests/faults/test_account_decisions.py holds the same by the command, quicker
def test_e06_what_a_person_merged_split_and_undid_survives_every_rerun(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳华信科技有限公司", **SHENZHEN), company("2", "深圳远山科技有限公司", **SHENZHEN))
    world.drop("b", company("3", "深圳远山科技有限公司", **SHENZHEN))
    world.sync()
    assert world.companies() == {frozenset("1"), frozenset("23")}
    row = dict(world.ask("select source_key, row_id from resolved.account_members"))
    world.decide(decision_id="m", kind="merge", subject=json.dumps({"rows": [row["1"], row["2"]]}))
    world.decide(decision_id="s", kind="split", subject=json.dumps({"kept": [row["2"]], "apart": [row["3"]]}))
    for day in (2, 3):
        world.sync(date(2026, 10, day))
        assert world.companies() == {frozenset("12"), frozenset("3")}
    world.decide(decision_id="u", kind="undo", subject="{}", undoes="m")
    world.sync(date(2026, 10, 4))
    assert world.companies() == {frozenset("1"), frozenset("2"), frozenset("3")}


@pytest.mark.slow  # tests/faults/test_account_decisions.py holds the same by the command, quicker
def test_e06_a_pinned_value_outlives_better_ranked_lists_and_names_the_person(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳华信科技有限公司", employees="50"))
    world.sync()
    ((row_id,),) = world.ask("select row_id from resolved.account_members")
    payload = json.dumps({"field": "employees", "value": "75"})
    world.decide(decision_id="p", kind="pin", subject=json.dumps({"rows": [row_id]}), payload=payload)
    world.sync(date(2026, 10, 2))
    told = explained(world, "深圳华信科技有限公司")
    assert "employees: 75   ← pin:p" in told
    assert "not: 50" in told
    assert "employees = 75: looked (p)" in told


@pytest.mark.slow  # tests/faults/test_account_decisions.py holds the same by the command, quicker
def test_e06_two_codes_that_a_person_calls_one_are_a_succession_not_one_account(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳华信商行", uscc=CODE_A), company("2", "深圳华信科技有限公司", uscc=CODE_B))
    world.sync()
    rows = [row for (row,) in world.ask("select row_id from resolved.account_members order by 1")]
    world.decide(decision_id="m", kind="merge", subject=json.dumps({"rows": rows}), reason="个转企")
    world.sync(date(2026, 10, 2))
    assert world.companies() == {frozenset("1"), frozenset("2")}
    assert world.ask("select distinct event, reason from resolved.account_history") == [("succeeded_by", "个转企 (m)")]


def test_e08_rows_in_another_order_and_other_landing_days_give_the_same_companies(
    workspace: Path, tmp_path: Path
) -> None:
    rows = [
        company("1", "深圳华信科技有限公司", uscc=CODE_A, **SHENZHEN),
        company("2", "深圳华信科技有限公司", **SHENZHEN),
        company("3", "深圳华信科技有限公司", province="广东省"),
        company("4", "深圳宏达科技有限公司", uscc=CODE_B),
    ]
    world = DirectoryWorld(workspace)
    for number, row in enumerate(rows):
        world.drop(f"s{number}", row)
    world.sync()
    other = tmp_path / "other"
    (other / "inbox").mkdir(parents=True)
    (other / "abmloop.yaml").write_text("name: test\n", encoding="utf-8")
    late = DirectoryWorld(other)
    for numbers, day in (((3, 1), 2), ((2, 0), 5)):
        for number in numbers:
            late.drop(f"s{number}", rows[number])
        late.sync(date(2026, 10, day))
    assert late.companies() == world.companies() == {frozenset("123"), frozenset("4")}


def test_e08_an_account_keeps_its_id_when_a_better_list_arrives_later(world: DirectoryWorld) -> None:
    world.drop("z", company("1", "深圳华信科技有限公司", uscc=CODE_A))
    world.sync()
    before = world.ask("select account_id from resolved.accounts")
    world.drop("a", company("1", "深圳华信科技有限公司", uscc=CODE_A, employees="70"))
    world.sync(date(2026, 10, 2))
    assert world.ask("select account_id from resolved.accounts") == before
    assert world.ask("select count(*) from resolved.account_redirects") == [(1,)]


def test_e08_two_accounts_that_a_later_row_ties_keep_the_older_id_and_say_when(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳新名科技有限公司", **SHENZHEN))
    world.sync(date(2026, 10, 1))
    world.drop("b", company("2", "深圳旧名科技有限公司", **SHENZHEN))
    world.sync(date(2026, 10, 2))
    old = dict(world.ask("select source_key, account_id from resolved.account_members"))
    world.drop("c", company("3", "深圳新名科技有限公司", former_names="深圳旧名科技有限公司", **SHENZHEN))
    world.sync(date(2026, 10, 3))
    assert world.ask("select account_id, event, other_account_id, as_of from resolved.account_history") == [
        (old["1"], "merged", old["2"], date(2026, 10, 3))
    ]
    assert "leads here since its rows were merged" in explained(world, old["2"])


def test_e02_v08_an_agents_telephone_never_merges_companies_and_is_marked_shared(world: DirectoryWorld) -> None:
    names = ["甲木", "乙火", "丙土", "丁金", "戊水", "己山"]
    world.drop("a", *(company(name, f"深圳{name}科技有限公司", phone="13800138001") for name in names))
    world.sync()
    assert len(world.companies()) == 6
    assert world.ask("select distinct account_count, is_shared from resolved.phone_accounts") == [(6, True)]


def test_e02_v12_a_groups_domain_never_merges_its_companies(world: DirectoryWorld) -> None:
    names = ["甲木", "乙火", "丙土", "丁金", "戊水"]
    world.drop("a", *(company(name, f"深圳{name}科技有限公司", website="www.huaxin-group.com") for name in names))
    world.sync()
    assert len(world.companies()) == 5
    assert world.ask("select distinct is_shared from resolved.domain_accounts") == [(True,)]


def test_v16_a_branch_is_an_account_of_its_own_below_its_company(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳华信科技有限公司"), company("2", "深圳华信科技有限公司北京分公司"))
    world.sync()
    assert world.companies() == {frozenset("1"), frozenset("2")}
    assert world.ask(
        "select child.is_branch, parent.name from resolved.accounts as child"
        " join resolved.accounts as parent on parent.account_id = child.parent_account_id"
    ) == [(True, "深圳华信科技有限公司")]


def test_v16_brackets_and_责任_do_not_matter_but_股份_does(world: DirectoryWorld) -> None:
    world.drop(
        "a",
        company("1", "华信科技(深圳)有限公司", **SHENZHEN),
        company("3", "华信科技（深圳）股份有限公司", **SHENZHEN),
    )
    world.drop("b", company("2", "华信科技【深圳】有限责任公司", **SHENZHEN))
    world.sync()
    assert world.companies() == {frozenset("12"), frozenset("3")}


def test_v17_namesakes_in_two_cities_are_two_and_a_row_without_place_joins_neither(
    world: DirectoryWorld,
) -> None:
    world.drop("a", company("1", "利民小吃店", **SHENZHEN), company("2", "利民小吃店", **CHENGDU))
    world.drop("b", company("3", "利民小吃店"), company("4", "利民小吃店", **SHENZHEN))
    world.sync()
    assert world.companies() == {frozenset("14"), frozenset("2"), frozenset("3")}
    with pytest.raises(BadUsage, match="borne by several accounts"):
        explained(world, "利民小吃店")


def test_v18_a_code_repaired_from_letters_joins_only_where_the_name_says_the_same(world: DirectoryWorld) -> None:
    damaged = CODE_A.replace("0", "O")
    world.drop("a", company("1", "深圳华信科技有限公司", uscc=CODE_A))
    world.drop(
        "b", company("2", "深圳华信科技有限公司", uscc=damaged), company("3", "深圳远山科技有限公司", uscc=damaged)
    )
    world.sync()
    assert world.companies() == {frozenset("12"), frozenset("3")}


def test_v19_a_code_rounded_by_a_spreadsheet_joins_nothing(world: DirectoryWorld) -> None:
    rounded = "914403007084610000"
    world.drop(
        "a", company("1", "深圳华信科技有限公司", uscc=rounded), company("2", "深圳远山科技有限公司", uscc=rounded)
    )
    world.sync()
    assert world.companies() == {frozenset("1"), frozenset("2")}


def test_an_unknown_account_is_answered_with_what_to_do_in_both_languages(world: DirectoryWorld) -> None:
    world.drop("a", company("1", "深圳华信科技有限公司"))
    world.sync()
    with pytest.raises(BadUsage, match="no account 'nobody': give an account id, a code, or the exact name"):
        explained(world, "nobody")
    with pytest.raises(BadUsage) as unknown:
        explained(world, "nobody", "zh")
    assert unknown.value.told("zh").startswith("没有企业")


def test_every_row_is_a_member_of_an_account_or_in_quarantine(world: DirectoryWorld) -> None:
    world.drop(
        "a", company("1", "深圳华信科技有限公司"), company("2", "暂无"), company("3", "test"), company("4", "锟斤拷")
    )
    counts = world.sync()
    ((refused,),) = world.ask("select count(distinct row_hash) from quality.quarantine where entity = 'companies'")
    assert counts["rows_in"] == counts["account_members"] + counts["rows_without_name_or_code"]
    assert counts["account_members"] + counts["rows_without_name_or_code"] + refused == 4
