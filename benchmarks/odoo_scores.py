"""Odoo's predictive lead scoring, written anew from its public documentation: naive Bayes of frequencies per value.

For every field and value it counts how many leads were won and lost with it, each count starting at 0.1. A lead's
chance is that of naive Bayes over the fields' values that were seen, beside the share that was won, in its team where
it has one; it is held between 0.01 and 99.99 in a hundred. There is no split by time, no grouping of numbers and no
calibration.

Source: Odoo documentation, Sales, CRM, "Assign leads with predictive lead scoring".
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

START = 0.1
LEAST, MOST = 0.0001, 0.9999


class OdooScores:
    """Frequencies of values among won and lost leads, per team."""

    def __init__(self, fields: Sequence[str], team: str | None = None) -> None:
        self.fields, self.team = fields, team
        self.totals: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.counts: dict[Any, list[float]] = defaultdict(lambda: [START, START])

    def learn(self, leads: Sequence[Mapping[str, str]], won: Sequence[float]) -> None:
        """Count the values of closed leads."""
        for lead, came in zip(leads, won, strict=True):
            team = lead[self.team] if self.team else None
            place = 0 if came else 1
            self.totals[team][place] += 1
            for field in self.fields:
                if lead[field]:
                    self.counts[team, field, lead[field]][place] += 1

    def say(self, leads: Sequence[Mapping[str, str]]) -> Any:
        """The chance of every lead."""
        return np.array([self._chance(lead) for lead in leads])

    def _chance(self, lead: Mapping[str, str]) -> float:
        team = lead[self.team] if self.team else None
        won, lost = self.totals[team]
        if not won or not lost:
            return MOST if won else LEAST
        logs = np.log([won / (won + lost), lost / (won + lost)])
        for field in self.fields:
            key = (team, field, lead[field])
            if lead[field] and key in self.counts:
                logs = logs + np.log(np.array(self.counts[key]) / [won, lost])
        chance = 1 / (1 + np.exp(logs[1] - logs[0]))
        return float(min(max(chance, LEAST), MOST))
