"""Answers of the gates and differences of snapshots, in words."""

from collections.abc import Sequence
from typing import Any

from abmloop.messages import say
from warehouse.quality.gate import Answer

_SHARES = ("column_emptied", "values_changed", "refused_share")
_SHOWN = 5


def tell_difference(row: dict[str, Any], language: str) -> str:
    """A row of quality.differences as half a sentence: before and after, of which column or region."""
    is_share = row["kind"] in _SHARES
    change = f"{row['after'] / row['before'] - 1:+.0%}".replace("-", "−") if row["before"] else ""
    return say(
        f"quality.diff.{row['kind']}",
        language,
        subject=row["subject"],
        before=_figure(row["before"], is_share),
        after=_figure(row["after"], is_share),
        allowed=_figure(row["allowed"], is_share or row["kind"] == "rows_fell"),
        change=change,
        example=row["example"],
    )


def _figure(value: float, is_share: bool) -> str:
    return f"{value:.1%}".replace(".0%", "%") if is_share else f"{value:,.1f}".removesuffix(".0")


def tell_hold(row: dict[str, Any], language: str) -> str:
    """A held difference with its id, for the person who may accept it."""
    what = tell_difference(row, language)
    return say("quality.held", language, hold=row["hold_id"], file=row["file_name"], entity=row["entity"], what=what)


def tell_answer(answer: Answer, language: str) -> str:
    """A broken expectation: what must hold, where it does not."""
    where = "; ".join(f"{subject}: {value}" for subject, value in answer.failing[:_SHOWN])
    more = len(answer.failing) - _SHOWN
    return say(
        "quality.broken",
        language,
        door=say(f"quality.door.{answer.door}", language),
        expected=say(f"quality.expect.{answer.code}", language),
        where=where + (say("quality.more", language, count=more) if more > 0 else ""),
    )


def tell_stopped(answers: Sequence[Answer], holds: Sequence[dict[str, Any]], language: str, pages: str) -> str:
    """Why the run stopped, with figures, and what to do."""
    lines = [say("quality.stopped", language)]
    lines += [f"  {tell_answer(answer, language)}" for answer in answers]
    lines += [f"  {tell_hold(hold, language)}" for hold in holds]
    if holds:
        lines.append(say("quality.what_to_do", language, hold=holds[0]["hold_id"], pages=pages))
    else:
        lines.append(say("quality.what_to_do_rows", language, pages=pages))
    return "\n".join(lines)
