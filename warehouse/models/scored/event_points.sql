-- One row per score line with what is left of it on the day of the run.
-- kind: view
-- published: view
-- grain: subject_kind, subject, model, event_id, rule_id
-- column: subject | person_id or account_id
-- column: subject_kind | person or account
-- column: model | engagement or fit
-- column: rule_id | the rule that gave the points
-- column: event_id | the touch, or the fit criterion
-- column: event_at | time of the event, UTC
-- column: capped_points | points before fading
-- column: days_old | days from the event to the day of the run
-- column: points | what the line counts on the day of the run, times the weight
select subject, subject_kind, model, rule_id, event_id, event_at, capped_points, score_day.as_of - event_on as days_old,
       points
from scored.score_events
cross join scored.score_day
