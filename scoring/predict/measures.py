"""How good probabilities are: order (AUC), sharpness (log loss), honesty (ECE), and what a decile brings (lift)."""

from typing import Any

import numpy as np

Numbers = Any  # a NumPy array
_LEAST = 1e-6
Z95 = 1.96


def log_odds(probability: Numbers) -> Numbers:
    """Probabilities as log-odds, bounded at one in a million."""
    bounded = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.log(bounded / (1 - bounded))


def share_of(odds: Numbers) -> Numbers:
    """Log-odds as probabilities."""
    return 1 / (1 + np.exp(-np.clip(odds, -40, 40)))


def auc(outcome: Numbers, score: Numbers) -> float:
    """Share of pairs (one that became, one that did not) in which the first has the higher score; ties count half."""
    came = outcome == 1
    pairs = int(came.sum()) * int((~came).sum())
    if not pairs:
        return 0.5
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    least = came.sum() * (came.sum() + 1) / 2
    return float((rank[came].sum() - least) / pairs)


def auc_within(outcome: Numbers, score: Numbers, block: Numbers) -> float:
    """The AUC of pairs within the same block only: what drifts with time between blocks counts for nothing."""
    total, pairs = 0.0, 0
    for number in np.unique(block):
        rows = block == number
        came = int((outcome[rows] == 1).sum())
        here = came * (int(rows.sum()) - came)
        total += auc(outcome[rows], score[rows]) * here
        pairs += here
    return total / pairs if pairs else 0.5


def auc_error(value: float, came: int, did_not: int) -> float:
    """Standard error of an AUC of so many that became and did not.

    Source: Hanley and McNeil (1982), The meaning and use of the area under a ROC curve.
    """
    if not came or not did_not:
        return 0.5
    one, two = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (came - 1) * (one - value * value) + (did_not - 1) * (two - value * value)
    return float(np.sqrt(max(spread, 0.0) / (came * did_not)))


def log_loss(outcome: Numbers, probability: Numbers) -> float:
    """Mean surprise at the outcomes, in nats."""
    return float(loss_per_row(outcome, probability).mean()) if len(outcome) else 0.0


def loss_per_row(outcome: Numbers, probability: Numbers) -> Numbers:
    """Surprise at each outcome, in nats."""
    bounded = np.clip(probability, _LEAST, 1 - _LEAST)
    return -(outcome * np.log(bounded) + (1 - outcome) * np.log(1 - bounded))


def calibration_table(outcome: Numbers, probability: Numbers, bins: int = 10) -> list[dict[str, float]]:
    """Rows in `bins` groups of equal count by rising probability: rows, mean said, share that became."""
    order = np.argsort(probability, kind="stable")
    return [
        {
            "rows": len(rows),
            "from": round(float(probability[rows[0]]), 4),
            "said": round(float(probability[rows].mean()), 4),
            "became": round(float(outcome[rows].mean()), 4),
        }
        for rows in np.array_split(order, bins)
        if len(rows)
    ]


def calibration_error(outcome: Numbers, probability: Numbers, bins: int = 10) -> float:
    """ECE: mean gap between what was said and what became over ten groups of equal count, weighed by rows."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        len(rows) * abs(float(probability[rows].mean() - outcome[rows].mean()))
        for rows in np.array_split(order, bins)
        if len(rows)
    ]
    return sum(gaps) / max(len(order), 1)


def lift_table(outcome: Numbers, score: Numbers, bins: int = 10) -> list[dict[str, float]]:
    """Deciles from the best down: rows, share that became, lift over all, share of all outcomes caught so far."""
    order = np.argsort(-score, kind="stable")
    base, total, caught = float(outcome.mean()), float(outcome.sum()), 0.0
    found = []
    for number, rows in enumerate(np.array_split(order, bins), start=1):
        if not len(rows):
            continue
        caught += float(outcome[rows].sum())
        rate = float(outcome[rows].mean())
        found.append(
            {
                "decile": number,
                "rows": len(rows),
                "became": round(rate, 4),
                "lift": round(rate / base, 2) if base else 0.0,
                "caught_share": round(caught / total, 4) if total else 0.0,
            }
        )
    return found


def stability_index(before: Numbers, after: Numbers) -> float:
    """PSI of two counts over the same bins: under 0.1 the same, over 0.25 another population."""
    one = (before + 0.5) / (before.sum() + 0.5 * len(before))
    two = (after + 0.5) / (after.sum() + 0.5 * len(after))
    return float(((two - one) * np.log(two / one)).sum())
