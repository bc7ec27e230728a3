"""The report's charts: Altair, drawn once to SVG, so that the page needs no script and prints well."""

from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from abmloop.messages import say
from tasks.report.figures import STAGES
from tasks.summary import Rows

WIDTH, HEIGHT = 480, 240
INK, QUIET, WARN = "#1f4e79", "#9fb8d0", "#c8553d"
FONTS = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif"


def _svg(chart: Any, described: str) -> str:
    """The chart as inline SVG with a description for those who cannot see it."""
    styled = (
        chart.properties(background="transparent", description=described)
        .configure(font=FONTS)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, titleFontSize=12, gridColor="#e6e6e6", domainColor="#999")
        .configure_legend(labelFontSize=12, title=None, orient="top")
    )
    return str(vl_convert.vegalite_to_svg(styled.to_dict()))


def _stage(name: str, language: str) -> str:
    return say(f"report.stage.{name}", language)


def funnel(rows: Rows, language: str) -> str:
    """A bar per stage, in the order of the life cycle, with its number."""
    found = {row["stage"]: row["leads"] for row in rows}
    frame = pd.DataFrame([{"stage": _stage(name, language), "leads": found.get(name, 0)} for name in STAGES])
    base = alt.Chart(frame).encode(
        y=alt.Y("stage:N", sort=list(frame["stage"]), title=None),
        x=alt.X("leads:Q", title=None, axis=None, scale=alt.Scale(type="sqrt")),
    )
    labels = base.mark_text(align="left", dx=4, fontSize=12).encode(text=alt.Text("leads:Q", format=","))
    return _svg(
        (base.mark_bar(color=INK) + labels).properties(width=WIDTH, height=HEIGHT), say("report.funnel", language)
    )


def funnel_by_month(rows: Rows, language: str) -> str:
    """A line per stage over the months."""
    frame = pd.DataFrame([{**row, "stage": _stage(row["stage"], language)} for row in rows])
    if frame.empty:
        return ""
    order = [_stage(name, language) for name in STAGES]
    chart = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("leads:Q", title=say("report.col.leads", language)),
            color=alt.Color("stage:N", sort=order, scale=alt.Scale(scheme="tableau10")),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=HEIGHT), say("report.funnel_month", language))


def channel_roi(rows: Rows, language: str) -> str:
    """Cost and cash side by side per channel, named by their column titles."""
    titles = {"cost": say("report.col.cost", language), "amount": say("report.col.cash", language)}
    long = [
        {"channel": row["channel"] or "?", "kind": title, "value": float(row[key] or 0)}
        for row in rows
        for key, title in titles.items()
    ]
    frame = pd.DataFrame(long)
    if frame.empty:
        return ""
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("channel:N", title=None, sort=[row["channel"] or "?" for row in rows]),
            x=alt.X("value:Q", title=None, axis=alt.Axis(format="~s")),
            yOffset=alt.YOffset("kind:N", sort=list(titles.values())),
            color=alt.Color("kind:N", sort=list(titles.values()), scale=alt.Scale(range=[QUIET, INK])),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=alt.Step(13)), say("report.channel_roi", language, model=""))


def money_by_month(rows: Rows, language: str) -> str:
    """Signed and received amounts per month."""
    frame = pd.DataFrame([{**row, "basis": say(f"report.col.{row['basis']}", language)} for row in rows])
    if frame.empty:
        return ""
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("amount:Q", title=None, axis=alt.Axis(format="~s")),
            xOffset="basis:N",
            color=alt.Color("basis:N", scale=alt.Scale(range=[QUIET, INK])),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=HEIGHT), say("report.money_month", language))


def models(rows: Rows, language: str) -> str:
    """A square per campaign and model, darker where the model gives it more."""
    frame = pd.DataFrame(rows)
    if frame.empty:
        return ""
    base = alt.Chart(frame).encode(
        x=alt.X("model:N", title=None, axis=alt.Axis(labelAngle=-40)), y=alt.Y("campaign:N", title=None)
    )
    squares = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues"), legend=None),
    )
    numbers = base.mark_text(fontSize=10).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.12", alt.value("white"), alt.value("#333")),
    )
    return _svg((squares + numbers).properties(width=alt.Step(44), height=alt.Step(24)), say("report.models", language))


MOST_LINES = 8


def quality_trend(rows: Rows, figure: str, language: str) -> str:
    """A line per source and entity over the landing days, the largest ones; nothing where there is but one day."""
    frame = pd.DataFrame(
        [
            {"line": f"{row['source']} / {row['entity']}"[:40], "day": str(row["landed_on"]), "value": row[figure]}
            for row in rows
            if row[figure] is not None
        ]
    )
    if frame.empty or frame["day"].nunique() < 2:
        return ""
    rank = frame.groupby("line")["value"].sum().sort_values(ascending=False, kind="stable")
    frame = frame[frame["line"].isin(rank.index[:MOST_LINES])]
    is_share = figure.endswith("share")
    chart = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            y=alt.Y(
                "value:Q",
                title=say(f"report.col.{figure}", language),
                axis=alt.Axis(format=".1%" if is_share else "~s"),
                scale=alt.Scale(type="linear" if is_share else "symlog"),
            ),
            color=alt.Color("line:N", sort=list(rank.index[:MOST_LINES]), legend=alt.Legend(columns=2, labelLimit=220)),
        )
    )
    return _svg(chart.properties(width=WIDTH, height=HEIGHT), say("report.trend", language))
