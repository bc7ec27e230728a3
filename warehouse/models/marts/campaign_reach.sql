-- One row per segment and period of touching: whom campaigns touched, what became of them, at which cost each.
-- Of people and companies each counts once in a row, so rows add up to nothing; ask for one dimension and one period.
-- What became of them counts where it happened at or after their first touch of the row.
-- kind: view
-- published: view
-- grain: dimension, member, period, starts_on
-- column: dimension | campaign, parent_campaign, channel, touch_type, region, industry, grade, team
-- column: member | of that dimension; unknown ones in brackets
-- column: member_name | what it is called, in the workspace's language
-- column: period | all, quarter or month of the touch, and of the spending
-- column: starts_on | its first day; null for all
-- column: touches | touches
-- column: people | people touched
-- column: inquiries | of these, whose inquiry came at or after their first touch of the row
-- column: mqls | whose lead became an MQL after it
-- column: sqls | whose lead became sales qualified after it
-- column: accounts | companies touched
-- column: target_accounts | of these, on the target list on the run's day
-- column: lead_accounts | of which somebody made an inquiry after it
-- column: mql_accounts | of which a lead became an MQL after it
-- column: sql_accounts | of which a lead became sales qualified after it
-- column: opportunity_accounts | with a deal opened after it
-- column: won_accounts | with a deal won after it
-- column: cost | spent on campaigns in the period, workspace currency; by touch_type, region, industry, grade and team shared as their touches are; null where none
-- column: is_budget | cost holds a budget, for want of actual figures
-- column: cost_per_inquiry | cost / inquiries; null without either
-- column: cost_per_mql | cost / mqls
-- column: cost_per_sql | cost / sqls
-- column: cost_per_account | cost / accounts
-- column: cost_per_opportunity | cost / opportunity_accounts
with entry as not materialized (
    select 'campaign' as dimension, campaign as member, month, occurred_at, person_id, account_id
    from marts.segmented_touches
    union all
    select 'parent_campaign', parent_campaign, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'channel', channel, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'touch_type', touch_type, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'region', region, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'industry', industry, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'grade', grade, month, occurred_at, person_id, account_id from marts.segmented_touches
    union all
    select 'team', team, month, occurred_at, person_id, account_id from marts.segmented_touches
),
-- Each period by itself: who asks for one pays for one.
person as not materialized (
    select dimension, member, 'all' as period, null::date as starts_on, person_id, count(*) as touches,
           min(occurred_at) as first_at
    from entry
    group by all
    union all
    select dimension, member, 'quarter', quarter_starts_on, person_id, count(*), min(occurred_at)
    from entry
    left join core.months using (month)
    group by all
    union all
    select dimension, member, 'month', month, person_id, count(*), min(occurred_at)
    from entry
    group by all
),
account as not materialized (
    select dimension, member, 'all' as period, null::date as starts_on, account_id, min(occurred_at) as first_at
    from entry
    where account_id is not null
    group by all
    union all
    select dimension, member, 'quarter', quarter_starts_on, account_id, min(occurred_at)
    from entry
    left join core.months using (month)
    where account_id is not null
    group by all
    union all
    select dimension, member, 'month', month, account_id, min(occurred_at)
    from entry
    where account_id is not null
    group by all
),
figure as not materialized (
    select dimension, member, period, starts_on, sum(touches)::bigint as touches, count(person.person_id) as people,
           count(*) filter (last_inquiry_at >= first_at) as inquiries,
           count(*) filter (last_mql_at >= first_at) as mqls,
           count(*) filter (last_sql_at >= first_at) as sqls, null::bigint as accounts, null::bigint as target_accounts,
           null::bigint as lead_accounts, null::bigint as mql_accounts, null::bigint as sql_accounts,
           null::bigint as opportunity_accounts, null::bigint as won_accounts, null::decimal(18, 2) as cost,
           null::boolean as is_budget
    from person
    left join marts.lead_segments as leads on leads.person_id = person.person_id
    group by all
    union all
    select dimension, member, period, starts_on, null, null, null, null, null, count(*),
           count(*) filter (list_contains(facts.lists, 'target')), count(*) filter (facts.last_inquiry_at >= first_at),
           count(*) filter (facts.last_mql_at >= first_at), count(*) filter (facts.last_sql_at >= first_at),
           count(*) filter (facts.last_deal_at >= first_at), count(*) filter (facts.last_won_at >= first_at), null, null
    from account
    left join marts.account_360 as facts using (account_id)
    group by all
    union all
    select dimension, member, period, starts_on, null, null, null, null, null, null, null, null, null, null, null, null,
           sum(cost), bool_or(is_budget)
    from marts.segment_costs
    left join core.months using (month),
         (values ('all'), ('quarter'), ('month')) as periods(period),
         lateral (select case period when 'quarter' then quarter_starts_on when 'month' then month end as starts_on)
    where period = 'all' or month is not null
    group by all
),
summed as not materialized (
    select dimension, member, period, starts_on, coalesce(max(touches), 0) as touches,
           coalesce(max(people), 0) as people, coalesce(max(inquiries), 0) as inquiries,
           coalesce(max(mqls), 0) as mqls, coalesce(max(sqls), 0) as sqls,
           coalesce(max(accounts), 0) as accounts, coalesce(max(target_accounts), 0) as target_accounts,
           coalesce(max(lead_accounts), 0) as lead_accounts, coalesce(max(mql_accounts), 0) as mql_accounts,
           coalesce(max(sql_accounts), 0) as sql_accounts,
           coalesce(max(opportunity_accounts), 0) as opportunity_accounts,
           coalesce(max(won_accounts), 0) as won_accounts, max(cost) as cost,
           coalesce(bool_or(is_budget), false) as is_budget
    from figure
    group by dimension, member, period, starts_on
)
select summed.*, coalesce(names.name, member) as member_name, (cost / nullif(inquiries, 0))::decimal(18, 2) as cost_per_inquiry,
       (cost / nullif(mqls, 0))::decimal(18, 2) as cost_per_mql,
       (cost / nullif(sqls, 0))::decimal(18, 2) as cost_per_sql,
       (cost / nullif(accounts, 0))::decimal(18, 2) as cost_per_account,
       (cost / nullif(opportunity_accounts, 0))::decimal(18, 2) as cost_per_opportunity
from summed
left join marts.member_names as names using (dimension, member)
