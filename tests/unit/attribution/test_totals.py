"""Totals by several models at once, and results that do not depend on the order of rows."""

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from abmloop.errors import BadUsage
from benchmarks.attribution_world import path_world, write_accounts
from tasks.attribute.files import attribute_files
from tasks.attribute.paths import attribute_paths
from tasks.attribute.totals import attribute_totals

MODELS = ("first_touch", "last_non_direct", "linear", "linear_campaign", "w_shaped", "time_decay")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few thousand touches and deals."""
    folder = tmp_path_factory.mktemp("world")
    write_accounts(folder, 4_000, 60, 200, 80, 3)
    return folder


def _shuffled(path: Path, target: Path) -> Path:
    rows = pq.read_table(path)
    order = list(range(rows.num_rows))
    random.Random(1).shuffle(order)
    pq.write_table(rows.take(pa.array(order)), target)
    return target


@pytest.mark.parametrize("repeats", ["every_touch", "one_per_campaign_person_day", "first_per_campaign"])
def test_totals_are_the_sums_of_the_weights(world: Path, tmp_path: Path, repeats: str) -> None:
    files = world / "touches.parquet", world / "deals.parquet"
    attribute_totals(*files, MODELS, (30, 90), "campaign", repeats=repeats, out=tmp_path / "totals.parquet")
    totals = pq.read_table(tmp_path / "totals.parquet").to_pylist()
    for days in (30, 90):
        attribute_files(*files, ",".join(MODELS), "closed", days, repeats, tmp_path / "credits.parquet")
        sums = pq.read_table(tmp_path / "credits.parquet").group_by(["model", "campaign_id"])
        wanted = {(row["model"], row["campaign_id"]): row for row in sums.aggregate([("weight", "sum")]).to_pylist()}
        found = {(row["model"], row["campaign_id"]): row for row in totals if row["lookback_days"] == days}
        for key, row in found.items():
            assert row["deals"] == pytest.approx(wanted[key]["weight_sum"] if key in wanted else 0), key
        assert sum(row["credit"] for row in found.values()) > 0


def test_every_result_is_the_same_to_the_byte_whatever_the_order_of_the_rows(world: Path, tmp_path: Path) -> None:
    files = [world / "touches.parquet", world / "deals.parquet"]
    other = [_shuffled(path, tmp_path / path.name) for path in files]
    written = []
    for touches, deals in (files, other):
        for by in ("campaign", "channel"):
            attribute_totals(touches, deals, MODELS, (30, 90), by, out=tmp_path / "totals.csv")
            written.append((tmp_path / "totals.csv").read_bytes())
    assert written[:2] == written[2:]


def test_credits_are_the_same_to_the_byte_whatever_the_order_of_the_rows(world: Path, tmp_path: Path) -> None:
    files = [world / "touches.parquet", world / "deals.parquet"]
    other = [_shuffled(path, tmp_path / path.name) for path in files]
    for name in ("credits.csv", "credits.parquet"):
        for models in ("linear,markov,time_decay", "linear,w_shaped"):
            written = []
            for touches, deals in (files, other):
                attribute_files(touches, deals, models, out=tmp_path / name)
                written.append((tmp_path / name).read_bytes())
            assert written[0] == written[1], (name, models)


_HEAD = ("touch_id", "account_id", "campaign_id", "channel", "occurred_at")
_DEAL = "deal_id,account_id,amount,created_at,closed_at,status\nd1,A,100.00,2026-03-04,2026-03-10,won\n"


def _first_of_second(folder: Path, touches: list[tuple[str, str, str]], kind: str) -> tuple[str, str]:
    """Which campaign comes first, by the totals and by the credits, of touches (id, campaign, time) of one account."""
    table = pa.Table.from_pylist([
        dict(zip(_HEAD, (number, "A", campaign, "ad", at), strict=True)) for number, campaign, at in touches
    ])  # fmt: skip
    if kind == "parquet":
        times = pc.cast(pc.strptime(table["occurred_at"], "%Y-%m-%d %H:%M:%S", "us"), pa.timestamp("us"))
        pq.write_table(table.set_column(4, "occurred_at", times), folder / "touches.parquet", row_group_size=2)
    else:
        pacsv.write_csv(table, folder / "touches.csv")
    (folder / "deals.csv").write_text(_DEAL, encoding="utf-8")
    files = folder / f"touches.{kind}", folder / "deals.csv"
    attribute_totals(*files, ["first_touch"], repeats="every_touch", out=folder / "totals.parquet")
    attribute_files(*files, "first_touch", repeats="every_touch", out=folder / "credits.parquet")
    totals = pq.read_table(folder / "totals.parquet").to_pylist()
    (credited,) = pq.read_table(folder / "credits.parquet").to_pylist()
    return next(row["campaign_id"] for row in totals if row["deals"] == 1), credited["campaign_id"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_touches_of_one_second_stand_by_number_then_by_text_whether_or_not_ids_are_read(
    tmp_path: Path, kind: str
) -> None:
    at, before = "2026-03-01 10:00:00", "2026-02-01 10:00:00"
    assert _first_of_second(tmp_path, [("10", "c10", at), ("9", "c9", at)], kind) == ("c9", "c9")
    assert _first_of_second(tmp_path, [("b", "cb", at), ("10", "c10", at), ("9", "c9", at)], kind) == ("c9", "c9")
    assert _first_of_second(tmp_path, [("x", "cx", before), ("9", "c9", at), ("8", "c8", at)], kind) == ("cx", "cx")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_of_a_touch_that_is_told_in_two_ways_the_same_stays_whatever_the_order_of_the_rows(
    tmp_path: Path, kind: str
) -> None:
    told = [("t1", "c2", "2026-03-01 10:00:00"), ("t1", "c1", "2026-03-01 10:00:00")]
    assert _first_of_second(tmp_path, told, kind) == ("c1", "c1")
    assert _first_of_second(tmp_path, told[::-1], kind) == ("c1", "c1")


def test_results_are_the_same_to_the_byte_by_one_thread_and_by_four(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = world / "touches.parquet", world / "deals.parquet"
    connect, before, written = duckdb.connect, pa.cpu_count(), []
    for threads in (1, 4):
        monkeypatch.setattr(duckdb, "connect", lambda count=threads: connect(config={"threads": count}))
        pa.set_cpu_count(threads)
        attribute_totals(*files, MODELS, (30, 90), "campaign", out=tmp_path / "totals.csv")
        attribute_files(*files, "linear,markov,time_decay", out=tmp_path / "credits.csv")
        attribute_files(*files, "linear,time_decay", out=tmp_path / "credits.parquet")
        names = ("totals.csv", "credits.csv", "credits.parquet")
        written.append([(tmp_path / name).read_bytes() for name in names])
    pa.set_cpu_count(before)
    assert written[0] == written[1]


@pytest.mark.parametrize("model", ["linear", "position_based", "markov", "shapley", "shapley_rate"])
def test_paths_give_the_same_bytes_in_any_order(tmp_path: Path, model: str) -> None:
    pq.write_table(path_world(3_000, 8, 0.3, 5), tmp_path / "paths.parquet")
    other = _shuffled(tmp_path / "paths.parquet", tmp_path / "other.parquet")
    written = []
    for path in (tmp_path / "paths.parquet", other):
        attribute_paths(path, model, 2, out=tmp_path / "out.csv")
        written.append((tmp_path / "out.csv").read_bytes())
    assert written[0] == written[1]


def test_influence_is_never_summed_by_channel(world: Path) -> None:
    with pytest.raises(BadUsage, match="participation is a figure of each campaign, never summed"):
        attribute_totals(world / "touches.parquet", world / "deals.parquet", ["participation"], by="channel")


def test_a_path_model_has_no_totals_by_window(world: Path) -> None:
    with pytest.raises(BadUsage, match="totals go by first_touch"):
        attribute_totals(world / "touches.parquet", world / "deals.parquet", ("markov",))
