-- One row per campaign and company that it touched: how often, whom, and what became of the company after that.
-- kind: view
-- published: view
-- grain: campaign_id, account_id
-- column: campaign_id | the campaign, or '(its channel)' for touches without one
-- column: account_id | the company
-- column: touches | touches of its people by the campaign
-- column: people | people touched
-- column: first_touch_at | UTC
-- column: last_touch_at | UTC
-- column: is_target | on the target list on the run's day
-- column: became_lead | one of its people made an inquiry at or after the campaign's first touch
-- column: became_mql | a lead of it became an MQL at or after it
-- column: became_sql | a lead of it became sales qualified at or after it
-- column: became_opportunity | a deal was opened at or after it
-- column: became_won | a deal was won at or after it
with person as (
    select coalesce(campaign_id, '(' || coalesce(channel, 'unknown') || ')') as campaign_id, account_id, person_id,
           count(*) as touches, min(occurred_at) as first_touch_at, max(occurred_at) as last_touch_at
    from core.touches
    where not is_future and account_id is not null
    group by all
),
touched as (
    select campaign_id, account_id, sum(touches)::bigint as touches, count(person_id) as people,
           min(first_touch_at) as first_touch_at, max(last_touch_at) as last_touch_at
    from person
    group by campaign_id, account_id
)
select touched.campaign_id, touched.account_id, touched.touches, touched.people, touched.first_touch_at,
       touched.last_touch_at,
       coalesce(list_contains(account.lists, 'target'), false) as is_target,
       coalesce(account.last_inquiry_at >= touched.first_touch_at, false) as became_lead,
       coalesce(account.last_mql_at >= touched.first_touch_at, false) as became_mql,
       coalesce(account.last_sql_at >= touched.first_touch_at, false) as became_sql,
       coalesce(account.last_deal_at >= touched.first_touch_at, false) as became_opportunity,
       coalesce(account.last_won_at >= touched.first_touch_at, false) as became_won
from touched
left join marts.account_360 as account using (account_id)
