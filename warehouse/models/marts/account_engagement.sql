-- One row per account that was touched, targeted or has a deal: how much its people do, how many, whether more lately.
-- Its stage is the furthest that holds: customer is asked first, then opportunity, mqa, engaged, aware, target.
-- grain: account_id
-- check: stage in ('target', 'aware', 'engaged', 'mqa', 'opportunity', 'customer', 'none')
-- column: account_id | the account
-- column: name | its name
-- column: stage | target, aware, engaged, mqa (marketing-qualified account), opportunity, customer; none where nothing holds
-- column: points | engagement of its people, weighted by seniority, on the day of the run
-- column: people | people with engagement above nothing
-- column: departments | departments among them
-- column: decision_roles | of these people, c_level, vp or director
-- column: top_person_id | who has most points
-- column: fit_grade | A to D, U unknown
-- column: last_touch_at | newest touch of its people, UTC
-- column: touches_this_week | touches of the last seven days
-- column: touches_weekly_before | touches a week in the three weeks before those
-- column: trend | touches_this_week - touches_weekly_before
-- column: is_target | on the target list today
-- column: open_deals | open deals
-- column: won_deals | won deals
with line as (
    select event_points.subject as account_id, score_events.person_id, sum(event_points.points) as points
    from scored.event_points
    join scored.score_events using (subject, subject_kind, model, rule_id, event_id)
    where subject_kind = 'account' and model = 'engagement'
    group by all
),
person as (
    select line.account_id, sum(line.points) as points,
           count(*) filter (line.points > 0) as people,
           count(distinct persons.department) filter (line.points > 0) as departments,
           count(*) filter (line.points > 0 and persons.seniority in ('c_level', 'vp', 'director')) as decision_roles,
           first(line.person_id order by line.points desc, line.person_id) as top_person_id
    from line
    join matched.persons using (person_id)
    group by all
),
touch as (
    select touches.account_id, max(touches.occurred_at) as last_touch_at,
           count(*) filter (day > $as_of - 7) as touches_this_week,
           count(*) filter (day <= $as_of - 7 and day > $as_of - 28) / 3.0 as touches_weekly_before
    from (
        select *, (occurred_at at time zone 'UTC' at time zone $timezone)::date as day
        from core.touches
        where not is_future and account_id is not null
    ) as touches
    group by all
),
deal as (
    select account_id, count(*) filter (status = 'open') as open_deals, count(*) filter (status = 'won') as won_deals
    from core.deals
    where account_id is not null
    group by all
),
target as (
    select distinct account_id
    from resolved.target_accounts
    where list = 'target' and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
known as (
    select account_id from touch
    union
    select account_id from deal
    union
    select account_id from target
),
reached as (
    select known.account_id, arg_max(account_stages.stage, account_stages.rank) as stage
    from known
    left join person using (account_id)
    join rules.account_stages
        on coalesce(person.points, 0) >= account_stages.from_points
        and coalesce(person.people, 0) >= account_stages.from_people
    group by all
)
select known.account_id,
       accounts.name,
       case when deal.won_deals > 0 then 'customer'
            when deal.open_deals > 0 then 'opportunity'
            when reached.stage is not null then reached.stage
            when target.account_id is not null then 'target'
            else 'none'
       end as stage,
       coalesce(person.points, 0)::decimal(18, 4) as points,
       coalesce(person.people, 0) as people,
       coalesce(person.departments, 0) as departments,
       coalesce(person.decision_roles, 0) as decision_roles,
       person.top_person_id,
       coalesce(account_fit.grade, 'U') as fit_grade,
       touch.last_touch_at,
       coalesce(touch.touches_this_week, 0) as touches_this_week,
       coalesce(touch.touches_weekly_before, 0)::double as touches_weekly_before,
       coalesce(touch.touches_this_week, 0) - coalesce(touch.touches_weekly_before, 0)::double as trend,
       target.account_id is not null as is_target,
       coalesce(deal.open_deals, 0) as open_deals,
       coalesce(deal.won_deals, 0) as won_deals
from known
left join resolved.accounts using (account_id)
left join resolved.account_fit using (account_id)
left join person using (account_id)
left join touch using (account_id)
left join deal using (account_id)
left join target using (account_id)
left join reached using (account_id)
