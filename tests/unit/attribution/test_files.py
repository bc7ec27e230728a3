"""Attribution on files: what is written, and what a wrong file is told."""

import csv
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from abmloop.errors import BadFile, BadUsage
from tasks.attribute.files import attribute_files
from tasks.attribute.paths import attribute_paths

TOUCHES = """touch_id,account_id,campaign_id,channel,occurred_at
t1,A,c1,ad,2026-03-01 10:00:00
t2,A,c2,edm,2026-03-02T10:00:00Z
t3,A,,direct,2026-03-03 10:00:00+08:00
"""
DEALS = """deal_id,account_id,amount,created_at,closed_at,status
d1,A,100.00,2026-03-04,2026-03-10,won
d2,A,,2026-03-04,,open
d3,A,50,2026-03-04,2026-03-05,lost
d4,B,-0.03,2026-03-04,2026-03-05,Won
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Three touches and four deals."""
    touches, deals = tmp_path / "touches.csv", tmp_path / "deals.csv"
    touches.write_text(TOUCHES, encoding="utf-8")
    deals.write_text(DEALS, encoding="utf-8")
    return touches, deals


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_credits_come_to_the_amount_and_unknown_amounts_stay_unknown(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "credits.csv"
    summary = attribute_files(*files, "linear", "closed", 180, "every_touch", out)
    rows = _rows(out)
    assert [(row["deal_id"], row["touch_id"], row["campaign_id"], row["credit"]) for row in rows] == [
        ("d1", "t1", "c1", "33.34"),
        ("d1", "t2", "c2", "33.33"),
        ("d1", "t3", "", "33.33"),
        ("d2", "t1", "c1", ""),
        ("d2", "t2", "c2", ""),
        ("d2", "t3", "", ""),
        ("d4", "", "(unattributed)", "-0.03"),
    ]
    assert float(rows[0]["weight"]) == 1 / 3
    assert summary["lost_deals_left_out"] == 1
    assert summary["unattributed"] == "-0.03"


def test_parquet_in_and_out_gives_the_same(files: tuple[Path, Path], tmp_path: Path) -> None:
    parquet = [tmp_path / f"{path.stem}.parquet" for path in files]
    for path, target in zip(files, parquet, strict=True):
        pq.write_table(pacsv.read_csv(path), target)
    attribute_files(*files, "w_shaped", out=tmp_path / "a.parquet")
    attribute_files(*parquet, "w_shaped", out=tmp_path / "b.parquet")
    columns = ["deal_id", "touch_id", "weight", "credit"]
    assert pq.read_table(tmp_path / "a.parquet").select(columns) == pq.read_table(tmp_path / "b.parquet").select(
        columns
    )


def test_participation_gives_every_campaign_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    attribute_files(*files, "participation", out=tmp_path / "credits.csv")
    assert [row["credit"] for row in _rows(tmp_path / "credits.csv") if row["deal_id"] == "d1"] == ["100.00"] * 3


@pytest.mark.parametrize("model", ["markov", "shapley", "shapley_rate"])
def test_path_models_are_spread_over_the_deals_own_touches(
    files: tuple[Path, Path], tmp_path: Path, model: str
) -> None:
    attribute_files(*files, model, out=tmp_path / "credits.csv")
    of_deal = [Decimal(row["credit"]) for row in _rows(tmp_path / "credits.csv") if row["deal_id"] == "d1"]
    assert sum(of_deal) == 100


def test_a_missing_column_is_named_with_what_there_is(files: tuple[Path, Path], tmp_path: Path) -> None:
    files[1].write_text("deal_id,account_id,created_at,closed_at,status\n", encoding="utf-8")
    with pytest.raises(BadFile, match=r"deals\.csv: column amount is missing\. Needed: deal_id.*found: deal_id"):
        attribute_files(*files, "linear")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("d9,A,100.00,2026-03-04,soon,won", r"line 3, column closed_at: 'soon' is not understood; write it like 2026"),
        ("d9,A,1O0,2026-03-04,2026-03-10,won", r"line 3, column amount: '1O0' is not understood; write it like 1234"),
        ("d9,A,100,2026-03-04,2026-03-10,maybe", r"line 3, column status: 'maybe' is none of won, lost, open"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(files: tuple[Path, Path], bad: str, message: str) -> None:
    header, first, *_ = DEALS.splitlines()
    files[1].write_text("\n".join([header, first, bad]), encoding="utf-8")
    with pytest.raises(BadFile, match=message):
        attribute_files(*files, "linear")


def _with_amounts(deals: Path, amounts: pa.Array) -> Path:
    """The first deals as Parquet, with these amounts."""
    rows = pacsv.read_csv(deals).slice(0, len(amounts))
    target = deals.with_suffix(".parquet")
    pq.write_table(rows.set_column(rows.column_names.index("amount"), "amount", amounts), target)
    return target


def test_an_amount_that_is_no_number_in_parquet_is_not_known(files: tuple[Path, Path], tmp_path: Path) -> None:
    deals = _with_amounts(files[1], pa.array([10.005, float("nan")]))
    attribute_files(files[0], deals, "last_touch", out=tmp_path / "credits.csv")
    assert [row["credit"] for row in _rows(tmp_path / "credits.csv")] == ["10.01", ""]


@pytest.mark.parametrize("large", [1e18, 1e30, float("inf"), Decimal("1e16"), Decimal("-1e40")])
def test_an_amount_that_cents_cannot_hold_is_named_with_its_line(files: tuple[Path, Path], large: object) -> None:
    deals = _with_amounts(files[1], pa.array([type(large)(1), large]))  # type: ignore[call-arg]
    with pytest.raises(BadFile, match=r"deals\.parquet, line 3, column amount: .* cannot be held to the cent"):
        attribute_files(files[0], deals, "linear")


def test_a_column_of_amounts_that_holds_none_is_told(files: tuple[Path, Path]) -> None:
    deals = _with_amounts(files[1], pa.array([True, False]))
    with pytest.raises(BadFile, match=r"deals\.parquet, column amount: "):
        attribute_files(files[0], deals, "linear")


def test_text_as_other_tools_hold_it_in_parquet_is_read_alike(files: tuple[Path, Path], tmp_path: Path) -> None:
    attribute_files(*files, "linear", out=tmp_path / "a.csv")
    parquet = [path.with_suffix(".parquet") for path in files]
    for path, target in zip(files, parquet, strict=True):
        names, *rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        columns = [pa.array([cell or None for cell in column], pa.large_string()) for column in zip(*rows, strict=True)]
        pq.write_table(pa.table(columns, names=names), target)
    attribute_files(*parquet, "linear", out=tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_a_deal_that_stands_twice_or_a_column_that_does_is_refused(files: tuple[Path, Path]) -> None:
    files[1].write_text(DEALS + DEALS.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(BadFile, match="deal_id 'd1' stands on 2 rows; keep one"):
        attribute_files(*files, "linear")
    doubled = "\n".join(f"{row},{row.split(',')[3]}" for row in TOUCHES.splitlines())
    files[0].write_text(doubled, encoding="utf-8")
    with pytest.raises(BadFile, match="column channel stands twice in the header"):
        attribute_files(*files, "linear")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_files_are_read_in_the_encodings_and_with_the_delimiters_that_people_have(
    files: tuple[Path, Path], tmp_path: Path, encoding: str, delimiter: str
) -> None:
    plain = attribute_files(*files, "linear", out=tmp_path / "a.csv")
    for path in files:
        text = path.read_text(encoding="utf-8").replace("d1", "商机甲").replace("c1", "展会").replace(",", delimiter)
        path.write_bytes(text.encode(encoding))
    found = attribute_files(*files, "linear", out=tmp_path / "b.csv")
    assert {**found, "out": ""} == {**plain, "out": ""}
    wanted = (tmp_path / "a.csv").read_text(encoding="utf-8").replace("d1", "商机甲").replace("c1", "展会")
    # Deals stand in the order of their ids, and one has another id now.
    assert sorted((tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()) == sorted(wanted.splitlines())


def test_gb18030_that_begins_after_a_long_plain_head_is_read_too(files: tuple[Path, Path]) -> None:
    header, *rows = TOUCHES.splitlines()
    far = [f"x{number},Z,c1,ad,2020-01-01" for number in range(20_000)]
    files[0].write_bytes("\n".join([header, *far, *rows]).replace("c2", "展会").encode("gb18030"))
    assert attribute_files(*files, "linear")["touches_in_reach"] == 3


@pytest.mark.parametrize("repeats", ["every_touch", "one_per_campaign_person_day"])
def test_a_touch_that_is_given_twice_counts_once_and_is_told(
    files: tuple[Path, Path], tmp_path: Path, repeats: str
) -> None:
    attribute_files(*files, "linear", repeats=repeats, out=tmp_path / "a.csv")
    files[0].write_text(TOUCHES + "\n".join(TOUCHES.splitlines()[1:3]) + "\n", encoding="utf-8")
    assert attribute_files(*files, "linear", repeats=repeats, out=tmp_path / "b.csv")["touches_given_twice"] == 2
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_an_id_that_comes_again_at_another_time_is_told_and_both_count(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    assert attribute_files(*files, "linear")["touch_ids_at_several_times"] == 0
    files[0].write_text(TOUCHES + "t1,A,c9,ad,2026-03-03 12:00:00\n", encoding="utf-8")
    found = attribute_files(*files, "linear", out=tmp_path / "credits.csv")
    assert (found["touch_ids_at_several_times"], found["touches_given_twice"]) == (1, 0)
    assert [row["campaign_id"] for row in _rows(tmp_path / "credits.csv") if row["deal_id"] == "d1"] == [
        "c1", "c2", "", "c9",
    ]  # fmt: skip


def test_sums_are_told_by_model_and_currency_and_never_of_influence(files: tuple[Path, Path]) -> None:
    header, first, *_ = DEALS.splitlines()
    second = first.replace("d1", "d7").replace("100.00", "7.00")
    files[1].write_text("\n".join([f"{header},currency", f"{first},CNY", f"{second},USD"]), encoding="utf-8")
    assert attribute_files(*files, "linear")["credited"] == "100.00 CNY; 7.00 USD"
    several = attribute_files(*files, "linear,first_touch,participation")
    assert several["credited"] == "first_touch 100.00 CNY; first_touch 7.00 USD; linear 100.00 CNY; linear 7.00 USD"
    assert attribute_files(*files, "participation")["credited"] == "0.00"


def test_a_file_that_is_empty_is_refused(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(b"")
    with pytest.raises(BadFile, match=r"deals\.csv: not readable"):
        attribute_files(*files, "linear")


def test_touches_after_the_opening_and_the_half_life_can_be_chosen(files: tuple[Path, Path], tmp_path: Path) -> None:
    files[1].write_text(DEALS.replace("2026-03-04,2026-03-10", "2026-03-02 12:00:00,2026-03-10"), encoding="utf-8")
    out = tmp_path / "credits.csv"
    attribute_files(*files, "time_decay", "closed", 180, "every_touch", out, "opened", 1)
    found = [(row["touch_id"], float(row["weight"])) for row in _rows(out) if row["deal_id"] == "d1"]
    assert found == [("t1", pytest.approx(1 / 3)), ("t2", pytest.approx(2 / 3))]
    with pytest.raises(BadUsage, match="until: Input should be 'closed' or 'opened'"):
        attribute_files(*files, "linear", until="never")


def test_an_unknown_model_or_option_lists_the_known(files: tuple[Path, Path]) -> None:
    with pytest.raises(BadUsage, match=r"no model 'best'; there are first_touch"):
        attribute_files(*files, "best")
    with pytest.raises(BadUsage, match=r"anchor: Input should be 'closed' or 'created' .found 'opened'."):
        attribute_files(*files, "linear", "opened")


@pytest.fixture
def path_file(tmp_path: Path) -> Path:
    """Three paths."""
    path = tmp_path / "paths.csv"
    path.write_text(
        'path,total_conversions,total_conversion_value,total_null\n"A > B",2,30,0\nB,0,0,4\nA > A > C,1,6,1\n',
        encoding="utf-8",
    )
    return path


def test_paths_share_conversions_and_value(path_file: Path, tmp_path: Path) -> None:
    attribute_paths(path_file, "linear_distinct", out=tmp_path / "out.csv")
    rows = {(row["channel"], row["metric"]): float(row["value"]) for row in _rows(tmp_path / "out.csv")}
    assert rows == {
        ("A", "conversions"): 1.5,
        ("B", "conversions"): 1.0,
        ("C", "conversions"): 0.5,
        ("A", "value"): 18.0,
        ("B", "value"): 15.0,
        ("C", "value"): 3.0,
    }


@pytest.mark.parametrize("model", ["linear", "markov", "shapley", "shapley_rate"])
def test_what_paths_without_a_channel_earned_is_nobodys_by_any_model(
    path_file: Path, tmp_path: Path, model: str
) -> None:
    head = path_file.read_text(encoding="utf-8").splitlines()[0]
    path_file.write_text(f"{head}\n,3,9,1\nA > B,1,5,0\n", encoding="utf-8")
    summary = attribute_paths(path_file, model, out=tmp_path / "out.csv")
    rows = [(row["metric"], float(row["value"])) for row in _rows(tmp_path / "out.csv")]
    wanted = [("conversions", 1), ("value", 5)][: 1 if model == "shapley_rate" else 2]
    assert [(name, sum(value for metric, value in rows if metric == name)) for name, _ in wanted] == wanted
    assert (summary["conversions_without_channel"], summary["value_without_channel"]) == (3, 9)


def test_markov_rows_hold_removal_effects_and_the_chains_own_probability(path_file: Path, tmp_path: Path) -> None:
    attribute_paths(path_file, "markov", out=tmp_path / "out.csv")
    rows = {(row["channel"], row["metric"]): float(row["value"]) for row in _rows(tmp_path / "out.csv")}
    assert rows["(start)", "p_conversion"] == pytest.approx(0.375)
    assert rows["A", "removal_effect"] == pytest.approx(1 - (4 / 8 * 1 / 3) / 0.375)
    assert sum(value for (_, metric), value in rows.items() if metric == "conversions") == pytest.approx(3)


def test_shapley_rate_refuses_a_set_it_cannot_do_exactly(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("path,total_conversions\n" + " > ".join(f"c{n}" for n in range(13)) + ",1\n", encoding="utf-8")
    with pytest.raises(BadUsage, match="13 different channels; it is exact up to 12"):
        attribute_paths(path, "shapley_rate")


def test_a_path_file_from_a_chinese_spreadsheet_is_read(path_file: Path, tmp_path: Path) -> None:
    text = path_file.read_text(encoding="utf-8")
    attribute_paths(path_file, "linear", out=tmp_path / "a.csv")
    path_file.write_bytes(text.replace("A", "百度推广").encode("gb18030"))
    attribute_paths(path_file, "linear", out=tmp_path / "b.csv")
    wanted = sorted(row["value"] for row in _rows(tmp_path / "a.csv"))
    assert sorted(row["value"] for row in _rows(tmp_path / "b.csv")) == wanted
    assert "百度推广" in {row["channel"] for row in _rows(tmp_path / "b.csv")}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A > B,-2,1,0", r"line 3, column total_conversions: -2 is no number of times"),
        ("A > B,nan,1,0", r"line 3, column total_conversions: nan is no number of times"),
        ("A > B,1,1,-1", r"line 3, column total_null: -1 is no number of times"),
        ("A > B,1,inf,0", r"line 3, column total_conversion_value: inf is no amount"),
        ("A > B,many,1,0", r"line 3, column total_conversions: 'many' is not understood"),
    ],
)
def test_a_figure_that_cannot_be_is_named_with_its_line(path_file: Path, row: str, message: str) -> None:
    head, first, *_ = path_file.read_text(encoding="utf-8").splitlines()
    path_file.write_text("\n".join([head, first, row]), encoding="utf-8")
    with pytest.raises(BadFile, match=message):
        attribute_paths(path_file, "linear")


@pytest.mark.parametrize("model", ["linear", "markov", "shapley", "shapley_rate"])
@pytest.mark.parametrize("rows", ["", "A,0,0,0", "A > B,0,0,7", ",1,5,1"])
def test_paths_of_which_nothing_came_are_no_fault(path_file: Path, tmp_path: Path, model: str, rows: str) -> None:
    head = path_file.read_text(encoding="utf-8").splitlines()[0]
    path_file.write_text(f"{head}\n{rows}\n", encoding="utf-8")
    attribute_paths(path_file, model, out=tmp_path / "out.csv")
    assert all(float(row["value"]) == 0 for row in _rows(tmp_path / "out.csv"))


def test_thousands_may_be_set_apart_and_an_id_may_not_be_missing(files: tuple[Path, Path], tmp_path: Path) -> None:
    header, first, *_ = DEALS.splitlines()
    files[1].write_text(f"{header}\n{first.replace('100.00', chr(34) + '1,234,567.80' + chr(34))}\n", encoding="utf-8")
    assert attribute_files(*files, "linear")["credited"] == "1234567.80"
    files[1].write_text(f"{header}\n{first}\n{first[2:]}\n", encoding="utf-8")
    with pytest.raises(BadFile, match=r"deals\.csv, line 3, column deal_id: is empty"):
        attribute_files(*files, "linear")
    files[1].write_text(DEALS, encoding="utf-8")
    files[0].write_text(TOUCHES.replace("t2,", ","), encoding="utf-8")
    with pytest.raises(BadFile, match=r"touches\.csv: column touch_id is empty on 1 rows"):
        attribute_files(*files, "linear")


def test_a_folder_that_is_not_there_and_steps_that_cannot_be_are_told(path_file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"there is no folder .*nowhere; make it first"):
        attribute_paths(path_file, "linear", out=tmp_path / "nowhere" / "out.csv")
    with pytest.raises(BadUsage, match="--max-steps 0: give 1 or more"):
        attribute_paths(path_file, "markov", max_steps=0)


def test_orders_of_markov_are_one_to_four(path_file: Path) -> None:
    with pytest.raises(BadUsage, match="order 5 is not between 1 and 4"):
        attribute_paths(path_file, "markov", 5)
