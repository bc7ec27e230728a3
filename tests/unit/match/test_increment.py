"""Within an epoch, matching against those who may meet gives what matching against the whole directory gives."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match import match_tables
from scoring.match.counts import Counts
from scoring.match.tables import directory_of
from tests.unit.match.test_candidates import ACCOUNTS, _accounts
from tests.unit.match.test_match_tables import POLICY

CONTACTS = ["江特电机", "成都鑫宁公司", "Huawei", "GOLD RES CORP.", "ASML", "深圳华为技术有限公司", "华为", "大华机械"]


def test_counts_that_were_kept_are_the_same_counts() -> None:
    counts = Counts.of(directory_of(_accounts()))
    again = Counts.from_rows(counts.rows())
    assert _matched(_accounts(), again) == _matched(_accounts(), counts)
    assert np.array_equal(again.epoch.grams.frequency, counts.epoch.grams.frequency)


def test_within_an_epoch_an_unrelated_company_changes_no_decision() -> None:
    counts = Counts.of(directory_of(_accounts()))
    more = [*ACCOUNTS, {"account_id": "aaa", "name": "哈尔滨冰雪旅游开发有限公司"}]
    assert _matched(_accounts(more), counts) == _matched(_accounts(), counts)


def _matched(accounts: pa.Table, counts: Counts | None) -> list[dict[str, Any]]:
    people = pa.table({"contact_id": [f"c{row}" for row in range(len(CONTACTS))], "company_name": CONTACTS})
    decisions = match_tables(people, accounts, POLICY, counts).decisions
    found: list[dict[str, Any]] = decisions.take(pc.sort_indices(decisions["contact_id"])).to_pylist()
    return found
