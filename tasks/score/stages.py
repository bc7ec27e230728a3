"""Stages: the replay of every lead's life, what of it the ledger does not know yet, and what counts of all it knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.faultpoint import fault_point
from scoring.lifecycle import replay_stages
from scoring.policies.scoring import ScoringPolicy
from tasks.code import code_hash
from tasks.score.log import REACHED
from warehouse.ledger_copy import copy_ledger
from warehouse.steps import Work

# What is replayed in one piece, so that memory does not grow with the number of leads.
_LEADS_AT_ONCE, _LINES_AT_ONCE = 100_000, 200_000

_ENTERED = pa.schema(
    [
        ("lead", pa.int64()),
        ("cycle", pa.int64()),
        ("stage", pa.string()),
        ("entered_at", pa.timestamp("us")),
        ("points", pa.float64()),
        ("line_id", pa.int64()),
        ("signal", pa.int64()),
    ]
)

# All that a lead's stages hang on, but for its score lines.
_INPUTS = """
create or replace temp table stage_inputs_now as
with said as (
    select lead_id, bit_xor(hash(stage, signal_id, occurred_at, is_decided, rule, reason, actor)) as said
    from scored.stage_signals
    group by lead_id
)
select lead_id, leads.person_id,
       hash(inquiry_at, fit_grade, mql_from_points, leave_below_points, blocked_by is null, said.said) as inputs
from scored.leads
join scored.grades using (lead_id)
left join said using (lead_id)
"""

# Who is replayed anew: whose inputs or lines changed; on another day also MQLs nobody took up, for their points fade.
_CHANGED = """
create or replace temp table changed_leads as
select lead_id
from stage_inputs_now
left join scored.stage_inputs using (lead_id)
where stage_inputs.inputs is distinct from stage_inputs_now.inputs
union
select lead_id from stage_inputs_now join {reached} using (person_id)
union
select lead_id
from (
    select lead_id, arg_max(stage, (cycle, rank)) as stage
    from scored.replayed_stages
    join rules.stages using (stage)
    group by lead_id
)
where stage = 'mql' and {is_another_day}
"""

_EVERYBODY = "create or replace temp table changed_leads as select lead_id from scored.leads"

_PLAYERS = """
create or replace temp table players as
select row_number() over (order by lead_id) - 1 as player, lead_id, leads.person_id, inquiry_at, fit_grade,
       mql_from_points, leave_below_points, blocked_by is null as may_qualify
from scored.leads
join scored.grades using (lead_id)
semi join changed_leads using (lead_id)
"""

_LEADS = """
select inquiry_at, mql_from_points, leave_below_points, may_qualify from players order by player
"""

# Only of leads that could reach their bar with all the points they ever earned; of the others no line matters.
_LINES = """
with could as (
    select person_id
    from scored.score_lines
    semi join players using (person_id)
    where capped_points > 0
    group by person_id
    having sum(capped_points) >= (select min(mql_from_points) from players)
)
select player as lead, event_at, event_on, capped_points::double as capped_points,
       half_life_days::double as half_life_days, percent_per_month::double as percent_per_month,
       window_days::double as window_days, score_lines.rowid as line_id
from scored.score_lines
join rules.engagement using (position)
join could using (person_id)
join players using (person_id)
where capped_points <> 0 and may_qualify and mql_from_points is not null
order by player, event_at, event_id
"""

_SIGNALS = """
create or replace temp table said as
select row_number() over (order by player, occurred_at, rank, signal_id) - 1 as said, player as lead, stage,
       occurred_at, is_decided, stage_signals.rule, reason, actor
