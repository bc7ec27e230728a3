"""Matching a day's change gives what matching everything anew gives, and costs what the change costs."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from abmloop.run import Person, Run
from tasks.match.index import MatchIndex
from tasks.match.model import LEAST_DECISIONS, roll_back, train_model
from tasks.standing import new_decision
from tests.unit.match.matching_world import companies, give, matching, people, result

ACCOUNTS = companies(800, 7)
PROFILES = people(ACCOUNTS, 200, 8)


def changed_day() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day later: companies renamed, moved, gone and new, other people."""
    accounts = [dict(account) for account in ACCOUNTS]
    for row in range(0, 12, 6):
        accounts[row]["name"] = accounts[row + 100]["name"].replace("有限公司", "控股有限公司")
        accounts[row + 1]["phone"] = "+8657112345678"
        accounts[row + 2]["is_customer"] = True
        accounts[row + 3]["domain"] = "another.cn"
    accounts = accounts[4:] + [{**one, "account_id": f"z{one['account_id']}"} for one in companies(6, 9)]
    return accounts, PROFILES[10:] + people(accounts, 8, 10)


def test_a_days_change_gives_what_everything_anew_gives(run: Run) -> None:
    accounts, profiles = changed_day()
    with matching(run) as work:
        assert give(work, ACCOUNTS, PROFILES) == len(PROFILES)
        matched = give(work, accounts, profiles)
        daily = result(work)
        work.execute("delete from ops.match_state")
        assert give(work, accounts, profiles) == len(profiles)
        assert daily == result(work)
    assert 8 < matched < len(profiles) / 2


def test_without_the_search_for_whom_a_change_reaches_the_day_is_another(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, profiles = changed_day()
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        monkeypatch.setattr(MatchIndex, "reached", lambda self: pa.array([], pa.int64()))
        give(work, accounts, profiles)
        daily = result(work)
        work.execute("delete from ops.match_state")
        give(work, accounts, profiles)
        assert daily != result(work)


def test_what_is_a_key_alone_reaches_only_who_looks_for_it(run: Run) -> None:
    accounts = [{**one, "phone": f"+86571{row:08d}"} for row, one in enumerate(ACCOUNTS)]
    profiles = [*PROFILES, {"profile_id": "caller", "phone": "+8657100000100"}]
    accounts[100]["phone"] = "+8657199999999"
    with matching(run) as work:
        give(work, accounts, profiles)
        for account in accounts[50:150]:
            account["phone"] = account["phone"].replace("+86571", "+86572")
        accounts[3]["phone"] = "+8657100000100"
        assert give(work, accounts, profiles) == 1
        daily = result(work)
        work.execute("delete from ops.match_state")
        give(work, accounts, profiles)
        assert daily == result(work)


def test_another_order_among_equals_reaches_only_those_who_have_equals(run: Run) -> None:
    accounts = [dict(one) for one in ACCOUNTS]
    with matching(run) as work:
        give(work, accounts, PROFILES)
        tied = work.execute("select count(*) from ops.match_profiles where is_tied").fetchall()[0][0]
        for account in accounts[:150]:
            account["contact_count"] = 5
        assert 0 < give(work, accounts, PROFILES) <= tied < len(PROFILES)
        daily = result(work)
        work.execute("delete from ops.match_state")
        give(work, accounts, PROFILES)
        assert daily == result(work)


def test_nothing_new_matches_nobody(run: Run) -> None:
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        before = result(work)
        assert give(work, ACCOUNTS, PROFILES) == 0
        assert result(work) == before


def test_other_rules_match_everybody_anew(run: Run) -> None:
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        work.run = Run(**{**run.__dict__, "config_hash": "other"})
        assert give(work, ACCOUNTS, PROFILES) == len(PROFILES)


def test_a_judge_that_was_trained_matches_everybody_anew_and_so_does_rolling_it_back(run: Run) -> None:
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        before = result(work)
        for number in range(LEAST_DECISIONS):
            subject = {"rows": [["contacts", f"crm:{number}"]]}
            verdict, by = ("accept" if number % 3 else "reject"), (number, "wang", "")
            row = new_decision("match", verdict, subject, {"confidence": 0.9}, by)
            work.ledger.append("decisions", [row], Person("wang", run.as_of))
        train_model(run.root, work.ledger)
        assert give(work, ACCOUNTS, PROFILES) == len(PROFILES)
        assert result(work) != before
        roll_back(run.root)
        assert give(work, ACCOUNTS, PROFILES) == len(PROFILES)
        assert result(work) == before


def test_an_epoch_ends_when_the_directory_has_grown_by_a_tenth(run: Run) -> None:
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        more = [{**one, "account_id": f"z{one['account_id']}"} for one in companies(90, 9)]
        assert give(work, [*ACCOUNTS, *more[:30]], PROFILES) < len(PROFILES)
        assert give(work, [*ACCOUNTS, *more], PROFILES) == len(PROFILES)
        begun = [row["number"] for row in work.ledger.read("epochs", run).to_pylist() if row["name"] == "matching"]
        assert begun == [1, 2]


def test_a_warehouse_made_anew_matches_by_the_epoch_that_was(run: Run) -> None:
    more = [*ACCOUNTS, *({**one, "account_id": f"z{one['account_id']}"} for one in companies(60, 9))]
    with matching(run) as work:
        give(work, ACCOUNTS, PROFILES)
        give(work, more, PROFILES)
        before = result(work)
    Path(run.workspace, "state", "warehouse.duckdb").unlink()
    with matching(run) as work:
        give(work, more, PROFILES)
        assert result(work) == before
