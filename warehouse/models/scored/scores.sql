-- One row per subject and model: the score on the day of the run, the sum of its lines.
-- kind: view
-- published: view
-- grain: subject_kind, subject, model
-- column: subject | person_id or account_id
-- column: subject_kind | person or account
-- column: model | engagement or fit
-- column: points | the score
-- column: lines | lines of the log
-- column: last_event_at | newest event that counts, UTC
select subject, subject_kind, model, sum(points) as points, count(*) as lines,
       max(event_at) filter (capped_points > 0) as last_event_at
from scored.event_points
group by all
