-- One row per kind of people who are no leads and reason: how many they are, and how many touches are left out with them.
-- grain: kind, reason
-- check: people > 0
-- column: kind | own_staff, competitor, student, test_user or other
-- column: reason | the list they stand on, or the rule of scoring.yaml and its word
-- column: people | how many
-- column: touches | their touches, which give no points and earn no credit
with touch as (
    select person_id, count(*) as touches from core.touches where person_id is not null group by person_id
)
select leads.exclusion_kind as kind, coalesce(leads.exclusion_reason, '(not said)') as reason, count(*) as people,
       coalesce(sum(touch.touches), 0)::bigint as touches
from scored.leads
left join touch using (person_id)
where leads.is_excluded
group by all
