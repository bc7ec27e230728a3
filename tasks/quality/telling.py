"""Answers of the gates and differences of snapshots, in words."""

from collections.abc import Sequence
from typing import Any

from abmloop.messages import Said, said, together
from warehouse.quality.gate import Answer

_SHARES = ("column_emptied", "values_changed", "refused_share")
_SHOWN = 5


def tell_difference(row: dict[str, Any], language: str) -> str:
    """A row of quality.differences as half a sentence: before and after, of which column or region."""
    return _difference(row).told(language)


def tell_hold(row: dict[str, Any], language: str) -> str:
    """A held difference with its id, for the person who may accept it."""
    return _hold(row).told(language)


def stopped_words(answers: Sequence[Answer], holds: Sequence[dict[str, Any]], pages: str) -> Said:
    """Why the run stopped, with figures, and what to do."""
    lines = [together(["  ", one], "") for one in (*map(_broken, answers), *map(_hold, holds))]
    next_step = (
        said("quality.what_to_do", hold=holds[0]["hold_id"], pages=pages)
        if holds
        else said("quality.what_to_do_rows", pages=pages)
    )
    return together([said("quality.stopped"), *lines, next_step])


def _difference(row: dict[str, Any]) -> Said:
    is_share = row["kind"] in _SHARES
    change = f"{row['after'] / row['before'] - 1:+.0%}".replace("-", "−") if row["before"] else ""
    return said(
        f"quality.diff.{row['kind']}",
        subject=row["subject"],
        before=_figure(row["before"], is_share),
        after=_figure(row["after"], is_share),
        allowed=_figure(row["allowed"], is_share or row["kind"] == "rows_fell"),
        change=change,
        example=row["example"],
    )


def _figure(value: float, is_share: bool) -> str:
    return f"{value:.1%}".replace(".0%", "%") if is_share else f"{value:,.1f}".removesuffix(".0")


def _hold(row: dict[str, Any]) -> Said:
    named = {"hold": row["hold_id"], "file": row["file_name"], "entity": row["entity"]}
    return said("quality.held", what=_difference(row), **named)


def _broken(answer: Answer) -> Said:
    """A broken expectation: what must hold, where it does not."""
    where = "; ".join(f"{subject}: {value}" for subject, value in answer.failing[:_SHOWN])
    more = len(answer.failing) - _SHOWN
    return said(
        "quality.broken",
        door=said(f"quality.door.{answer.door}"),
        expected=said(f"quality.expect.{answer.code}"),
        where=together([where, *([said("quality.more", count=more)] if more > 0 else [])], ""),
    )
