-- One row per person and company they acted for: their engagement on the day of the run, the sum of those lines.
-- grain: person_id, account_id
-- column: person_id | who
-- column: account_id | the company; null where undecided
-- column: points | engagement points
-- column: weight | factor of the person's seniority for the company
-- column: lines | lines of the log
-- column: last_event_at | newest event that counts, UTC
with earned as (
    select person_id, account_id, sum(points)::decimal(18, 4) as points, count(*) as lines,
           max(event_at) filter (capped_points > 0) as last_event_at
    from scored.line_points
    group by person_id, account_id
),
unknown as (
    select coalesce(max(weight), 1.0) as weight from rules.seniorities where seniority = 'unknown'
)
select earned.person_id, earned.account_id, earned.points,
       coalesce(seniorities.weight, unknown.weight)::decimal(9, 4) as weight,
       earned.lines, earned.last_event_at
from earned
cross join unknown
left join matched.persons using (person_id)
left join rules.seniorities on seniorities.seniority = persons.seniority
