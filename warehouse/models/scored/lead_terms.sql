-- One row per lead: what its grade hangs on besides engagement, and what keeps it from being an MQL.
-- kind: view
-- published: no
-- grain: lead_id
-- column: lead_id | the lead
-- column: person_id | the person
-- column: account_id | the company; null where undecided
-- column: fit_points | fit of the company, 0 to 100; null is unknown, not 0
-- column: fit_grade | A to D, U unknown
-- column: mql_from_points | points that make an MQL at this grade; null where none do
-- column: leave_below_points | points below which an MQL nobody took up is recycled
-- column: blocked_by | what forbids an MQL whatever the points: excluded, not_contactable, account_undecided, listed
with listed as (
    select distinct account_id
    from resolved.target_accounts
    join rules.mql on list_contains(mql.blocked_lists, target_accounts.list)
    cross join scored.score_day
    where coalesce(valid_from, as_of) <= as_of and coalesce(valid_to, as_of) >= as_of
),
graded as (
    select leads.*, account_fit.fit_points::double as fit_points, coalesce(account_fit.grade, 'U') as fit_grade
    from scored.leads
    left join resolved.account_fit using (account_id)
)
select graded.lead_id, graded.person_id, graded.account_id, graded.fit_points, graded.fit_grade,
       mql_bars.mql_from_points,
       mql_bars.leave_below_points,
       case when graded.is_excluded then 'excluded'
            when not graded.is_contactable then 'not_contactable'
            when not (list_contains(mql.decisions, graded.decision) or (mql.new_accounts and graded.is_new_account))
                then 'account_undecided'
            when listed.account_id is not null then 'listed'
       end as blocked_by
from graded
cross join rules.mql
left join rules.mql_bars on mql_bars.fit_grade = graded.fit_grade
left join listed on listed.account_id = graded.account_id
