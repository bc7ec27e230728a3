"""Scores and stages: what every touch earned, where every lead stands, and since when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa

from abmloop.faultpoint import fault_point
from abmloop.run import Run, StepCounts
from scoring.lifecycle import replay_stages
from scoring.policies.scoring import ScoringPolicy
from scoring.policies.scoring_tables import rule_tables
from scoring.stage_history import project_stages
from tasks.policies import load_policy
from warehouse.steps import Work, step

MODELS = (
    "scored.leads",
    "scored.score_day",
    "scored.score_events",
    "scored.event_points",
    "scored.scores",
    "scored.grades",
    "scored.stage_signals",
)

_LEADS = """
select lead_id, inquiry_at, fit_grade, mql_from_points, leave_below_points, blocked_by
from scored.leads join scored.grades using (lead_id)
"""

_EVENTS = """
select leads.lead_id, event_id, rule_id, event_at, event_on, capped_points::double as capped_points,
       half_life_days::double as half_life_days, percent_per_month, window_days::double as window_days
from scored.score_events
join scored.leads on leads.person_id = score_events.subject
where subject_kind = 'person' and model = 'engagement' and capped_points <> 0
"""

_NAMED = """
select md5(concat_ws('|', replayed.lead_id, cycle, stage, epoch_us(entered_at))) as transition_id, replayed.*,
       leads.person_key, leads.account_id as account_key
from replayed join scored.leads using (lead_id)
"""

_RECORDED = """
with key_lead as (
    -- Lines written before hashes were keyed bear the plain one.
    select keys.person_key, min(leads.lead_id) as lead_id
    from (
        select person_id, unnest([key_hash, md5(key_kind || ':' || key_value)]) as person_key from matched.person_keys
    ) as keys
    join scored.leads using (person_id)
    group by keys.person_key
)
select transition_id, coalesce(leads.lead_id, key_lead.lead_id) as lead_id, recorded.lead_id as recorded_lead_id,
       cycle, stage, entered_at, decided_at, reason, rule, nullif(actor, 'abmloop') as actor
from recorded
left join scored.leads using (lead_id)
left join key_lead on key_lead.person_key = recorded.person_key
"""


def score(run: Run) -> StepCounts:
    """Score every person and account, and bring each lead's stages up to date.

    New transitions go to the ledger first; scored.lead_stages is their projection (scoring/stage_history.py).
    """
    policy = load_policy(run, ScoringPolicy)
    with step(run, "score") as work:
        for name, rows in rule_tables(policy).items():
            work.replace(name, rows)
        work.build(*MODELS)
        replayed = stages_by_rules(work.query, policy, run.as_of, run.timezone)
        derived = _query_with(work, _NAMED, replayed=replayed)
        recorded = _query_with(work, _RECORDED, recorded=_record(work, derived))
        told = derived.drop_columns(["person_key", "account_key"])
        stages, log = project_stages(told, recorded, work.parameters["at"])
        work.replace("scored.lead_stages", stages)
        work.replace("scored.stage_transitions", log)
        _count(work)
    return work.counts


def stages_by_rules(query: Callable[[str], pa.Table], policy: ScoringPolicy, as_of: date, timezone: str) -> pa.Table:
    """The stages that follow from the scored tables as `query` finds them (scoring.lifecycle.replay_stages)."""
    signals = query("select * from scored.stage_signals")
    return replay_stages(query(_LEADS), query(_EVENTS), signals, policy, as_of, timezone)


def _query_with(work: Work, sql: str, **tables: pa.Table) -> pa.Table:
    """A SELECT's rows, over tables of the warehouse and these in memory."""
    for name, rows in tables.items():
        work.con.register(name, rows)
    try:
        return work.query(sql)
    finally:
        for name in tables:
            work.con.unregister(name)


def _record(work: Work, derived: pa.Table) -> pa.Table:
    """Tell the ledger what it does not know yet; gives all its transitions."""
    known = work.ledger.read("stage_transitions", work.run)
    sql = "select * from derived anti join known using (transition_id) order by entered_at, transition_id"
    new = _query_with(work, sql, derived=derived, known=known)
    decided_at = work.parameters["at"]
    rows: list[dict[str, Any]] = [
        {**row, "decided_at": decided_at, "actor": row["actor"] or "abmloop"} for row in new.to_pylist()
    ]
    fault_point("score:before_ledger")
    added = work.ledger.append("stage_transitions", rows, work.run)
    fault_point("score:after_ledger")
    work.count(new_transitions=added)
    return work.ledger.read("stage_transitions", work.run) if added else known


def _count(work: Work) -> None:
    """Leads by stage, and the excluded, for the screen."""
    for stage, number in work.execute(
        "select stage, count(*) from scored.lead_stages where is_current group by all order by all"
    ).fetchall():
        work.count(**{f"leads_{stage}": number})
    excluded = work.execute("select count(*) from scored.leads where is_excluded").fetchall()[0][0]
    work.count(leads_excluded=excluded)
