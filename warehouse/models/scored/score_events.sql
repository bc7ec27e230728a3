-- One row per score line: what one event gave one person or account, before it fades. A score is the sum of its lines.
-- Caps are taken on raw points in the order of events: rule, then group, then total; negative points are never capped.
-- grain: subject_kind, subject, model, event_id, rule_id
-- check: raw_points < 0 or capped_points between 0 and raw_points
-- check: raw_points >= 0 or capped_points = raw_points
-- check: half_life_days is null or window_days is null
-- column: subject | person_id or account_id
-- column: subject_kind | person or account
-- column: model | engagement or fit
-- column: rule_id | the rule that gave the points
-- column: rule_group | the group whose cap it shares
-- column: event_id | the touch, or the fit criterion
-- column: person_id | the person who did it; null for fit
-- column: raw_points | points of the rule; 0 where the event does not count
-- column: capped_points | what is left of them after the caps
-- column: event_on | day of the event in the workspace's time zone; null for fit, which does not fade
-- column: event_at | time of the event, UTC
-- column: weight | factor of the person's seniority for the account; 1 for a person
-- column: half_life_days | days after which it weighs half
-- column: percent_per_month | per cent lost in 30 days
-- column: window_days | days for which it counts, then not at all
-- column: note | why it does not count in full: in_future, too_old, over_daily_limit, over_rule_cap, over_group_cap, over_total_cap
with rule as (
    select * exclude (touch_types), unnest(touch_types) as touch_type from rules.engagement
),
fitting as (
    select touches.touch_id, touches.person_id, leads.account_id, touches.occurred_at,
           (touches.occurred_at at time zone 'UTC' at time zone $timezone)::date as event_on,
           touches.is_future or touches.occurred_at > $at as is_future,
           rule.* exclude (touch_type, minutes_at_least, content_words, channels, why)
    from core.touches
    join scored.leads on leads.person_id = touches.person_id
    join rule on rule.touch_type = touches.type
    where not leads.is_excluded
      -- NaN compares as the greatest number; unknown minutes must not pass as long ones.
      and (rule.minutes_at_least is null
           or (touches.minutes >= rule.minutes_at_least and not isnan(touches.minutes::double)))
      and (len(rule.channels) = 0 or list_contains(rule.channels, touches.channel))
      and (len(rule.content_words) = 0
           or len(list_filter(rule.content_words, lambda word: contains(lower(touches.content), word))) > 0)
    qualify row_number() over (partition by touches.touch_id order by rule.position) = 1
),
refused as (
    select *,
           case when is_future then 'in_future'
                when event_on < $as_of - oldest_days then 'too_old'
           end as refusal
    from fitting
),
counted as (
    select *,
           coalesce(refusal, case when row_number() over (
               partition by person_id, rule_id, event_on, refusal order by occurred_at, touch_id) > per_day
               then 'over_daily_limit' end) as note
    from refused
),
raw_line as (
    select *, case when note is null then points else 0 end::decimal(18, 4) as raw_points from counted
),
after_rule as (
    select *, case when raw_points <= 0 then 0 else
           greatest(least(raw_points, coalesce(rule_cap::decimal(18, 4), 99999999) - (sum(greatest(raw_points, 0)) over (
               partition by person_id, rule_id order by occurred_at, touch_id) - raw_points)), 0)
           end::decimal(18, 4) as rule_points
    from raw_line
),
after_group as (
    select *, greatest(least(rule_points, coalesce(group_cap::decimal(18, 4), 99999999) - (sum(rule_points) over (
               partition by person_id, rule_group order by occurred_at, touch_id) - rule_points)), 0
           )::decimal(18, 4) as group_points
    from after_rule
),
after_total as (
    select *, greatest(least(group_points, coalesce(total_cap::decimal(18, 4), 99999999) - (sum(group_points) over (
               partition by person_id order by occurred_at, touch_id) - group_points)), 0
           )::decimal(18, 4) as total_points
    from after_group
),
person_line as (
    select person_id, account_id, touch_id, occurred_at, event_on, rule_id, rule_group, raw_points,
           case when raw_points < 0 then raw_points else total_points end as capped_points,
           half_life_days, percent_per_month, window_days,
           case when note is not null then note
                when raw_points <= 0 then null
                when rule_points < raw_points then 'over_rule_cap'
                when group_points < rule_points then 'over_group_cap'
                when total_points < group_points then 'over_total_cap'
           end as note
    from after_total
),
account_line as (
    select person_line.*, coalesce(seniorities.weight, unknown.weight, 1.0) as weight
    from person_line
    join matched.persons using (person_id)
    left join rules.seniorities using (seniority)
    left join rules.seniorities as unknown on unknown.seniority = 'unknown'
    where person_line.account_id is not null
),
fit_line as (
    select counted.account_id, criterion_id, counted.points
    from (
        select account_id, unnest(criteria) as position, unnest(criterion_points) as points
        from resolved.account_fit
        where account_id in (select account_id from scored.leads)
    ) as counted
    join rules.icp using (position)
)
select person_id as subject, 'person' as subject_kind, 'engagement' as model, rule_id, rule_group,
       touch_id as event_id, person_id, raw_points, capped_points, event_on, occurred_at as event_at,
       1.0::decimal(9, 4) as weight, half_life_days, percent_per_month, window_days, note
from person_line
union all
select account_id, 'account', 'engagement', rule_id, rule_group,
       touch_id, person_id, raw_points, capped_points, event_on, occurred_at,
       weight::decimal(9, 4), half_life_days, percent_per_month, window_days, note
from account_line
union all
select account_id, 'account', 'fit', criterion_id, 'fit',
       criterion_id, null, points::decimal(18, 4), points::decimal(18, 4), null, null,
       1.0, null, null, null, null
from fit_line
