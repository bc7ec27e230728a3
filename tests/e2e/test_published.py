"""What people read: every column explained, every key unique, nobody's address in it, every figure down to its line."""

import csv
import gzip
import io
import re
from pathlib import Path

import duckdb
import pytest

from tasks.report import report
from tests.e2e.worlds import true_world
from warehouse.models import all_models
from warehouse.publish import mask_of
from warehouse.tables import declared_tables

HOSTILE = ("<script>alert(1)</script>", "{{7*7000003}}", "=cmd|' /C calc'!A0", '"><img src=x onerror=alert(1)>')


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    sql = "select table_schema || '.' || table_name from information_schema.tables order by 1"
    return [name for (name,) in con.execute(sql).fetchall()]


@pytest.fixture(scope="module")
def contacts(synced: Path) -> list[str]:
    """Addresses, mobiles and WeChat ids of all people of the world."""
    with true_world(synced) as con:
        rows = con.execute("select corporate_email, personal_email, mobile, wechat_unionid from true_people").fetchall()
    return sorted({value.lower() for row in rows for value in row if value})


@pytest.fixture(scope="module")
def names(synced: Path) -> list[str]:
    """Names of people of the world that are long enough to stand in a text by themselves."""
    with true_world(synced) as con:
        rows = con.execute("select distinct name from true_people where length(name) >= 3").fetchall()
    return [name.lower() for (name,) in rows]


@pytest.fixture(scope="module")
def pages(synced: Path) -> dict[str, str]:
    """The reports of the world: file name → HTML."""
    return {path.name: path.read_text(encoding="utf-8") for path in report(synced)}


def test_every_table_and_column_has_a_comment(published: duckdb.DuckDBPyConnection) -> None:
    bare = published.execute(
        """
        select schema_name || '.' || table_name, column_name from marts.dictionary
        where coalesce(trim(table_comment), '') = '' or coalesce(trim(comment), '') = ''
        """
    ).fetchall()
    assert bare == []
    described = {
        f"{schema}.{table}"
        for schema, table in published.execute(
            "select distinct schema_name, table_name from marts.dictionary"
        ).fetchall()
    }
    assert described == set(tables(published))


def test_every_grain_is_unique(published: duckdb.DuckDBPyConnection) -> None:
    """But where a key itself is masked: two people may look the same then."""
    grains = {name: spec.grain for name, spec in declared_tables().items() if spec.grain}
    grains |= {name: model.grain for name, model in all_models().items() if model.grain}
    asked = [
        name
        for name in tables(published)
        if name in grains and not any(mask_of(name, column, frozenset()) for column in grains[name])
    ]
    assert sum(name.startswith("marts.") for name in asked) > 10
    doubled = [
        name
        for name in asked
        if published.execute(
            f"select 1 from {name} group by {', '.join(grains[name])} having count(*) > 1 limit 1"
        ).fetchall()
    ]
    assert doubled == []


def test_nobody_of_the_world_can_be_reached_by_the_published_file(
    published: duckdb.DuckDBPyConnection, contacts: list[str]
) -> None:
    assert len(contacts) > 200
    assert leaks(published, contacts) == {}


def test_people_stand_in_the_published_file_under_masked_names(
    published: duckdb.DuckDBPyConnection, names: list[str]
) -> None:
    """Names of the owners, who are staff, and the words of the rules are no secret."""
    assert len(names) > 50
    found = leaks(published, names)
    assert {table: leaked for table, leaked in found.items() if not table.startswith(("rules.", "core.owners"))} == {}


def leaks(con: duckdb.DuckDBPyConnection, values: list[str]) -> dict[str, list[str]]:
    """Table → some of the values that stand in one of its rows, in whatever column."""
    found = {}
    for table in tables(con):
        rows = con.execute(f"select lower(string_agg(row::varchar, chr(10))) from {table} as row").fetchall()
        text = rows[0][0] or ""
        found[table] = [value for value in values if value in text][:3]
    return {table: leaked for table, leaked in found.items() if leaked}


def test_nobody_of_the_world_can_be_reached_by_the_report(pages: dict[str, str], contacts: list[str]) -> None:
    assert [value for page in pages.values() for value in contacts if value in page.lower()] == []


