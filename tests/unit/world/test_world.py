"""The sample world is the same every time, valid where it is clean, and its truth agrees with what it wrote."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import phonenumbers
import pyarrow.parquet as pq
import pytest
from stdnum.cn import uscc

from abmloop.policy import parse_policy
from benchmarks.world import DEMO, SMALL, World, make_world, shelf, write_world
from benchmarks.world.noise import KINDS
from scoring.policies.sources import Limits, SourcesPolicy
from tasks.land.headers import Reading
from tasks.land.job import Job
from tasks.land.reading import read_file

SAMPLE = Path(__file__).parents[3] / "sample"
SEED = 7


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world on disk."""
    out = tmp_path_factory.mktemp("world")
    write_world(out, SMALL, SEED)
    return out


@pytest.fixture(scope="module")
def world() -> World:
    """The same small world in memory."""
    return make_world(SMALL, SEED)


def truth(root: Path, name: str) -> pd.DataFrame:
    path = root / "truth" / name
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, keep_default_na=False)


def files_of(root: Path) -> dict[str, Path]:
    found = [path for folder in ("inbox", "truth") for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path for path in found}


def content_hash(path: Path) -> str:
    """Of what the file says, whatever packed it: members of an archive, text of a gzip, rows of a Parquet file."""
    data = path.read_bytes()
    digest = hashlib.sha256()
    if path.suffix in {".zip", ".xlsx"}:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in sorted(archive.namelist()):
                digest.update(name.encode() + archive.read(name))
    elif path.suffix == ".parquet":
        digest.update(pq.read_table(path).to_pandas().to_csv(index=False).encode())
    else:
        digest.update(gzip.decompress(data) if path.suffix == ".gz" else data)
    return digest.hexdigest()


def test_same_seed_writes_the_same_bytes(written: Path, tmp_path: Path):
    write_world(tmp_path, SMALL, SEED)
    once, again = files_of(written), files_of(tmp_path)
    assert once.keys() == again.keys()
    assert [name for name in once if once[name].read_bytes() != again[name].read_bytes()] == []


def test_another_seed_is_another_world(world: World):
    other = make_world(SMALL, SEED + 1)
    assert not other.companies["name"].equals(world.companies["name"])


def test_bundled_sample_is_the_demo_world_of_seed_7(tmp_path: Path):
    write_world(tmp_path, DEMO, SEED)
    fresh, bundled = files_of(tmp_path), files_of(SAMPLE)
    assert fresh.keys() == bundled.keys()
    assert [name for name in fresh if content_hash(fresh[name]) != content_hash(bundled[name])] == []


def test_bundled_sample_stays_small():
    assert sum(path.stat().st_size for path in files_of(SAMPLE).values()) <= 6_000_000


def test_bundled_sources_are_a_valid_policy():
    text = (SAMPLE / "config" / "sources.yaml").read_text(encoding="utf-8")
    assert [source.name for source in parse_policy(text, SourcesPolicy, "sources.yaml").sources] == [
        "crm",
        "vendor",
        "fair",
    ]


def test_sizes_are_as_asked(world: World):
    assert len(world.companies) == SMALL.companies
    assert len(world.people) == SMALL.people
    assert len(world.touches) == SMALL.touches
    assert len(world.business.deals) == SMALL.deals
    assert world.campaigns["channel"].nunique() == 8
    assert len(world.campaigns) >= 24


def test_names_and_codes_are_unique_and_codes_valid(world: World):
    codes = world.companies["uscc"].dropna()
    assert world.companies["name"].is_unique
    assert codes.is_unique
    assert codes.map(uscc.is_valid).all()


def test_phones_are_numbers_of_their_plan(world: World):
    numbers = pd.concat([world.companies["phone"], world.people["mobile"]]).dropna()
    assert [text for text in numbers if not phonenumbers.is_valid_number(phonenumbers.parse(text, "CN"))] == []


def test_every_person_can_be_reached(world: World):
    people = world.people
    assert people[["corporate_email", "personal_email", "mobile"]].notna().any(axis=1).all()
    assert people["mobile"].dropna().is_unique
    assert people["corporate_email"].dropna().is_unique


def test_every_company_stands_in_a_list(written: Path):
    rows = truth(written, "company_rows.parquet")
    sound = rows[~rows["kind"].isin(["ragged_row", "no_key"])]
    assert set(sound["entity"]) == set(range(SMALL.companies))
    assert rows["file"].nunique() == 3


def test_truth_lines_point_at_their_rows(written: Path):
    rows = truth(written, "company_rows.parquet")
    names = truth(written, "companies.parquet")["name"]
    vendor = rows[rows["file"].str.contains("企查查") & rows["kind"].isna()]
    with zipfile.ZipFile(written / "inbox" / vendor["file"].iloc[0]) as archive:
        lines = archive.read(archive.namelist()[0]).decode("gb18030").replace("\r\n", "\n").split("\n")
    told = [lines[line - 1].split(",")[0] for line in vendor["line"]]
    assert told == names.take(vendor["entity"]).tolist()


