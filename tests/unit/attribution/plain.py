"""Attribution as the specification says it, touch by touch: slow, plain, and none of the code it checks."""

from datetime import datetime, timedelta
from typing import Any

Touch = dict[str, Any]
Deal = dict[str, Any]

SHARES: dict[str, dict[str, float]] = {
    "first_touch": {"first": 100},
    "last_touch": {"last": 100},
    "lead_creation": {"lead": 100},
    "u_shaped": {"first": 40, "lead": 40},
    "u_shaped_50": {"first": 50, "lead": 50},
    "position_based": {"first": 40, "last": 40},
    "j_shaped": {"first": 20, "last": 60},
    "inverse_j": {"first": 60, "last": 20},
    "w_shaped": {"first": 30, "lead": 30, "opportunity": 30},
    "full_path": {"first": 22.5, "lead": 22.5, "opportunity": 22.5, "close": 22.5},
}


def window(deal: Deal, rules: dict[str, Any], as_of: datetime) -> tuple[datetime | None, datetime]:
    """First moment (None: without beginning) and last moment in which touches count; both count.

    A deal that was closed nobody knows when was closed on the day of the run.
    """
    closed = as_of if deal["status"] == "open" else deal["closed_at"]
    anchor = closed if rules["anchor"] == "closed" or deal["created_at"] is None else deal["created_at"]
    last = min(anchor, closed, as_of)
    if rules["until"] == "opened" and deal["created_at"] is not None:
        last = min(last, deal["created_at"])
    days = rules["lookback_days"]
    return (None if days == 0 else anchor - timedelta(days=days)), last


def eligible(touches: list[Touch], deal: Deal, rules: dict[str, Any], as_of: datetime, people: Any) -> list[Touch]:
    """The deal's touches that count, in order."""
    first, last = window(deal, rules, as_of)
    found = [
        touch
        for touch in touches
        if (touch["party"] == deal["party"] if people is None else touch["person"] in people)
        and (first is None or touch["at"] >= first)
        and touch["at"] <= last
        and touch["type"] not in rules["excluded_types"]
    ]
    found.sort(key=lambda touch: (touch["at"].replace(microsecond=0), touch["id"]))
    kept: list[Touch] = []
    for touch in found:
        campaign = named(touch)
        if rules["repeats"] == "collapse_consecutive":
            # The touch before in the journey, kept or not.
            place = found.index(touch)
            again = place > 0 and named(found[place - 1]) == campaign
        elif rules["repeats"] == "first_per_campaign":
            again = any(named(other) == campaign for other in kept)
        elif rules["repeats"] == "one_per_campaign_person_day":
            again = touch["person"] is not None and any(
                named(other) == campaign
                and other["person"] == touch["person"]
                and other["at"].date() == touch["at"].date()
                for other in kept
            )
        else:
            again = False
        if not again:
            kept.append(touch)
    return kept


def named(touch: Touch) -> str:
    """A touch without campaign counts under its channel."""
    return str(touch["campaign"] or f"({touch['channel']})")


def anchor(touches: list[Touch], deal: Deal, name: str) -> int | None:
    """The place of the touch on which the anchor falls."""
    if not touches:
        return None
    if name in ("first", "last"):
        return 0 if name == "first" else len(touches) - 1
    moment = {
        "lead": deal["lead_created_at"],
        "opportunity": deal["created_at"],
        "close": deal["closed_at"] if deal["status"] == "won" else None,
    }[name]
    before = [place for place, touch in enumerate(touches) if moment is not None and touch["at"] <= moment]
    return before[-1] if before else None


def anchored(touches: list[Touch], deal: Deal, shares: dict[str, float], factors: list[float]) -> list[float]:
    """Shares in per cent of the anchors (or positions, as numbers), the rest by factors; see the degenerate cases."""
    places = {name: _place(touches, deal, name) for name in shares}
    if list(shares.values()) == [100] and None in places.values():
        return [0.0] * len(touches)
    weight = [0.0] * len(touches)
    rest = 100 - sum(shares.values())
    for name, share in shares.items():
        place = places[name]
        if place is None:
            rest += share
        else:
            weight[place] += share
    free = [place for place in range(len(touches)) if place not in places.values()]
    room = sum(factors[place] for place in free)
    for place in free:
        weight[place] += rest * factors[place] / room if room else 0
    total = sum(weight)
    return [one / total if total else 0.0 for one in weight]


def _place(touches: list[Touch], deal: Deal, name: str) -> int | None:
    if not name.lstrip("-").isdigit():
        return anchor(touches, deal, name)
    place = int(name) - 1 if int(name) > 0 else len(touches) + int(name)
    return place if 0 <= place < len(touches) else None


def weights(touches: list[Touch], deal: Deal, model: str, half_life: float = 7) -> list[float]:
    """What each of the deal's touches gets by a rule model."""
    if model in SHARES:
        return anchored(touches, deal, SHARES[model], [1.0] * len(touches))
    names = [named(touch) for touch in touches]
    if model == "participation":
        return [float(name not in names[:place]) for place, name in enumerate(names)]
    if model == "last_non_direct":
        other = [place for place, touch in enumerate(touches) if touch["channel"] != "direct"]
        chosen = other[-1] if other else len(touches) - 1
        return [float(place == chosen) for place in range(len(touches))]
    if model == "linear":
        size = [1.0] * len(touches)
    elif model == "linear_campaign":
        size = [1 / names.count(name) for name in names]
    else:
        size = [2 ** (-(touches[-1]["at"] - touch["at"]).total_seconds() / 86400 / half_life) for touch in touches]
    return [one / sum(size) for one in size]