def test_a_campaigns_roi_opens_into_its_credits(published: duckdb.DuckDBPyConnection) -> None:
    wrong = published.execute(
        """
        select roi.campaign_id, roi.model, roi.basis, roi.attributed_amount, sum(credits.credit)
        from marts.campaign_roi as roi
        left join scored.credits using (campaign_id, model, basis)
        group by all
        having roi.attributed_amount is distinct from sum(credits.credit)
            or (any_value(roi.roi) is not null
                and abs((coalesce(sum(credits.credit), 0) / any_value(roi.full_cost) - 1) - any_value(roi.roi)) > 1e-9)
        """
    ).fetchall()
    assert wrong == []


def test_every_credit_opens_into_the_file_and_line_of_its_touch(
    published: duckdb.DuckDBPyConnection, synced: Path
) -> None:
    """The figure is followed by joins alone; the file at that line names the touch."""
    credited = "select count(*) from scored.credits where touch_id is not null"
    places = published.execute(
        """
        select credits.touch_id, files.file_name, source_rows.line
        from scored.credits
        join core.touches using (touch_id)
        join staging.source_rows on source_rows.entity = 'touches' and source_rows.row_id = touches.row_id
        join ops.files as files using (file_sha, entity)
        """
    ).fetchall()
    assert len(places) == published.execute(credited).fetchall()[0][0] > 100
    assert [place for place in places if place[2] is None] == []
    compressed = {place for place in places if place[1].endswith(".csv.gz")}
    assert len(compressed) > 10
    for touch_id, file_name, line in compressed:
        assert touch_id in line_of(synced / "inbox" / file_name, line)


def line_of(path: Path, line: int) -> list[str]:
    """The cells that begin on a physical line of a compressed CSV file, whatever its encoding."""
    raw = gzip.decompress(path.read_bytes())
    text = raw.decode("gb18030" if b"\xd6" in raw and not is_utf8(raw) else "utf-8-sig")
    return next(csv.reader(io.StringIO(text.splitlines()[line - 1])))


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_every_deal_and_payment_opens_into_its_file(published: duckdb.DuckDBPyConnection) -> None:
    for table in ("deals", "orders", "invoices", "payments"):
        lost = published.execute(
            f"""
            select row_id from core.{table}
            anti join (
                select row_id from staging.source_rows join ops.files using (file_sha, entity)
                where entity = '{table}' and line is not null and file_name is not null
            ) using (row_id)
            """
        ).fetchall()
        assert lost == [], table


def test_a_report_fetches_nothing_and_runs_nothing(pages: dict[str, str]) -> None:
    assert set(pages) == {"report.html", "report.en.html", "report.zh.html"}
    for name, page in pages.items():
        namespaces = re.sub(r'xmlns(:\w+)?="http://www\.w3\.org/[^"]*"', "", page)
        assert re.findall(r"https?://[^\s\"'<]*", namespaces) == [], name
        assert re.findall(r"<script|<iframe|<object|<embed|<link|\son\w+\s*=|javascript:|@import", page, re.I) == [], (
            name
        )
        assert "default-src 'none'" in page, name


def test_a_report_speaks_its_language(pages: dict[str, str]) -> None:
    assert '<html lang="zh">' in pages["report.zh.html"]
    assert '<html lang="en">' in pages["report.en.html"]
    assert pages["report.html"] == pages["report.en.html"]


def test_hostile_text_in_a_campaigns_name_is_inert(copy: Path) -> None:
    """V28: names that are HTML, a template or a formula are shown as the text they are."""
    with duckdb.connect(str(copy / "published" / "abmloop.duckdb")) as con:
        for place, text in enumerate(HOSTILE):
            con.execute(
                "update marts.campaign_roi set name = ?, channel = ? where campaign_id = ?",
                [text, text, f"C{place + 1:03}"],
            )
            con.execute(
                "update marts.channel_roi set channel = ? where channel = (select min(channel) from marts.channel_roi "
                "where channel not like '%alert%')",
                [text],
            )
    for path in report(copy):
        page = path.read_text(encoding="utf-8")
        assert re.findall(r"<script|<img|<iframe", page, re.I) == [], path.name
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "{{7*7000003}}" in page
        assert not re.search("49,?000,?021", page)
