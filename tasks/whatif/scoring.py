"""What if leads were scored by other rules: who would be MQL, when, and how that fits what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from abmloop.calendar import end_of_local_day
from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.icp import IcpPolicy
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import rule_tables
from scoring.policies.tags import TagsPolicy
from scoring.stage_changes import Measures, Period, measure, stage_changes, weekly_load
from tasks.resolve.segments import judge_accounts, judged_columns
from tasks.score.lines import Clock
from tasks.score.log import write_all_lines
from tasks.score.points import VIEWS
from tasks.score.stages import stages_by_rules
from tasks.whatif.history import History

SETTLE_DAYS = 90  # most evidence of a qualified lead comes within a quarter; younger MQLs are not judged yet

_DESCRIBED = """
select changes.lead_id, persons.name, leads.account_id, accounts.name as account, grades.fit_grade,
       grades.engagement_points::double as points, changes.change, changes.mql_at_before, changes.mql_at_after,
       changes.stage_before, changes.stage_after, changes.outcome
from changes
left join scored.leads using (lead_id)
left join scored.grades using (lead_id)
left join matched.persons on persons.person_id = leads.person_id
left join resolved.accounts on accounts.account_id = leads.account_id
order by changes.lead_id
"""


@dataclass(frozen=True)
class ScoringAnswer:
    """What other rules would have come to. `changes`: one row per lead that changes; `weeks`: week, before, after."""

    since: date
    until: date
    leads: int
    before: Measures
    after: Measures
    changes: pa.Table
    weeks: pa.Table

    def counts(self) -> dict[str, int]:
        """Leads by kind of change."""
        found = self.changes["change"].to_pylist()
        return {kind: found.count(kind) for kind in ("gained", "lost", "earlier", "later", "stage")}

    def to_json(self) -> dict[str, Any]:
        """Plain values, for scripts."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "leads": self.leads,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "changed": self.counts(),
            "weeks": self.weeks.to_pylist(),
            "changes": self.changes.to_pylist(),
        }


@dataclass(frozen=True)
class Rules:
    """What leads are judged by: points and bars, the ideal customer profile, and the tags that the profile asks for."""

    scoring: ScoringPolicy
    icp: IcpPolicy
    tags: TagsPolicy

    @classmethod
    def of(cls, history: History) -> Rules:
        """Those under which the last run judged."""
        return cls(history.policy(ScoringPolicy), history.policy(IcpPolicy), history.policy(TagsPolicy))


def whatif_scoring(history: History, rules: Rules, since: date | None, until: date | None) -> ScoringAnswer:
    """Replay all leads under the rules of the last run and under `rules`; compare what they entered since `since`.

    Both are replays: judgements that stand although the rules have changed since are not among them; accounts are
    judged as they are known today. Raises BadUsage where the period is empty.
    """
    last_rules, policy = Rules.of(history), rules.scoring
    current = last_rules.scoring
    before = _replayed(history, current)
    if (rules.icp, rules.tags) != (last_rules.icp, last_rules.tags):
        _judge_anew(history, rules)
    after = _replayed(history, policy)
    signals = history.table("scored.stage_signals")
    first, last = _period_days(history, before, since, until)
    timezone = history.settings.timezone
    begin, end = (_utc(end_of_local_day(day, timezone)) for day in (first - timedelta(days=1), last))
    period = Period(begin + timedelta(seconds=1), end, SETTLE_DAYS, timezone)
    history.con.register("changes", stage_changes(before, after, signals, period))
    try:
        changes = history.query(_DESCRIBED)
    finally:
        history.con.unregister("changes")
    loads = [weekly_load(told, rules.handover, period) for told, rules in ((before, current), (after, policy))]
    return ScoringAnswer(
        first,
        last,
        history.table("scored.leads").num_rows,
        measure(before, signals, current.handover, period),
        measure(after, signals, policy.handover, period),
        changes,
        pa.table({"week": loads[0]["week"], "before": loads[0]["leads"], "after": loads[1]["leads"]}),
    )


def _judge_anew(history: History, rules: Rules) -> None:
    """Fit and targets of the leads' accounts by another profile; persons' fit too."""
    accounts = history.query(
        f"select {', '.join(judged_columns(rules.tags, rules.icp))} from resolved.accounts "
        "where account_id in (select account_id from scored.leads)"
    )
    _, fit, targets = judge_accounts(accounts, rules.tags, rules.icp)
    history.replace("resolved.account_fit", fit)
    history.replace("resolved.rule_targets", targets)
    history.replace("rules.icp", rules.icp.as_table())
    history.replace("rules.person_icp", rules.icp.person_table())
    history.replace("rules.fit_grades", rules.icp.grade_table())
    history.build("resolved.target_accounts", "scored.buying_roles", "scored.person_fit")


def _replayed(history: History, policy: ScoringPolicy) -> pa.Table:
    """The stages of all leads under these rules; the scored tables in memory are theirs afterwards."""
    for name, rows in rule_tables(policy).items():
        history.replace(name, rows)
    history.build("scored.leads", *VIEWS)
    history.empty("scored.score_lines")
    at = history.parameters["at"]
    write_all_lines(history.con, Clock(history.as_of, at, history.settings.timezone))
    history.build("scored.person_points", "scored.grades", "scored.stage_signals")
    return stages_by_rules(history.con, policy, history.as_of, history.settings.timezone)


def _period_days(history: History, told: pa.Table, since: date | None, until: date | None) -> tuple[date, date]:
    """The first and last day looked at; without `since` from the first stage any lead entered."""
    last = min(until or history.as_of, history.as_of)
    entered = told["entered_at"].to_pylist()
    first = since or min((at.date() for at in entered), default=last)
    if first > last:
        raise BadUsage(said("usage_from_too_late", first=first, last=last))
    return first, last


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
