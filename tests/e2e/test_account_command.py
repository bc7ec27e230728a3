"""`abmloop account …` and `explain account` on a synced workspace: what they print, in both languages, and leave."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.test_cli import abmloop
from tests.e2e.worlds import ask


@pytest.fixture(scope="module")
def desk(synced: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced world of its own for this module's decisions."""
    return Path(shutil.copytree(synced, tmp_path_factory.mktemp("desk") / "workspace"))


def held(root: Path, rule: str) -> tuple[str, str, str]:
    """An account under that rule of the registration check: id, name, holder."""
    found = ask(
        root,
        f"select account_id, name, holder_id from marts.registration_check where rule = '{rule}'"
        " and name in (select name from resolved.accounts group by name having count(*) = 1) order by 1 limit 1",
    )
    return tuple(found[0])


@pytest.mark.parametrize(
    ("language", "words"), [("en", "may not take it: a deal is open"), ("zh", "不能报备：有在跟商机")]
)
def test_the_registration_check_says_who_holds_a_company_and_why_it_stays(
    desk: Path, language: str, words: str
) -> None:
    account_id, name, _ = held(desk, "open_deal")
    for key in (account_id, name):
        told = abmloop("account", "holder", key, "-w", desk, "--language", language)
        assert told.code == 0
        assert account_id in told.out
        assert words in told.out


def test_the_registration_check_finds_a_name_as_typed_and_answers_for_the_unknown(desk: Path) -> None:
    account_id, name, _ = held(desk, "open_deal")
    near = json.loads(abmloop("account", "holder", name[:-2], "-w", desk, "--json").out)
    assert account_id in [row["account_id"] for row in near["accounts"] + near["similar"]]
    told = abmloop("account", "holder", "火星移民有限公司", "-w", desk)
    assert (told.code, "may be registered" in told.out) == (0, True)


def test_every_account_that_is_held_has_a_rule_and_a_reason(desk: Path) -> None:
    ((rows, silent, free),) = ask(
        desk,
        "select count(*), count(*) filter (reason is null), count(*) filter (may_be_taken and rule = 'open_deal')"
        " from marts.registration_check",
    )
    assert rows > 0
    assert (silent, free) == (0, 0)


def test_a_decision_says_what_will_happen_and_is_shown_until_undone(desk: Path) -> None:
    account_id, name, _ = held(desk, "open_deal")
    decided = json.loads(abmloop("account", "pin", account_id, "employees", "77", "-w", desk, "--json").out)
    shown = json.loads(abmloop("account", "show", name, "-w", desk, "--json").out)
    assert [row["decision_id"] for row in shown["decisions"]] == [decided["decision_id"]]
    assert shown["rows"]
    undone = abmloop("account", "undo", decided["decision_id"], "-w", desk, "--language", "zh")
    assert "自下次同步起生效" in undone.out
    assert json.loads(abmloop("account", "show", name, "-w", desk, "--json").out)["decisions"] == []
    again = abmloop("account", "undo", decided["decision_id"], "-w", desk)
    assert (again.code, "undone already" in again.err) == (2, True)


def test_two_codes_are_refused_with_the_way_out(desk: Path) -> None:
    (one,), (other,) = ask(desk, "select uscc from resolved.accounts where uscc is not null order by 1 limit 2")
    refused = abmloop("account", "merge", one, other, "-w", desk)
    assert refused.code == 2
    assert "abmloop account succeed" in refused.err


def test_explain_gives_every_value_its_row_and_adds_the_fit_up(desk: Path) -> None:
    ((account_id,),) = ask(
        desk, "select account_id from resolved.accounts order by member_count desc, account_id limit 1"
    )
    facts = json.loads(abmloop("explain", "account", account_id, "-w", desk, "--json").out)
    assert all(one["row_id"] and one["file_name"] and one["why"] for one in facts["fields"])
    assert sum(line["points"] for line in facts["fit"]["log"]) == pytest.approx(facts["fit"]["fit_points"])
    assert len(facts["members"]) > 1


def test_the_doubts_are_listed_for_people_and_scripts(desk: Path) -> None:
    listed = abmloop("account", "review", "-w", desk, "--json", "--limit", "5")
    assert listed.code == 0
    assert len(json.loads(listed.out)) == min(5, ask(desk, "select count(*) from marts.account_review")[0][0])


def test_the_fit_log_is_a_view_of_the_published_file_that_adds_up(desk: Path) -> None:
    assert ask(
        desk,
        "select count(*) from resolved.account_fit"
        " left join (select account_id, sum(points) as points from resolved.fit_log group by 1) using (account_id)"
        " where abs(fit_points - coalesce(points, 0)) > 1e-9",
    ) == [(0,)]


def test_explain_says_the_stage_of_an_account_and_why_not_the_next(synced: Path) -> None:
    sql = (
        "select account_id, points, people from marts.account_engagement where stage = 'engaged' and points < 100"
        " order by 1 limit 1"
    )
    [(account_id, points, _)] = ask(synced, sql)
    english = abmloop("explain", "account", account_id, "-w", synced).out
    assert f"Stage: engaged ({float(points):.2f} ≥ 30, people" in english
    assert "buying roles there:" in english
    asked = abmloop("explain", "account", account_id, "--why-not", "mqa", "-w", synced, "--language", "zh").out
    assert f"达到MQA（市场合格企业）还需：人员互动再得 {100 - float(points):.2f} 分（门槛 100）" in asked
    refused = abmloop("explain", "account", account_id, "--why-not", "nothing", "-w", synced)
    assert refused.code == 2 and "target, aware, engaged, mqa" in refused.err
