-- One row per score line: what one event gave one person or account, before and after it faded. A score is the sum of its
-- lines. Caps are taken on raw points in the order of events: rule, then group, then total; negative points never.
-- kind: view
-- published: view
-- grain: subject_kind, subject, model, event_id, rule_id
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
-- column: points | what the line counts on the day of the run, times the weight
with fit_line as (
    select counted.account_id, criterion_id, counted.points
    from (
        select account_id, unnest(criteria) as position, unnest(criterion_points) as points
        from resolved.account_fit
        where account_id in (select account_id from scored.leads)
    ) as counted
    join rules.icp using (position)
),
person_line as (
    select person_id, unnest(criteria) as criterion_id, unnest(criterion_points) as points
    from scored.person_fit
    where person_id in (select person_id from scored.leads where not is_excluded)
),
weighted as (
    select persons.person_id, coalesce(seniorities.weight, unknown.weight, 1.0)::decimal(9, 4) as weight
    from matched.persons
    left join rules.seniorities using (seniority)
    left join rules.seniorities as unknown on unknown.seniority = 'unknown'
)
select person_id as subject, 'person' as subject_kind, 'engagement' as model, rule_id, rule_group, event_id, person_id,
       raw_points, capped_points, event_on, event_at, 1.0::decimal(9, 4) as weight, half_life_days, percent_per_month,
       window_days, note, points::decimal(27, 8) as points
from scored.line_points
union all
select line_points.account_id, 'account', 'engagement', rule_id, rule_group, event_id, person_id,
       raw_points, capped_points, event_on, event_at, weight, half_life_days, percent_per_month,
       window_days, note, points * weight
from scored.line_points
join weighted using (person_id)
where line_points.account_id is not null
union all
select account_id, 'account', 'fit', criterion_id, 'fit', criterion_id, null,
       points::decimal(18, 4), points::decimal(18, 4), null, null, 1.0, null, null,
       null, null, points::decimal(18, 4)
from fit_line
union all
select person_id, 'person', 'fit', criterion_id, 'person', criterion_id, person_id,
       points::decimal(18, 4), points::decimal(18, 4), null, null, 1.0, null, null,
       null, null, points::decimal(18, 4)
from person_line
