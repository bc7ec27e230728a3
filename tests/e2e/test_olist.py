"""A real funnel, loaded by mapping alone: 5,563 inquiries of a marketplace's sellers and the 562 deals won of them.

The data (Olist's marketing funnel) is no part of this repository; counts are taken from its files here and held
against what the marts say.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.e2e.worlds import sync
from warehouse.database import connect_published

pytestmark = pytest.mark.shared_data
SOURCES = Path(__file__).parent / "olist" / "sources.yaml"
AFTER_THE_LAST_DAY = date(2018, 12, 31)
INQUIRIES, WON, WITHOUT_ORIGIN = 5563, 562, 35
BLANK = "(blank)"


@pytest.fixture(scope="module")
def funnel(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file of a workspace that holds the funnel; times are read in UTC."""
    root = tmp_path_factory.mktemp("olist") / "workspace"
    (root / "config").mkdir(parents=True)
    (root / "abmloop.yaml").write_text("name: olist\ntimezone: UTC\n", encoding="utf-8")
    shutil.copy(SOURCES, root / "config" / "sources.yaml")
    shutil.copytree(shared_data / "olist", root / "inbox" / "olist")
    sync(root, AFTER_THE_LAST_DAY)
    with connect_published(root) as con:
        yield con


@pytest.fixture(scope="module")
def inquiries(shared_data: Path) -> dict[str, dict[str, str]]:
    """The inquiries as the file has them, by id."""
    return rows(shared_data / "olist" / "mqls_until_2018-04-04.csv")


@pytest.fixture(scope="module")
def won(shared_data: Path) -> dict[str, dict[str, str]]:
    """The won deals as the file has them, by the inquiry's id."""
    return rows(shared_data / "olist" / "closed_deals_of_those.csv")


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return {row["mql_id"]: row for row in csv.DictReader(handle)}


def counted(con: duckdb.DuckDBPyConnection, stage: str, by: str) -> dict[str, int]:
    """Leads that entered the stage, by a column of the funnel."""
    sql = f"select {by}, sum(entered)::bigint from marts.lead_funnel where stage = ? group by all"
    return {str(group): int(number) for group, number in con.execute(sql, [stage]).fetchall()}


def test_nothing_is_dropped(funnel: duckdb.DuckDBPyConnection) -> None:
    sql = "select entity, rows_in, rows_loaded, rows_quarantined, rows_skipped from ops.files order by entity"
    assert funnel.execute(sql).fetchall() == [
        ("contacts", INQUIRIES, INQUIRIES, 0, 0),
        ("deals", WON, WON, 0, 0),
        ("touches", INQUIRIES, INQUIRIES, 0, 0),
    ]
    assert funnel.execute("select count(*) from quality.quarantine").fetchall() == [(0,)]


def test_every_inquiry_is_a_lead_and_every_deal_is_won(funnel: duckdb.DuckDBPyConnection) -> None:
    assert funnel.execute("select count(*), count(distinct person_id) from scored.leads").fetchall() == [
        (INQUIRIES, INQUIRIES)
    ]
    assert funnel.execute("select status, count(*) from core.deals group by all").fetchall() == [("won", WON)]


def test_inquiries_by_origin_are_those_of_the_file(
    funnel: duckdb.DuckDBPyConnection, inquiries: dict[str, dict[str, str]]
) -> None:
    expected = Counter(row["origin"] or BLANK for row in inquiries.values())
    assert expected[BLANK] == WITHOUT_ORIGIN
    assert counted(funnel, "inquiry", "channel") == dict(expected)
    assert sum(expected.values()) == INQUIRIES


def test_won_deals_by_origin_are_those_of_the_files(
    funnel: duckdb.DuckDBPyConnection, inquiries: dict[str, dict[str, str]], won: dict[str, dict[str, str]]
) -> None:
    expected = Counter(inquiries[mql_id]["origin"] or BLANK for mql_id in won)
    assert counted(funnel, "won", "channel") == dict(expected)
    assert sum(expected.values()) == WON


def test_inquiries_and_won_deals_by_month_are_those_of_the_files(
    funnel: duckdb.DuckDBPyConnection, inquiries: dict[str, dict[str, str]], won: dict[str, dict[str, str]]
) -> None:
    inquired = Counter(row["first_contact_date"][:7] + "-01" for row in inquiries.values())
    closed = Counter(row["won_date"][:7] + "-01" for row in won.values())
    assert counted(funnel, "inquiry", "month") == dict(inquired)
    assert counted(funnel, "won", "month") == dict(closed)


def test_landing_pages_are_the_campaigns(
    funnel: duckdb.DuckDBPyConnection, inquiries: dict[str, dict[str, str]]
) -> None:
    expected = Counter(row["landing_page_id"] for row in inquiries.values())
    found = funnel.execute(
        "select campaign_id, any_value(people) from marts.campaign_roi where campaign_id not like '(%' group by all"
    ).fetchall()
    assert dict(found) == dict(expected)


def test_each_model_shares_all_won_deals_among_the_landing_pages(funnel: duckdb.DuckDBPyConnection) -> None:
    """Amounts are unknown, so weights are what is shared; none of it disappears."""
    sql = """
        select model, round(sum(weight), 6), count(credit) from scored.credits
        join (select model from rules.attribution where not is_influence) using (model)
        where basis = 'signed' group by all
    """
    found = funnel.execute(sql).fetchall()
    assert len(found) > 5
    assert {row[1:] for row in found} == {(float(WON), 0)}


def test_the_deal_won_before_its_first_contact_is_kept_and_flagged(
    funnel: duckdb.DuckDBPyConnection, inquiries: dict[str, dict[str, str]], won: dict[str, dict[str, str]]
) -> None:
    early = [mql_id for mql_id, row in won.items() if row["won_date"] < inquiries[mql_id]["first_contact_date"]]
    flagged = funnel.execute("select deal_id, status from core.deals where is_won_before_contact").fetchall()
    assert len(early) == 1
    assert flagged == [(early[0], "won")]
