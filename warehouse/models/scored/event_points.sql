-- One row per score line with what is left of it on the day of the run. Points are cut at four decimals, so that sums
-- are exact and do not depend on the order of adding.
-- kind: view
-- grain: subject_kind, subject, model, event_id, rule_id
-- column: subject | person_id or account_id
-- column: subject_kind | person or account
-- column: model | engagement or fit
-- column: rule_id | the rule that gave the points
-- column: event_id | the touch, or the fit criterion
-- column: event_at | time of the event, UTC
-- column: capped_points | points before fading
-- column: days_old | days from the event to the day of the run
-- column: points | what the line counts on the day of the run
select subject, subject_kind, model, rule_id, event_id, event_at, capped_points,
       score_day.as_of - event_on as days_old,
       cast(capped_points * weight * case
           when event_on is null then 1.0
           when event_on > score_day.as_of then 0.0
           when half_life_days is not null then power(0.5, (score_day.as_of - event_on) / half_life_days::double)
           when percent_per_month is not null
               then greatest(0.0, 1 - percent_per_month / 100 * (score_day.as_of - event_on) / 30.0)
           when window_days is not null then case when score_day.as_of - event_on < window_days then 1.0 else 0.0 end
           else 1.0
       end as decimal(18, 4)) as points
from scored.score_events
cross join scored.score_day
