"""Matching in blocks gives what matching in one piece gives, whoever works on them."""

import pickle
from typing import Any

import pyarrow as pa
import pytest

from abmloop.blocks import Dask, InThisProcess, Mapper, Processes, mapper_for
from abmloop.errors import BadUsage
from scoring.match import match_tables
from tests.unit.match.matching_world import companies, people
from tests.unit.match.test_match_tables import POLICY

ACCOUNTS = companies(300, 3)
CONTACTS = people(ACCOUNTS, 80, 4)


class Pickled(InThisProcess):
    """Three workers that get nothing but what can be sent."""

    def map(self, function: Any, blocks: Any) -> list[Any]:
        assert len(blocks) == self.workers
        return [pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(block))) for block in blocks]


def _matched(mapper: Mapper | None) -> tuple[Any, Any]:
    contacts = pa.Table.from_pylist(
        [{"contact_id": one["profile_id"], "city_code": None, "domain": None} | one for one in CONTACTS]
    )
    matches = match_tables(contacts, pa.Table.from_pylist(ACCOUNTS), POLICY, mapper=mapper)
    return matches.decisions.to_pylist(), matches.candidates.to_pylist()


def test_two_processes_give_what_one_gives() -> None:
    assert _matched(Processes(2)) == _matched(None)


def test_blocks_that_were_sent_give_what_the_whole_gives() -> None:
    assert _matched(Pickled(workers=3)) == _matched(None)


def test_an_error_in_another_process_is_raised_here() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Processes(2).map(int, ["1", "x", "3"])


def test_results_come_in_the_order_of_the_blocks() -> None:
    assert Processes(2).map(int, ["1", "2", "3", "4", "5"]) == [1, 2, 3, 4, 5]


def test_few_rows_start_no_process_and_many_take_what_the_settings_say() -> None:
    assert mapper_for(100, 4, "tcp://cluster:8786") == InThisProcess()
    assert mapper_for(1_000_000, 4) == Processes(4)
    assert mapper_for(1_000_000, 1) == InThisProcess()
    assert mapper_for(1_000_000, 4, "tcp://cluster:8786") == Dask("tcp://cluster:8786")


def test_a_dask_cluster_gives_what_one_process_gives() -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        assert _matched(Dask(cluster.scheduler_address, workers=2)) == _matched(None)


def test_without_dask_the_setting_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(BadUsage, match="pip install"):
        Dask("tcp://cluster:8786").map(int, ["1"])
