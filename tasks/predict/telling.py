"""The report of a predictive model in words, from its card: for the terminal, and as Markdown beside the model."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from abmloop.messages import say
from scoring.predict.binning import Bins
from scoring.predict.model import PredictModel
from scoring.predict.reasons import tell_reasons
from scoring.predict.scorecard import POINTS_TO_DOUBLE

POINTS_OF = "points of "  # how a column of the points of a group of rules begins
PROBABILITY = "probability"  # how the drift of what a model says is named beside that of its columns
_MOST_BINS = 25  # of one column in the report; the card has all
_AS_SHARE = ("share", "blank", "filled")


def tell_model(model: PredictModel, language: str) -> str:
    """The whole report."""
    card = model.card
    parts = [
        f"# {say('predict.title', language, target=card['target'])}",
        *_history(card, language),
        _verdict(model, language),
    ]
    if card["figures"]:
        parts += _figures(card["figures"], language)
    if model.state == "ready":
        parts += _scorecard(model, language)
    parts += _columns(card, language)
    return "\n\n".join(part for part in parts if part) + "\n"


def tell_refusal(refusal: Mapping[str, Any], language: str) -> str:
    """Why a column is refused."""
    figures = {
        name: f"{value:.1%}" if name in _AS_SHARE else f"{value:.3f}" if isinstance(value, float) else value
        for name, value in refusal["figures"].items()
    }
    if refusal["rule"] == "pure":
        named = {"": "predict.no_value", "*": "predict.any_value"}.get(str(figures["value"]))
        figures["value"] = say(named, language) if named else f"“{figures['value']}”"
    return say(f"predict.refused.{refusal['rule']}", language, **figures)


def fact_namer(language: str) -> Callable[[str], str]:
    """What the facts of an MQL are called in that language, and the chance itself; points of a group by the group."""

    def name(fact: str) -> str:
        if fact == PROBABILITY:
            return say("predict.col.probability", language)
        group = fact.removeprefix(POINTS_OF)
        return (
            say("predict.fact.points", language, group=group)
            if group != fact
            else say(f"predict.fact.{fact}", language)
        )

    return name


def tell_chance(row: Mapping[str, Any], language: str) -> str:
    """A row of scored.predictions in words: target, chance, version and reasons."""
    reasons = tell_reasons(json.loads(row["moved"]), language, fact_namer(language))
    shown = f"{row['probability']:.0%}"
    return say(f"predict.chance.{row['target']}", language, chance=shown, model=row["model"], reasons=reasons)


def _history(card: Mapping[str, Any], language: str) -> list[str]:
    came, did_not = (", ".join(card[name]) or "-" for name in ("came", "did_not"))
    lines = [
        say(
            "predict.learnt_from", language, rows=f"{card['rows']:,}", rows_in=f"{card['rows_in']:,}",
            outcomes=f"{card['outcomes']:,}", share=f"{card['base_rate']:.1%}", came=came, did_not=did_not,
        )
    ]  # fmt: skip
    if card["still_open"]:
        lines.append(say("predict.still_open", language, values=", ".join(card["still_open"])))
    if not card["rows"]:
        return [" ".join(lines)]
    period = say("predict.period", language, start=card["period"][0], end=card["period"][1]) if card["period"] else ""
    lines.append(say(f"predict.order.{card['order']['by']}", language, column=card["order"]["column"], period=period))
    return [" ".join([*lines, *_gaps(card["gaps"], language)])]


def _gaps(gaps: Mapping[str, Any], language: str) -> list[str]:
    """Rows whose outcomes were not recorded yet, and newest ones whose outcomes may not be known yet."""
    lines = []
    if "unrecorded" in gaps:
        until = gaps["unrecorded"]["until"]
        shown = {name: f"{gaps['unrecorded'][name]:,}" for name in ("rows", "outcomes")}
        last = say("predict.until", language, day=until) if until else ""
        lines.append(say("predict.unrecorded", language, until=last, **shown))
    if "unripe" in gaps:
        lines.append(say("predict.unripe", language, **{name: f"{count:,}" for name, count in gaps["unripe"].items()}))
    return lines


def _verdict(model: PredictModel, language: str) -> str:
    card, figures = model.card, model.card["figures"]
    base = f"{card['base_rate']:.1%}"
    if model.state == "too_little":
        rarer = min(card["outcomes"], card["rows"] - card["outcomes"])
        needed = {"rows_needed": card["least_rows"], "outcomes_needed": card["least_outcomes"]}
        return say("predict.state.too_little", language, rows=card["rows"], least_seen=rarer, **needed)
    if not figures:
        return say("predict.state.no_columns", language, base=base)
    shown = {"auc": f"{figures['auc']:.3f}", "low": f"{figures['auc_low']:.3f}", "high": f"{figures['auc_high']:.3f}"}
    text = say(f"predict.state.{model.state}", language, rows=f"{figures['rows']:,}", base=base, **shown)
    if figures["purged"]:
        text += " " + say("predict.purged", language, purged=figures["purged"])
    return text


def _figures(figures: Mapping[str, Any], language: str) -> list[str]:
    quality = [
        (
            say("predict.who.model", language),
            *(f"{figures[name]:.4f}" for name in ("auc", "log_loss", "calibration_error")),
        ),
        (
            say("predict.who.card", language),
            *(f"{figures[f'scorecard_{name}']:.4f}" for name in ("auc", "log_loss", "calibration_error")),
        ),
        (say("predict.who.base", language), "0.5000", f"{figures['base_log_loss']:.4f}", ""),
    ]
    groups = [(f"{row['rows']:,}", f"{row['said']:.1%}", f"{row['became']:.1%}") for row in figures["calibration"]]
    deciles = [
        (
            str(row["decile"]),
            f"{row['rows']:,}",
            f"{row['became']:.1%}",
            f"{row['lift']:.2f}",
            f"{row['caught_share']:.0%}",
        )
        for row in figures["lift"]
    ]
    return [
        _table("quality", ("who", "auc", "log_loss", "ece"), quality, language),
        _table("calibration", ("rows", "said", "became"), groups, language),
        _table("lift", ("decile", "rows", "became", "lift", "caught"), deciles, language),
    ]


def _scorecard(model: PredictModel, language: str) -> list[str]:
    card = model.scorecard
    rows: list[tuple[str, ...]] = []
    for bins, points in zip(card.bins, card.points, strict=True):
        order = [*range(2, bins.count), 1, 0] if bins.kind == "value" else [*range(2, bins.count), 0]
        told = order[:_MOST_BINS] if any(points) else []
        rows += [(bins.column, tell_bin(bins, place, language), str(points[place])) for place in told]
    worth = [(str(row["points"]), f"{row['probability']:.1%}") for row in card.table()]
    head = {"double": POINTS_TO_DOUBLE}
    return [
        _table("scorecard", ("column", "bin", "points"), rows, language, **head),
        _table("worth", ("points", "probability"), worth, language),
    ]


def tell_bin(bins: Bins, place: int, language: str) -> str:
    """Where a value lies, as read aloud."""
    kind, start, end = bins.told(place)
    if kind in ("blank", "other"):
        return say(f"predict.bin.{kind}", language)
    if kind in ("value", "lone"):
        return start
    code = "all" if not start and not end else "up_to" if not start else "over" if not end else "between"
    return say(f"predict.bin.{code}", language, start=start, end=end)


def _columns(card: Mapping[str, Any], language: str) -> list[str]:
    found = []
    if card["warned"]:
        rows = [(one["column"], tell_refusal(one, language)) for one in card["warned"]]
        found.append(_table("warned", ("column", "reason"), rows, language))
    if card["refused"]:
        rows = [(one["column"], tell_refusal(one, language)) for one in card["refused"]]
        found.append(_table("refused", ("column", "reason"), rows, language))
        if any(one["is_leak"] for one in card["refused"]):
            found.append(say("predict.name_them", language))
    if card["blanks"]:
        rows = [
            (name, ", ".join(f"{text} ({count:,})" for text, count in found_))
            for name, found_ in card["blanks"].items()
        ]
        found.append(_table("blanks", ("column", "bin"), rows, language))
    return found


def _table(head: str, columns: Sequence[str], rows: Iterable[Sequence[str]], language: str, **fields: Any) -> str:
    """A Markdown table under its heading."""
    names = [say(f"predict.col.{column}", language) for column in columns]
    lines = [f"## {say(f'predict.head.{head}', language, **fields)}", "", _line(names), _line(["---"] * len(names))]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    plain = ("".join(char if char.isprintable() else " " for char in cell).replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(plain) + " |"
