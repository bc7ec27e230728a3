"""The quality pages: one a day and language, with an index; no script, nothing fetched, every value escaped.

They are made from the warehouse, so that a run that was held shows why.
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from abmloop.messages import LANGUAGES, named, say
from abmloop.settings import load_settings
from tasks.predict.telling import fact_namer
from tasks.quality.refusals import Asked, count_refusals
from tasks.quality.telling import tell_difference
from tasks.report.drawings import Drawings
from tasks.report.page import environment, write_page
from tasks.summary import Rows, quality_rows, rows_of
from warehouse.database import connect_to_look
from warehouse.models import all_models
from warehouse.publish import masked_contacts

MOST_ROWS = 100
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\.(en|zh)\.html")
_STATE = re.compile(r'name="abmloop-state" content="(held|good)"')

_LAST_RUN = "select run_id, as_of from ops.steps order by started_at desc limit 1"
_DIFFERENCES = f"""
select * from quality.differences
order by state <> 'held', landed_on desc, entity, source, kind, subject limit {MOST_ROWS}
"""
_MENDED = f"""
select entity, column_name, rule, action, count(*) as values,
       {masked_contacts("min(value)")} as value, {masked_contacts("arg_min(repaired, value)")} as repaired
from quality.repairs group by all order by values desc, entity, column_name, rule limit {MOST_ROWS}
"""
_FILES = f"""
select file_name, entity, source, landed_on, format, encoding, encoding_confidence as encoding_share, rows_in, status,
       message
from ops.files order by landed_on desc, entity, file_name limit {MOST_ROWS}
"""
_DRIFT = f"""
select target, model, column_name, stability_index, rows, is_beyond
from scored.prediction_drift
order by is_beyond desc, target, stability_index desc, column_name limit {MOST_ROWS}
"""
_EXCLUDED = f"select * from marts.excluded_people order by people desc, kind, reason limit {MOST_ROWS}"
_HAS_EXCLUDED = "select 1 from duckdb_tables() where schema_name = 'marts' and table_name = 'excluded_people'"
_METRICS = (
    f"select metric, subject, value from quality.metrics where metric not like '%\\_on' escape '\\' limit {MOST_ROWS}"
)


def quality_pages(root: Path) -> list[Path]:
    """Write the page of the last run's day in both languages, and the index; gives their paths.

    Raises BadUsage where no run has been yet.
    """
    settings = load_settings(root)
    folder = root / "quality"
    folder.mkdir(mode=0o700, exist_ok=True)
    drawings = Drawings(root, "quality")
    written: list[Path] = []
    with connect_to_look(root) as con:
        last = rows_of(con, _LAST_RUN)
        for language in LANGUAGES if last else ():
            page = _page(con, settings.name, language, last[0], drawings)
            written.append(write_page(folder / f"{last[0]['as_of']}.{language}.html", page))
    drawings.forget_others()
    days = _days(folder)
    for language in LANGUAGES:
        index = environment().get_template("quality_index.html.j2")
        page = index.render(t=_texts(language), language=language, name=settings.name, days=days)
        names = [f"index.{language}.html"] + ["index.html"] * (language == settings.language)
        written += [write_page(folder / name, page) for name in names]
    return sorted(written)


def _texts(language: str) -> Any:
    return lambda code, **fields: say(f"report.{code}", language, **fields)


def _days(folder: Path) -> list[dict[str, str]]:
    """The days that have a page, newest first, with what it says."""
    found: dict[str, str] = {}
    for path in folder.glob("*.html"):
        name = _DAY.fullmatch(path.name)
        if name:
            state = _STATE.search(path.read_text(encoding="utf-8")[:1000])
            found[name[1]] = state[1] if state else "good"
    return [{"day": day, "state": found[day]} for day in sorted(found, reverse=True)]


def _drifts(con: duckdb.DuckDBPyConnection, language: str) -> list[dict[str, Any]]:
    """How far the newest MQLs differ from those that the scores in use were learnt from, a line a column."""
    fact = fact_namer(language)
    return [
        {
            **row,
            "column_name": fact(row["column_name"]),
            "stability_index": f"{row['stability_index']:.2f}",
            "state": say(f"report.drift.{'beyond' if row['is_beyond'] else 'within'}", language),
        }
        for row in rows_of(con, _DRIFT)
    ]


def _page(con: duckdb.DuckDBPyConnection, name: str, language: str, run: dict[str, Any], drawings: Drawings) -> str:
    differences = [
        {**row, "what": tell_difference(row, language), "state": say(f"quality.state.{row['state']}", language)}
        | {"is_held": row["state"] == "held"}
        for row in rows_of(con, _DIFFERENCES)
    ]
    doors = [_told(row, language) for row in quality_rows(con)]
    history = _history(con)
    return (
        environment()
        .get_template("quality.html.j2")
        .render(
            t=_texts(language),
            language=language,
            name=name,
            as_of=date.isoformat(run["as_of"]),
            run_id=run["run_id"],
            held=[row for row in differences if row["is_held"]],
            broken=[row for row in doors if not row["success"]],
            doors=doors,
            differences=differences,
            history=history[::-1][:MOST_ROWS],
            refused=_masked(con, count_refusals(con, Asked(state="all")))[:MOST_ROWS],
            refused_files=count_refusals(con, Asked(state="all"), "file")[:MOST_ROWS],
            mended=rows_of(con, _MENDED),
            files=rows_of(con, _FILES),
            metrics=[
                {**row, "metric": say(f"quality.metric.{row['metric']}", language)} for row in rows_of(con, _METRICS)
            ],
            drifts=_drifts(con, language),
            excluded=_excluded(con, language),
            charts={
                "refused_trend": drawings.draw("quality_trend", history, "refused_share", language),
                "rows_trend": drawings.draw("quality_trend", history, "rows_in", language),
            },
        )
    )


def _excluded(con: duckdb.DuckDBPyConnection, language: str) -> Rows:
    """Who is no lead, counted; nothing where the first run was held before it came so far."""
    rows = rows_of(con, _EXCLUDED) if rows_of(con, _HAS_EXCLUDED) else []
    return [{**row, "kind": named("exclusion", row["kind"], language)} for row in rows]


def _told(row: dict[str, Any], language: str) -> dict[str, Any]:
    """An expectation in words."""
    return {
        **row,
        "door": say(f"quality.door.{row['door']}", language),
        "expectation": say(f"quality.expect.{row['expectation']}", language),
        "observed": row["observed"] or "",
        "expected": _allowed(row["expected"] or ""),
    }


def _allowed(expected: str) -> str:
    """What an expectation was asked for, as a figure."""
    kind, _, value = expected.partition(" ")
    return f"≤ {float(value):.0%}" if kind == "max_value" else value.strip("[]").removesuffix(".0")


def _history(con: duckdb.DuckDBPyConnection) -> Rows:
    """What marts.quality_history says now: a run that was held has not built it."""
    sql = all_models()["marts.quality_history"].sql
    return rows_of(con, f"select * from ({sql}\n) order by landed_on, source, entity")


def _masked(con: duckdb.DuckDBPyConnection, rows: Rows) -> Rows:
    """The examples without people's contacts, as in the published file."""
    masked = con.execute(
        f"select list_transform($texts, lambda text: {masked_contacts('text')})",
        {"texts": [row["example"] or "" for row in rows]},
    )
    return [{**row, "example": text} for row, text in zip(rows, masked.fetchall()[0][0], strict=True)]
