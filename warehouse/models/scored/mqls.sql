-- One row per lead and cycle that became an MQL: what was known of it at that moment, and what became of it since.
-- What a predictive score learns from. Facts of the company are today's: they change slowly, and no history of them is kept.
-- kind: view
-- published: no
-- grain: lead_id, cycle
-- column: lead_id | the lead
-- column: cycle | 1 for the first; a lead that comes back begins the next
-- column: person_id | the person
-- column: party_id | the company, the new account made for it, or the person alone
-- column: mql_at | when it became an MQL, UTC
-- column: sql_at | when sales first took it up as an SQL, an opportunity or a won deal, UTC; null where it did not yet
-- column: won_at | when it was first won, UTC
-- column: ended_at | when it was first lost, recycled or disqualified, UTC
-- column: stage | the cycle's stage today
-- column: source | lead source the contact came with
-- column: first_channel | channel of the first touch
-- column: touch_channel | channel of the newest touch before
-- column: touch_type | its type
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: department | department as given
-- column: match | how the company was found: auto, manual, review, none
-- column: fit_grade | A to D, U unknown
-- column: fit_points | fit of the company, 0 to 100; null is unknown
-- column: industry | section of GB/T 4754
-- column: province | province of the company
-- column: country | country of the company
-- column: employees | people of the company
-- column: company_type | type of company as given
-- column: touches | touches before
-- column: touches_of_month | of those in the thirty days before
-- column: touch_types | different types of touches before
-- column: campaigns | different campaigns before
-- column: days_known | days since the first touch
-- column: colleagues | other people of the company with a touch in the ninety days before
-- column: won_before | deals the company had won before
with reached as (
    select lead_id, cycle,
           min(entered_at) filter (stage = 'mql') as mql_at,
           min(entered_at) filter (stage in ('sql', 'opportunity', 'won')) as sql_at,
           min(entered_at) filter (stage = 'won') as won_at,
           min(entered_at) filter (stage in ('lost', 'recycled', 'disqualified')) as ended_at,
           arg_max(stage, rank) as stage
    from scored.lead_stages
    join rules.stages using (stage)
    group by all
    having mql_at is not null
),
mql as (
    select reached.*, leads.person_id, leads.account_id, leads.party_id, leads.source, leads.first_channel, leads.decision
    from reached
    join scored.leads using (lead_id)
    where not leads.is_excluded
),
touch as (
    select mql.lead_id, mql.cycle, count(*) as touches,
           count(*) filter (occurred_at > mql_at - interval 30 days) as touches_of_month,
           count(distinct type) as touch_types, count(distinct campaign_id) as campaigns,
           date_diff('day', min(occurred_at), any_value(mql_at)) as days_known,
           max_by(channel, (occurred_at, touch_id)) as touch_channel, max_by(type, (occurred_at, touch_id)) as touch_type
    from mql
    join core.touches using (person_id)
    where not is_future and occurred_at <= mql_at
    group by all
),
colleague as (
    select mql.lead_id, mql.cycle, count(distinct touches.person_id) as colleagues
    from mql
    join core.touches
        on touches.account_id = mql.account_id and touches.person_id <> mql.person_id
        and not touches.is_future and touches.occurred_at between mql_at - interval 90 days and mql_at
    group by all
),
won_deal as (
    select mql.lead_id, mql.cycle, count(*) as won_before
    from mql
    join core.deals on deals.account_id = mql.account_id and deals.status = 'won' and deals.closed_at < mql_at
    group by all
)
select mql.lead_id, mql.cycle, mql.person_id, mql.party_id, mql.mql_at, mql.sql_at, mql.won_at, mql.ended_at, mql.stage,
       mql.source, mql.first_channel, touch.touch_channel, touch.touch_type, persons.seniority, persons.department,
       mql.decision as match, account_fit.grade as fit_grade, account_fit.fit_points,
       accounts.industry_section as industry, accounts.province, accounts.country, accounts.employees,
       accounts.company_type, coalesce(touch.touches, 0) as touches, coalesce(touch.touches_of_month, 0) as touches_of_month,
       coalesce(touch.touch_types, 0) as touch_types, coalesce(touch.campaigns, 0) as campaigns, touch.days_known,
       case when mql.account_id is not null then coalesce(colleague.colleagues, 0) end as colleagues,
       case when mql.account_id is not null then coalesce(won_deal.won_before, 0) end as won_before
from mql
join matched.persons using (person_id)
left join resolved.accounts using (account_id)
left join resolved.account_fit using (account_id)
left join touch using (lead_id, cycle)
left join colleague using (lead_id, cycle)
left join won_deal using (lead_id, cycle)