def test_reader_finds_the_rows_the_truth_names(written: Path, tmp_path: Path):
    for file in truth(written, "files.csv").query("duplicate_of == ''").itertuples():
        job = Job(
            str(written / "inbox" / file.file), file.file, str(tmp_path), (Reading(file.entity),), Limits().model_dump()
        )
        tally = read_file(job).tallies[0]
        skipped = tally.skipped["title_row"] + tally.skipped["footer_row"]
        assert tally.rows_in - skipped == file.data_rows, file.file
        assert skipped == file.title_rows + file.footer_rows, file.file
        assert tally.extra in ([], ["展位号"], ["展位号", "Booth No."]), file.file


def test_every_kind_of_dirt_is_there_and_counted(written: Path):
    rows, counts = truth(written, "dirty_rows.parquet"), truth(written, "dirt.csv")
    assert counts["rows"].sum() == len(rows)
    unwritten = {"title_row", "total_row", "same_file_twice"}  # of files, not of rows: truth/files.csv has them
    assert set(rows["kind"]) == set(KINDS) - unwritten
    files = truth(written, "files.csv")
    assert (files["duplicate_of"] != "").sum() == 1
    assert files[["title_rows", "footer_rows"]].sum().tolist() == [1, 2]


def test_same_file_stands_there_twice(written: Path):
    copy = truth(written, "files.csv").query("duplicate_of != ''").iloc[0]
    inbox = written / "inbox"
    assert (inbox / copy["file"]).read_bytes() == (inbox / copy["duplicate_of"]).read_bytes()


def test_orders_make_up_won_deals_and_invoices_no_more_than_orders(world: World):
    business = world.business
    won = business.deals[business.deals["status"] == "won"].set_index("deal_id")["amount_cents"]
    assert business.orders.groupby("deal_id")["amount_cents"].sum().equals(won.sort_index())
    ordered = business.orders.set_index("order_id")["amount_cents"]
    for parts in (business.invoices, business.payments[business.payments["amount_cents"] > 0]):
        assert (parts.groupby("order_id")["amount_cents"].sum() <= ordered.reindex(parts["order_id"].unique())).all()


def test_costs_are_the_campaigns_cost_to_the_cent(world: World):
    costed = world.campaigns[world.campaigns["is_costed"]].set_index("campaign")["cost_cents"]
    assert world.costs.groupby("campaign")["amount_cents"].sum().equals(costed)


def test_causes_come_before_their_deal(world: World):
    deals = world.business.deals.set_index("deal_id")
    causes = world.business.causes
    when = world.touches["second"].to_numpy()[causes["touch"]]
    assert (when <= deals["created_at"].reindex(causes["deal_id"]).to_numpy()).all()
    grown = deals[deals["kind"] == "grown"]
    assert set(causes[causes["cause"] == "lead"]["deal_id"]) <= set(grown.index)


def test_deals_close_after_they_open_and_before_the_world_ends(world: World):
    deals = world.business.deals
    closed = deals[deals["closed_at"] > 0]
    assert (closed["closed_at"] > closed["created_at"]).all()
    assert closed["closed_at"].max() <= SMALL.last_second
    assert (deals["closed_at"].eq(0) == deals["status"].eq("open")).all()


def test_companies_that_fit_and_are_touched_buy():
    companies, deals = truth(SAMPLE, "companies.parquet"), truth(SAMPLE, "deals.parquet")
    touched = truth(SAMPLE, "touches.parquet").query("entity >= 0").groupby("entity").size()
    buys = touched.index.isin(deals["entity"])
    fit = companies["fit"].reindex(touched.index)
    assert fit[buys].mean() > fit[~buys].mean() + 0.1
    assert touched[buys].median() > 2 * touched[~buys].median()


def test_some_campaigns_earn_nothing_and_five_earn_their_cost():
    campaigns = truth(SAMPLE, "campaigns.csv")
    roi = (campaigns["caused_cny_cents"] - campaigns["cost_cny_cents"]) / campaigns["cost_cny_cents"]
    assert (roi[campaigns["is_cold"].astype(str) == "True"] == -1).all()
    assert (roi.nlargest(5) > 0).all()


def test_what_a_workbook_cannot_hold_goes_to_a_csv_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shelf, "XLSX_ROWS", 50)
    write_world(tmp_path, SMALL, SEED)
    rest = [name for name in files_of(tmp_path) if name.endswith("_续.csv.gz")]
    assert rest
    files = truth(tmp_path, "files.csv")
    workbooks = files[files["format"] == "xlsx"]["data_rows"]
    assert np.all(workbooks <= 100)  # two sheets at most
    assert len(truth(tmp_path, "touches.parquet")) == SMALL.touches
