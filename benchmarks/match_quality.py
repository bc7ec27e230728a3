"""Draw how good matches are: is a stated confidence kept, and what is decided per kind of contact.

usage: python -m benchmarks.match_quality MATCHES TRUTH OUT.svg

MATCHES is what `abmloop match` wrote (Parquet); TRUTH has cid, slice, ids (the right accounts, null where the company
is not in the directory). Prints the table per slice as Markdown.
"""

import sys
from pathlib import Path

import altair
import duckdb
import pandas as pd
import vl_convert

_JUDGED = """
select truth.slice, truth.ids is not null as has_account, matches.confidence, matches.decision,
       coalesce(list_contains(truth.ids, matches.account_id), false) as is_right
from read_parquet($truth) as truth
join read_parquet($matches) as matches on matches.contact_id = truth.cid
"""
_EDGES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.001)


def main() -> None:
    """Draw and print."""
    matches, truth, out = sys.argv[1:4]
    rows = duckdb.connect().execute(_JUDGED, {"truth": truth, "matches": matches}).df()
    slices = per_slice(rows)
    chart = altair.hconcat(_curve(reliability(rows)), _bars(slices))
    Path(out).write_text(vl_convert.vegalite_to_svg(chart.to_json()), encoding="utf-8")
    print("| slice | contacts | decided | right | recall or false accepts |\n|---|---:|---:|---:|---:|")
    for row in slices.itertuples():
        print(f"| {row.slice} | {row.contacts:,} | {row.decided:,} | {row.right:,} | {row.share:.4f} |")


def per_slice(rows: pd.DataFrame) -> pd.DataFrame:
    """slice, contacts, decided, right, and the share decided rightly, or decided at all where no company is right."""
    taken = rows.assign(decided=rows["decision"] == "auto", right=(rows["decision"] == "auto") & rows["is_right"])
    found = taken.groupby("slice").agg(
        contacts=("decided", "size"), decided=("decided", "sum"), right=("right", "sum"), has=("has_account", "max")
    )
    found["share"] = found["right"].where(found["has"], found["decided"]) / found["contacts"]
    return found.reset_index()


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean confidence said and share right, by confidence."""
    proposed = rows[rows["confidence"] >= _EDGES[0]]
    bins = pd.cut(proposed["confidence"], list(_EDGES), right=False)
    found = proposed.groupby(bins, observed=True).agg(said=("confidence", "mean"), right=("is_right", "mean"))
    return found.reset_index(drop=True)


def _curve(points: pd.DataFrame) -> altair.LayerChart:
    scale = altair.Scale(domain=[0.3, 1])
    x, y = altair.X("said", title="confidence said", scale=scale), altair.Y("right", title="share right", scale=scale)
    even = altair.Chart(pd.DataFrame({"said": [0.3, 1], "right": [0.3, 1]})).mark_line(strokeDash=[4, 4], color="gray")
    kept = altair.Chart(points).mark_line(point=True)
    return altair.layer(even.encode(x=x, y=y), kept.encode(x=x, y=y)).properties(
        width=260, height=260, title="Is confidence kept?"
    )


def _bars(slices: pd.DataFrame) -> altair.Chart:
    return (
        altair.Chart(slices)
        .mark_bar()
        .encode(
            x=altair.X("share", title="decided rightly; neg_*: falsely accepted", scale=altair.Scale(domain=[0, 1])),
            y=altair.Y("slice", title=None),
            color=altair.Color("has", legend=None),
        )
        .properties(width=320, height=260, title="Decided without asking, per kind of contact")
    )


if __name__ == "__main__":
    main()
