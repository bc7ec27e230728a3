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
with listed as (
    select distinct account_id
    from resolved.target_accounts
    join rules.mql on list_contains(mql.blocked_lists, target_accounts.list)
    where coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
earned as (
    select person_id, sum(points) as points from scored.person_points group by person_id
),
graded as (
    select leads.*, account_fit.fit_points, coalesce(account_fit.grade, 'U') as fit_grade,
           coalesce(earned.points, 0) as engagement_points
    from scored.leads
    left join resolved.account_fit using (account_id)
    left join earned using (person_id)
),
banded as (
    select graded.lead_id, max(bands.band) as engagement_band
    from graded
    join rules.bands on bands.from_points <= greatest(graded.engagement_points, 0)
    group by all
)
select graded.lead_id, graded.person_id, graded.account_id,
       graded.fit_points::double as fit_points,
       graded.fit_grade,
       graded.engagement_points::decimal(18, 4) as engagement_points,
       banded.engagement_band,
       graded.fit_grade || banded.engagement_band as grid,
       mql_bars.mql_from_points,
       mql_bars.leave_below_points,
       case when graded.is_excluded then 'excluded'
            when not graded.is_contactable then 'not_contactable'
            when not (list_contains(mql.decisions, graded.decision) or (mql.new_accounts and graded.is_new_account))
                then 'account_undecided'
            when listed.account_id is not null then 'listed'
       end as blocked_by
from graded
join banded using (lead_id)
cross join rules.mql
left join rules.mql_bars on mql_bars.fit_grade = graded.fit_grade
left join listed on listed.account_id = graded.account_id
