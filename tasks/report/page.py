"""The report's page: figures and charts into one escaped template."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from abmloop.messages import LANGUAGES, say
from abmloop.settings import Settings, load_settings
from tasks.report import figures
from tasks.report.drawings import Drawings
from tasks.report.figures import figure
from tasks.report.loop_figures import loop_figures
from tasks.summary import Rows, files_rows, quality_rows, refused_rows, rows_of
from warehouse.database import connect_published


def report(root: Path) -> list[Path]:
    """Write reports/report.html in the workspace's language and one per language beside it; gives their paths.

    Everything is in the file: no script, nothing fetched; data is escaped. Raises AbmError where nothing is published.
    """
    settings = load_settings(root)
    folder = root / "reports"
    folder.mkdir(mode=0o700, exist_ok=True)
    drawings = Drawings(root, "report")
    written = []
    with connect_published(root) as con:
        tables = loop_figures(con, figures.first_model(con))
        for language in LANGUAGES:
            page = _page(con, settings, language, drawings, tables)
            names = [f"report.{language}.html"] + ["report.html"] * (language == settings.language)
            written += [write_page(folder / name, page) for name in names]
    drawings.forget_others()
    return sorted(written)


def environment() -> Environment:
    """The templates of this folder; everything put into them is escaped."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {"number": _number, "share": _share, "part": _part, "points": _points}
    return made


def write_page(path: Path, page: str) -> Path:
    """Write a page in one step."""
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(path)
    return path


def _page(
    con: duckdb.DuckDBPyConnection, settings: Settings, language: str, drawings: Drawings, loop_tables: dict[str, Rows]
) -> str:
    model = figures.first_model(con)
    asked: dict[str, Any] = {"model": model, "stages": list(figures.STAGES)}

    def text(code: str, **fields: Any) -> str:
        return say(f"report.{code}", language, **fields)

    return (
        environment()
        .get_template("report.html.j2")
        .render(
            t=text,
            language=language,
            name=settings.name,
            currency=settings.currency,
            model=model,
            run=rows_of(con, "select * from marts.published")[0],
            glance=figure(con, figures.GLANCE, **asked)[0],
            campaigns=figure(con, figures.CAMPAIGNS, **asked),
            unattributed=figure(con, figures.UNATTRIBUTED, **asked)[0],
            journeys=figure(con, figures.JOURNEYS)[0],
            forecast=figure(con, figures.FORECAST),
            forecast_stages=figure(con, figures.FORECAST_BY_STAGE),
            back_test=figure(con, figures.BACK_TEST),
            back_test_errors=figure(con, figures.BACK_TEST_ERRORS),
            matches=figure(con, figures.MATCHES),
            files=files_rows(con),
            refused=refused_rows(con),
            doors=[
                {**row, "expectation": say(f"quality.expect.{row['expectation']}", language)}
                for row in quality_rows(con)
            ],
            charts=_charts(con, asked, language, drawings),
            loop_tables=loop_tables,
        )
    )


def _charts(
    con: duckdb.DuckDBPyConnection, asked: dict[str, Any], language: str, drawings: Drawings
) -> dict[str, Markup]:
    """Chart name → SVG."""
    draw = drawings.draw
    history = figure(con, figures.QUALITY_HISTORY)
    return {
        "funnel": draw("funnel", figure(con, figures.FUNNEL, **asked), language),
        "funnel_month": draw("funnel_by_month", figure(con, figures.FUNNEL_BY_MONTH, **asked), language),
        "channel_roi": draw("channel_roi", figure(con, figures.CHANNELS, **asked), language),
        "money_month": draw("money_by_month", figure(con, figures.MONEY_BY_MONTH), language),
        "refused_trend": draw("quality_trend", history, "refused_share", language),
        "rows_trend": draw("quality_trend", history, "rows_in", language),
        "models": draw("models", figure(con, figures.MODELS, **asked), language),
    }


def _number(value: Decimal | float | int | None, digits: int = 0) -> str:
    """A number with thousands set apart; empty where there is none."""
    return "" if value is None else f"{value:,.{digits}f}"


def _share(value: float | None) -> str:
    """A share in per cent with its sign; empty where there is none."""
    return "" if value is None else f"{value:+,.0%}".replace("-", "−")


def _part(value: float | None) -> str:
    """A share of a whole in per cent; empty where there is none."""
    return "" if value is None else f"{value:.1%}"


def _points(value: float | None) -> str:
    """A difference of shares in percentage points with its sign; empty where there is none."""
    return "" if value is None else f"{value * 100:+,.1f}".replace("-", "−")
