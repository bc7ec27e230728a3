-- One row per account that was touched, targeted or has a deal: how much its people do, how many, whether more lately,
-- and which parts of a purchase are taken by somebody. Its stage is the furthest that holds: customer is asked first,
-- then opportunity, mqa, engaged, aware, target.
-- grain: account_id
-- check: stage in ('target', 'aware', 'engaged', 'mqa', 'opportunity', 'customer', 'none')
-- column: account_id | the account
-- column: name | its name
-- column: stage | target, aware, engaged, mqa (marketing-qualified account), opportunity, customer; none where nothing holds
-- column: stage_reason | what made it that: the figures against their bars, the deal, the list
-- column: points | engagement of its people, weighted by seniority, on the day of the run
-- column: people | people with engagement above nothing
-- column: departments | departments among them
-- column: decision_roles | of these people, c_level, vp or director
-- column: roles_present | buying roles among these people
-- column: roles_missing | buying roles that none of them takes
-- column: top_person_id | who has most points
-- column: fit_grade | A to D, U unknown
-- column: last_touch_at | newest touch of its people, UTC
-- column: days_quiet | days since then
-- column: touches_this_week | touches of the last seven days
-- column: touches_weekly_before | touches a week in the three weeks before those
-- column: trend | touches_this_week - touches_weekly_before
-- column: is_target | on the target list today
-- column: open_deals | open deals
-- column: won_deals | won deals
with engaged as (
    select account_id, person_id from scored.person_points where account_id is not null and points > 0
),
breadth as (
    select engaged.account_id, count(distinct persons.department) as departments,
           count(*) filter (persons.seniority in ('c_level', 'vp', 'director')) as decision_roles
    from engaged
    join matched.persons using (person_id)
    group by engaged.account_id
),
present as (
    select account_id, list(distinct role) as roles
    from engaged
    join scored.buying_roles using (person_id)
    group by account_id
),
group_role as (
    select coalesce(list(role order by position), []) as roles from rules.buying_roles
),
touch as (
    select touches.account_id, max(touches.occurred_at) as last_touch_at, max(day) as last_touch_on,
           count(*) filter (day > $as_of - 7) as touches_this_week,
           count(*) filter (day <= $as_of - 7 and day > $as_of - 28) / 3.0 as touches_weekly_before
    from (
        select account_id, occurred_at, (occurred_at at time zone 'UTC' at time zone $timezone)::date as day
        from core.touches
        where not is_future and account_id is not null
    ) as touches
    group by all
),
deal as (
    select parts.account_id, count(*) filter (status = 'open') as open_deals,
           count(*) filter (status = 'won') as won_deals,
           min(deal_id) filter (status = 'open') as open_deal_id, min(deal_id) filter (status = 'won') as won_deal_id
    from core.deal_parts as parts
    join core.deals using (deal_id)
    where parts.axis = 'account' and parts.account_id is not null
    group by parts.account_id
),
target as (
    select account_id, min(entry_id) as entry_id
    from resolved.target_accounts
    where list = 'target' and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
    group by account_id
),
known as (
    select account_id from touch
    union
    select account_id from deal
    union
    select account_id from target
),
standing as (
    select known.account_id, coalesce(account_points.points, 0)::decimal(18, 4) as points,
           coalesce(account_points.people, 0) as people, account_points.top_person_id,
           list_filter(group_role.roles, lambda role: coalesce(list_contains(present.roles, role), false)) as roles_present,
           list_filter(group_role.roles, lambda role: not coalesce(list_contains(present.roles, role), false))
               as roles_missing
    from known
    cross join group_role
    left join scored.account_points using (account_id)
    left join present using (account_id)
),
reached as (
    select standing.account_id, arg_max(account_stages.stage, account_stages.rank) as stage,
           arg_max(format('{:.2f} ≥ {:g}, people {} ≥ {}', standing.points::double, from_points, people, from_people)
                   || case when from_roles > 0 then format(', roles {} ≥ {}', len(roles_present), from_roles) else '' end,
                   account_stages.rank) as reason
    from standing
    join rules.account_stages
        on standing.points >= account_stages.from_points
        and standing.people >= account_stages.from_people
        and len(standing.roles_present) >= coalesce(account_stages.from_roles, 0)
    group by all
)
select standing.account_id,
       accounts.name,
       case when deal.won_deals > 0 then 'customer'
            when deal.open_deals > 0 then 'opportunity'
            when reached.stage is not null then reached.stage
            when target.account_id is not null then 'target'
            else 'none'
       end as stage,
       case when deal.won_deals > 0 then 'deal ' || deal.won_deal_id
            when deal.open_deals > 0 then 'deal ' || deal.open_deal_id
            when reached.stage is not null then reached.reason
            when target.account_id is not null then coalesce(target.entry_id, 'target')
       end as stage_reason,
       standing.points,
       standing.people,
       coalesce(breadth.departments, 0) as departments,
       coalesce(breadth.decision_roles, 0) as decision_roles,
       coalesce(standing.roles_present, []) as roles_present,
       coalesce(standing.roles_missing, []) as roles_missing,
       standing.top_person_id,
       coalesce(account_fit.grade, 'U') as fit_grade,
       touch.last_touch_at,
       $as_of - touch.last_touch_on as days_quiet,
       coalesce(touch.touches_this_week, 0) as touches_this_week,
       coalesce(touch.touches_weekly_before, 0)::double as touches_weekly_before,
       coalesce(touch.touches_this_week, 0) - coalesce(touch.touches_weekly_before, 0)::double as trend,
       target.account_id is not null as is_target,
       coalesce(deal.open_deals, 0) as open_deals,
       coalesce(deal.won_deals, 0) as won_deals
from standing
left join resolved.accounts using (account_id)
left join resolved.account_fit using (account_id)
left join breadth using (account_id)
left join touch using (account_id)
left join deal using (account_id)
left join target using (account_id)
left join reached using (account_id)
