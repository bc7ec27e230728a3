-- One row per account that is worked: on a list, or with people, touches or deals; all that is known of it in numbers.
-- grain: account_id
-- check: touches >= 0 and people >= 0 and deals >= 0
-- column: account_id | the account
-- column: name | its name
-- column: uscc | unified social credit code
-- column: status | active, suspended, revoked, cancelled
-- column: province | province
-- column: city | city
-- column: industry | industry as given
-- column: industry_section | GB/T 4754 section
-- column: employees | people it employs
-- column: employees_band | band of people
-- column: parent_account_id | the account it belongs to
-- column: ultimate_parent_id | the top of its hierarchy
-- column: sources | the sources that know it
-- column: fit_points | 0 to 100
-- column: grade | A to D
-- column: completeness | share of the profile that is known, 0 to 1
-- column: tags | its tags
-- column: lists | the lists it stands on today
-- column: tier | tier on the target list
-- column: team | team of the sales person who holds it (marts.registration_check)
-- column: people | persons matched to it
-- column: touches | touches of its people, without those of the future
-- column: campaigns | campaigns that touched it
-- column: first_touch_at | UTC
-- column: last_touch_at | UTC
-- column: sql_probability | highest chance of one of its open leads to become an SQL, 0 to 1; null without a score in use
-- column: won_probability | highest chance of one of its open leads to be won, 0 to 1; null without a score in use
-- column: deals | deals
-- column: open_deals | deals not closed
-- column: won_deals | deals won
-- column: pipeline_amount | open deals, of split ones its part, in the workspace's currency
-- column: won_amount | won deals, of split ones its part, in the workspace's currency
-- column: first_deal_at | UTC
-- column: last_inquiry_at | latest inquiry of one of its leads, UTC
-- column: last_mql_at | latest entry of one of its leads into MQL, UTC
-- column: last_sql_at | latest entry of one of its leads into SQL, UTC
-- column: last_deal_at | when its latest deal was opened, UTC
-- column: last_won_at | when a deal was won last, UTC
with person as (
    select account_id, count(*) as people from matched.person_accounts where account_id is not null group by account_id
),
touch as (
    select account_id, count(*) as touches, count(distinct campaign_id) as campaigns,
           min(occurred_at) as first_touch_at, max(occurred_at) as last_touch_at
    from core.touches
    where account_id is not null and not is_future
    group by account_id
),
deal as (
    select parts.account_id, count(*) as deals, count(*) filter (status = 'open') as open_deals,
           count(*) filter (status = 'won') as won_deals,
           sum(amounts.amount) filter (status = 'open') as pipeline_amount,
           sum(amounts.amount) filter (status = 'won') as won_amount,
           min(created_at) as first_deal_at, max(coalesce(created_at, closed_at)) as last_deal_at,
           max(closed_at) filter (status = 'won') as last_won_at
    from core.deal_parts as parts
    join core.deals using (deal_id)
    left join core.part_amounts as amounts
        on amounts.deal_id = parts.deal_id and amounts.axis = parts.axis and amounts.part = parts.part
        and amounts.basis = 'pipeline'
    where parts.axis = 'account' and parts.account_id is not null
    group by parts.account_id
),
lead as (
    select account_id, max(last_inquiry_at) as last_inquiry_at, max(last_mql_at) as last_mql_at,
           max(last_sql_at) as last_sql_at
    from marts.lead_segments
    where account_id is not null
    group by account_id
),
chance as (
    select leads.account_id, max(probability) filter (target = 'sql') as sql_probability,
           max(probability) filter (target = 'won') as won_probability
    from scored.predictions
    join scored.leads using (lead_id)
    where leads.account_id is not null
    group by leads.account_id
),
holder as (
    select account_id, team from marts.registration_check
),
listing as (
    select account_id, list_sort(list(distinct list)) as lists, min(tier) filter (list = 'target') as tier
    from resolved.target_accounts
    where coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
    group by account_id
),
worked as (
    select account_id from person
    union
    select account_id from touch
    union
    select account_id from deal
    union
    select account_id from listing
),
tagged as (
    select account_id, list(tag_id order by tag_id) as tags
    from resolved.account_tags
    semi join worked using (account_id)
    group by account_id
)
select account_id, accounts.name, accounts.uscc, accounts.status, accounts.province, accounts.city, accounts.industry,
       accounts.industry_section, accounts.employees, accounts.employees_band, accounts.parent_account_id,
       accounts.ultimate_parent_id, accounts.sources, fit_points, grade, completeness, coalesce(tags, []) as tags,
       coalesce(lists, []) as lists, tier, holder.team, coalesce(people, 0) as people, coalesce(touches, 0) as touches,
       coalesce(campaigns, 0) as campaigns, first_touch_at, last_touch_at, sql_probability, won_probability,
       coalesce(deals, 0) as deals, coalesce(open_deals, 0) as open_deals, coalesce(won_deals, 0) as won_deals,
       pipeline_amount, won_amount, first_deal_at, last_inquiry_at, last_mql_at, last_sql_at, last_deal_at, last_won_at
from worked
join resolved.accounts as accounts using (account_id)
left join resolved.account_fit using (account_id)
left join tagged using (account_id)
left join listing using (account_id)
left join person using (account_id)
left join touch using (account_id)
left join deal using (account_id)
left join lead using (account_id)
left join chance using (account_id)
left join holder using (account_id)
