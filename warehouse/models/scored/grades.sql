-- One row per lead: its cell in the grid of fit grade and engagement band, and what keeps it from being an MQL.
-- grain: lead_id
-- check: engagement_band between 1 and 3
-- column: lead_id | the lead
-- column: person_id | the person
-- column: account_id | the company; null where undecided
-- column: fit_points | fit of the company, 0 to 100; null is unknown, not 0
-- column: fit_grade | A to D, U unknown
-- column: engagement_points | engagement of the person on the day of the run
-- column: engagement_band | 1 to 3
-- column: grid | A1 to D3, or U1 to U3
-- column: mql_from_points | points that make an MQL at this grade; null where none do
-- column: leave_below_points | points below which an MQL nobody took up is recycled
-- column: blocked_by | what forbids an MQL whatever the points: excluded, not_contactable, account_undecided, listed
with earned as (
    select person_id, sum(points) as points from scored.person_points group by person_id
),
graded as (
    select lead_terms.*, coalesce(earned.points, 0) as engagement_points
    from scored.lead_terms
    left join earned using (person_id)
),
banded as (
    select graded.lead_id, max(bands.band) as engagement_band
    from graded
    join rules.bands on bands.from_points <= greatest(graded.engagement_points, 0)
    group by all
)
select graded.lead_id, graded.person_id, graded.account_id, graded.fit_points, graded.fit_grade,
       graded.engagement_points::decimal(18, 4) as engagement_points,
       banded.engagement_band,
       graded.fit_grade || banded.engagement_band as grid,
       graded.mql_from_points, graded.leave_below_points, graded.blocked_by
from graded
join banded using (lead_id)
