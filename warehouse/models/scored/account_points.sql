-- One row per account that its people's touches gave points: their engagement on the day of the run, by seniority.
-- kind: view
-- published: view
-- grain: account_id
-- column: account_id | the account
-- column: points | the points of its people, each weighted by seniority
-- column: people | people with points above nothing
-- column: lines | lines of the log
-- column: last_event_at | newest event that counts, UTC
-- column: top_person_id | who gives it most
select account_id, sum(points * weight) as points, count(*) filter (points > 0) as people, sum(lines) as lines,
       max(last_event_at) as last_event_at,
       arg_min(person_id, (-points * weight, person_id)) filter (points > 0) as top_person_id
from scored.person_points
where account_id is not null
group by account_id