from scored.stage_signals
join players using (lead_id)
join rules.stages using (stage)
"""

# Reasons are signs, not words, so that they read the same in every language.
_NAMED = """
select md5(concat_ws('|', players.lead_id, cycle, entered.stage, epoch_us(entered_at))) as transition_id,
       players.lead_id, cycle, entered.stage, entered_at,
       case when line_id is not null
            then format('{} {:.2f} ≥ {:g}, {} {}', fit_grade, entered.points, mql_from_points, rule_id, event_id)
            when entered.stage = 'mql' then format('{} 0 ≥ {:g}', fit_grade, mql_from_points)
            when entered.stage = 'recycled' and said.said is null then format('< {:g}', leave_below_points)
            else said.reason
       end as reason,
       coalesce(said.rule, case entered.stage when 'inquiry' then 'first_sign' when 'mql' then 'grid' else 'faded' end)
           as rule,
       said.actor
from entered
join players on players.player = entered.lead
left join scored.score_lines on score_lines.rowid = entered.line_id
left join rules.engagement using (position)
left join said on said.said = entered.signal
"""

_NEW = """
select new.* exclude (actor), leads.person_key, leads.account_id as account_key, $at as decided_at,
       coalesce(new.actor, 'abmloop') as actor
from scored.replayed_stages as new
semi join changed_leads using (lead_id)
anti join ops.ledger_stage_transitions as known using (transition_id)
left join scored.leads using (lead_id)
order by entered_at, transition_id
"""


def bring_stages_up_to_date(work: Work, policy: ScoringPolicy, only_reached: bool) -> None:
    """Replay the leads' lives, tell the ledger what is new, and make scored.lead_stages anew from both.

    New transitions go to the ledger first; scored.lead_stages is their projection. `only_reached`: of the score log
    only the lines of the persons in REACHED changed; then only leads are replayed that may have changed.
    """
    in_part = _find_changed(work, policy, only_reached)
    _replay_changed(work, policy)
    copy_ledger(work, "stage_transitions")
    new = work.query(_NEW, at=work.parameters["at"])
    fault_point("score:before_ledger")
    added = work.ledger.append("stage_transitions", new, work.run)
    fault_point("score:after_ledger")
    copy_ledger(work, "stage_transitions")
    work.count(new_transitions=added)
    if in_part and _names_stand(work):
        _project_changed(work)
    else:
        work.build("scored.moved_leads", "scored.stage_transitions", "scored.lead_stages")
    work.execute("create or replace table scored.stage_inputs as select lead_id, inputs from stage_inputs_now")


def _find_changed(work: Work, policy: ScoringPolicy, only_reached: bool) -> bool:
    """`changed_leads`: whom to replay; gives whether all others stand as they are.

    Everybody under other rules or code, and on an earlier day than the last.
    """
    work.execute(_INPUTS)
    made_by = f"{code_hash('scored', 'scoring/lifecycle.py', 'tasks/score/stages.py')} {policy.model_dump_json()}"
    known = work.execute(
        "select as_of from ops.stage_state where made_by = ? and as_of <= ?", [made_by, work.run.as_of]
    ).fetchall()
    if only_reached and known:
        is_another_day = str(known[0][0] != work.run.as_of).lower()
        work.execute(_CHANGED.format(reached=REACHED, is_another_day=is_another_day))
    else:
        work.execute(_EVERYBODY)
    work.execute("delete from ops.stage_state")
    work.execute("insert into ops.stage_state values (?, ?)", [made_by, work.run.as_of])
    return only_reached and bool(known)


def _names_stand(work: Work) -> bool:
    """Whether every line of the ledger is the lead's that it was at the last call: no lead went, nobody's id moved."""
    [(gone,)] = work.execute(
        "select count(*) from scored.stage_inputs anti join stage_inputs_now using (lead_id)"
    ).fetchall()
    told = "select bit_xor(hash(person_key, lead_id)), count(*) from scored.moved_leads"
    before = work.execute(told).fetchall()
    work.build("scored.moved_leads")
    return not gone and work.execute(told).fetchall() == before


def _replay_changed(work: Work, policy: ScoringPolicy) -> None:
    """The stages that follow for the changed leads; those of leads that are gone go."""
    replayed = _replayed(work.con, policy, work.run.as_of, work.run.timezone)
    where = "lead_id in (from changed_leads) or lead_id not in (select lead_id from scored.leads)"
    work.replace("scored.replayed_stages", replayed, where)
    [(leads,)] = work.execute("select count(*) from changed_leads").fetchall()
    work.count(leads_replayed=leads)


def _project_changed(work: Work) -> None:
    """What counts of the changed leads, of all that is recorded of them."""
    changed = "lead_id in (from changed_leads)"
    moved = "person_key in (select person_key from scored.moved_leads where lead_id in (from changed_leads))"
    work.pick("ops.ledger_stage_transitions", f"{changed} or {moved}", "part_recorded")
    work.pick("scored.replayed_stages", changed, "part_replayed")
    instead = {"ops.ledger_stage_transitions": "part_recorded", "scored.replayed_stages": "part_replayed"}
    work.update("scored.stage_transitions", "transition_id in (select transition_id from part_recorded)", instead)
    work.pick("scored.stage_transitions", changed, "part_transitions")
    instead = {"scored.replayed_stages": "part_replayed", "scored.stage_transitions": "part_transitions"}
    work.update("scored.lead_stages", changed, instead)


def stages_by_rules(con: duckdb.DuckDBPyConnection, policy: ScoringPolicy, as_of: date, timezone: str) -> pa.Table:
    """The stages of all leads that follow from the scored tables under these rules, as scored.replayed_stages."""
    con.execute(_EVERYBODY)
    return _replayed(con, policy, as_of, timezone)


def _replayed(con: duckdb.DuckDBPyConnection, policy: ScoringPolicy, as_of: date, timezone: str) -> pa.Table:
    """The stages of the changed leads."""
    con.execute(_PLAYERS)
    con.execute(_SIGNALS)
    leads = con.sql(_LEADS).to_arrow_table()
    signals = con.sql("select lead, stage, occurred_at, is_decided from said order by said").to_arrow_table()
    told, said = [_ENTERED.empty_table()], 0
    for first, lines in _lines(con, leads.num_rows):
        count = _before(signals["lead"], first + _LEADS_AT_ONCE) - said
        some, of_some = leads.slice(first, _LEADS_AT_ONCE), _from_zero(signals.slice(said, count), first)
        entered = replay_stages(some, _from_zero(lines, first), of_some, policy, as_of, timezone)
        columns = {
            **{name: entered[name] for name in ("cycle", "stage", "entered_at", "points")},
            "lead": pc.add(entered["lead"], first),
            "line_id": lines["line_id"].take(entered["line"]),
            "signal": pc.add(entered["signal"], said),
        }
        told.append(pa.table(columns).select(_ENTERED.names))
        said += count
    con.register("entered", pa.concat_tables(told))
    try:
        return con.sql(_NAMED).to_arrow_table()
    finally:
        con.unregister("entered")


def _lines(con: duckdb.DuckDBPyConnection, leads: int) -> Iterator[tuple[int, pa.Table]]:
    """The lines of some leads after the other, with the number of the first of those leads."""
    reader = con.sql(_LINES).to_arrow_reader(_LINES_AT_ONCE)
    rest = reader.schema.empty_table()
    for first in range(0, leads, _LEADS_AT_ONCE):
        end = first + _LEADS_AT_ONCE
        while rest.num_rows == 0 or rest["lead"][-1].as_py() < end:
            batch = next(reader, None)
            if batch is None:
                break
            rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
        count = _before(rest["lead"], end)
        yield first, rest.slice(0, count)
        rest = rest.slice(count)


def _before(leads: pa.ChunkedArray, end: int) -> int:
    """How many rows are of leads before that one."""
    return int(pc.sum(pc.less(leads, end)).as_py() or 0)


def _from_zero(rows: pa.Table, first: int) -> pa.Table:
    """The rows with their leads counted from that one on."""
    return rows.set_column(rows.schema.get_field_index("lead"), "lead", pc.subtract(rows["lead"], first))
