"""Snapshots against the ones before: what is told, what is beyond the limits."""

import pytest

from scoring.drift import REGION, ColumnProfile, Profile, compare
from scoring.policies.sources import SourcesPolicy, Watch
from tasks.quality.snapshots import series_of, snapshots_of, watch_of

WATCH = Watch()


def profile(rows: int = 100, values: dict[str, dict[str, int]] | None = None, **columns: int) -> Profile:
    return Profile(rows, {name: ColumnProfile(filled) for name, filled in columns.items()}, values or {})


def beyond(
    before: Profile, after: Profile, watch: Watch = WATCH, *, whole: bool = True, declared: bool = True
) -> set[str]:
    return {
        f"{each.kind} {each.subject}".strip()
        for each in compare(before, after, watch, whole, declared)
        if each.is_beyond
    }


@pytest.mark.parametrize(
    ("rows", "expected"), [(61, set()), (60, set()), (59, {"rows_fell"}), (199, set()), (200, {"rows_grew"})]
)
def test_f24_a_whole_list_that_loses_over_40_percent_or_doubles_is_beyond(rows: int, expected: set[str]) -> None:
    assert beyond(profile(100), profile(rows)) == expected


def test_f24_rows_of_a_delta_are_no_snapshot() -> None:
    assert beyond(profile(1000), profile(10), whole=False) == set()


def test_f24_a_column_that_turns_empty_is_beyond_where_it_was_filled() -> None:
    assert beyond(profile(phone=90, fax=10), profile(phone=0, fax=0)) == {"column_emptied phone"}
    assert beyond(profile(phone=90), profile(phone=40)) == set()


def test_f24_a_column_empty_in_a_few_corrections_is_chance() -> None:
    assert beyond(profile(1000, phone=900), profile(4, phone=0), whole=False) == set()
    assert beyond(profile(1000, phone=900), profile(40, phone=0), whole=False) == {"column_emptied phone"}


def test_f24_a_region_that_vanishes_is_beyond() -> None:
    before = profile(values={REGION: {"上海市": 50, "浙江省": 45, "西藏自治区": 2}})
    assert beyond(before, profile(values={REGION: {"上海市": 95}})) == {"region_vanished 浙江省"}
    assert beyond(before, profile(values={REGION: {"上海市": 95}}), whole=False) == set()


def test_f23_dropped_and_retyped_columns_are_beyond_and_new_ones_told() -> None:
    before = Profile(100, {"employees": ColumnProfile(100, "number", 100), "phone": ColumnProfile(80)})
    after = Profile(100, {"employees": ColumnProfile(100, "text", 100), "备注": ColumnProfile(0, is_extra=True)})
    assert beyond(before, after) == {"column_retyped employees", "column_dropped phone"}
    told = {each.kind for each in compare(before, after, WATCH, True) if not each.is_beyond}
    assert told == {"column_added"}


def test_f23_a_dropped_column_that_we_never_read_is_told_only() -> None:
    before = Profile(100, {"备注": ColumnProfile(0, is_extra=True)})
    assert [each.kind for each in compare(before, profile(), WATCH, True)] == ["column_dropped"]
    assert beyond(before, profile()) == set()


def test_f23_a_vocabulary_that_changes_is_beyond() -> None:
    before = profile(values={"status": {"存续": 90, "注销": 10}})
    assert beyond(before, profile(values={"status": {"1": 90, "9": 10}})) == {"values_changed status"}
    assert beyond(before, profile(values={"status": {"存续": 90, "吊销": 10}})) == set()


def test_limits_are_the_policys_and_what_it_does_not_hold_is_told() -> None:
    assert beyond(profile(100), profile(59), Watch(rows_fall_share=0.5)) == set()
    assert beyond(profile(100), profile(59), Watch(hold=("rows_grew",))) == set()
    assert beyond(profile(99), profile(10), declared=False) == set()


def test_a_source_has_its_own_limits_and_the_files_for_the_rest() -> None:
    policy = SourcesPolicy.model_validate(
        {
            "watch": {"rows_grow_times": 3},
            "sources": [{"name": "qcc", "files": ["companies/q*"], "watch": {"rows_fall_share": 0.9}}],
        }
    )
    (snapshot,) = snapshots_of([landed("companies/q1.csv")], policy)
    watch = watch_of(snapshot, policy)
    assert (watch.rows_fall_share, watch.rows_grow_times, watch.least_rows) == (0.9, 3, 5)


def landed(name: str, source: str = "qcc", run_id: str = "r1", sha: str = "") -> dict[str, object]:
    from datetime import date

    about = {"entity": "companies", "source": source, "landed_on": date(2026, 3, 1), "source_date": None}
    return {**about, "file_name": name, "file_sha": sha or name, "rows_loaded": 10, "run_id": run_id}


def test_files_of_a_declared_source_and_day_are_one_snapshot_and_others_stand_alone() -> None:
    declared = SourcesPolicy.model_validate({"sources": [{"name": "qcc", "files": ["companies/q*"]}]})
    files = [landed("companies/q_北京.csv"), landed("companies/q_上海.csv")]
    (one,) = snapshots_of(files, declared)
    assert (one.row_count, one.is_declared) == (20, True)
    assert snapshots_of(files[::-1], declared) == [one], "whatever the order of files"
    assert len(snapshots_of(files, SourcesPolicy())) == 2


def test_files_of_the_common_inbox_continue_one_another_by_their_undated_name() -> None:
    assert series_of("inbox", "contacts/报名_20260301.csv") == series_of("inbox", "contacts/报名_20260401.csv")
    assert series_of("inbox", "contacts/报名_20260301.csv") != series_of("inbox", "contacts/签到_20260301.csv")
    assert series_of("qcc", "companies/a.csv") == "qcc"
