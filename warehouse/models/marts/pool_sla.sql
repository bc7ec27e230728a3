-- One row per pool, sales person and month of assignment: what was kept of the deadlines. Rows without a sales person
-- are what waited in the pool itself. A deadline counts as due once it has passed or was met; one that had not come
-- when the lead went on to somebody else was nobody's breach.
-- grain: pool_id, owner_id, month
-- check: accepted_in_time + accepted_late + not_accepted = accept_due
-- check: acted_in_time + acted_late + not_acted = first_touch_due
-- column: pool_id | the pool; '(direct)' where no pool was asked
-- column: owner_id | sales person; null for the pool itself
-- column: owner_name | their name
-- column: team | their team
-- column: month | first day of the month of assignment, in the workspace's time zone
-- column: leads | assignments to them, or entries into the pool
-- column: accept_due | deadlines of acceptance that have come or were met
-- column: accepted_in_time | of these, met
-- column: accepted_late | of these, accepted later
-- column: not_accepted | of these, never
-- column: accept_rate | accepted_in_time / accept_due
-- column: median_accept_hours | from assignment to acceptance, by the clock
-- column: first_touch_due | deadlines of the first touch that have come or were met
-- column: acted_in_time | of these, met
-- column: acted_late | of these, first touch later
-- column: not_acted | of these, never
-- column: first_touch_rate | acted_in_time / first_touch_due
-- column: median_first_touch_hours | from assignment to the first touch, by the clock
-- column: follow_up_overdue | of the leads they still have, those whose follow-up is overdue now
-- column: reclaimed | went back because a timer ran out
-- column: returned | given back, rejected or transferred
-- column: taken | of a pool's entries, how many went from there to somebody
-- column: waiting | still there now: with the person, or in the pool
-- column: median_wait_hours | in the pool: from entry until somebody got it, of those still waiting until now
with line as (
    select *,
           coalesce(pool_id, '(direct)') as pool,
           date_trunc('month', assigned_at at time zone 'UTC' at time zone $timezone)::date as month,
           lead(path) over cycle as next_path,
           lead(owner_id) over cycle as next_owner_id,
           coalesce(ended_at, $at) as until,
           coalesce(accepted_at <= accept_due_at, false) as is_accepted_in_time,
           coalesce(first_action_at <= first_touch_due_at, false) as is_acted_in_time
    from scored.assignments
    where assigned_at <= $at
    window cycle as (partition by lead_id order by number)
),
judged as (
    select *, is_accepted_in_time or coalesce(accept_due_at < until, false) as is_accept_due,
           is_acted_in_time or coalesce(first_touch_due_at < until, false) as is_first_touch_due
    from line
),
counted as (
    select pool as pool_id, owner_id, month, count(*) as leads,
           count(*) filter (is_accept_due) as accept_due,
           count(*) filter (is_accept_due and is_accepted_in_time) as accepted_in_time,
           count(*) filter (is_accept_due and not is_accepted_in_time and accepted_at is not null) as accepted_late,
           count(*) filter (is_accept_due and accepted_at is null) as not_accepted,
           median(date_diff('second', assigned_at, accepted_at) / 3600.0) as median_accept_hours,
           count(*) filter (is_first_touch_due) as first_touch_due,
           count(*) filter (is_first_touch_due and is_acted_in_time) as acted_in_time,
           count(*) filter (is_first_touch_due and not is_acted_in_time and first_action_at is not null) as acted_late,
           count(*) filter (is_first_touch_due and first_action_at is null) as not_acted,
           median(date_diff('second', assigned_at, first_action_at) / 3600.0) as median_first_touch_hours,
           count(*) filter (is_current and owner_id is not null and follow_up_due_at < $at) as follow_up_overdue,
           count(*) filter (owner_id is not null and next_path = 'reclaim') as reclaimed,
           count(*) filter (owner_id is not null and next_path in ('release', 'reject', 'transfer')) as returned,
           case when owner_id is null then count(next_owner_id) end as taken,
           count(*) filter (is_current) as waiting,
           case when owner_id is null
                then median(date_diff('second', assigned_at, until) / 3600.0) end as median_wait_hours
    from judged
    group by pool, owner_id, month
)
select counted.pool_id, counted.owner_id, owners.name as owner_name, owners.team, counted.month, counted.leads,
       counted.accept_due, counted.accepted_in_time, counted.accepted_late, counted.not_accepted,
       counted.accepted_in_time / nullif(counted.accept_due, 0) as accept_rate, counted.median_accept_hours,
       counted.first_touch_due, counted.acted_in_time, counted.acted_late, counted.not_acted,
       counted.acted_in_time / nullif(counted.first_touch_due, 0) as first_touch_rate, counted.median_first_touch_hours,
       counted.follow_up_overdue, counted.reclaimed, counted.returned, counted.taken, counted.waiting,
       counted.median_wait_hours
from counted
left join core.owners_today as owners on owners.owner_id = counted.owner_id
