-- One row per segment and month of spending: what campaigns cost, up to the run's day. Within a dimension the rows add up
-- to all costs of campaigns. By campaign, parent and channel a cost is the campaign's own; by the others each campaign's
-- cost is shared among them as its touches are, to the cent.
-- kind: view
-- published: view
-- grain: dimension, member, month
-- column: dimension | campaign, parent_campaign, channel, touch_type, region, industry, grade, team
-- column: member | of that dimension; '(no touches)' where a campaign has cost and none
-- column: month | first day of the month of spending; null where the day is not known
-- column: cost | workspace currency; null where no rate is known
-- column: is_budget | cost holds a budget, for want of actual figures
with spent as not materialized (
    select costs.campaign_id, campaigns.parent_campaign_id, campaigns.channel,
           date_trunc('month', costs.spent_on)::date as month, sum(costs.amount_base) as cost,
           bool_or(costs.is_budget) as is_budget
    from core.campaign_costs as costs
    cross join marts.workspace
    join core.campaigns using (campaign_id)
    where coalesce(costs.spent_on, workspace.as_of) <= workspace.as_of
    group by all
),
touched as not materialized (
    select 'touch_type' as dimension, touch_type as member, campaign as campaign_id, count(*) as touches
    from marts.segmented_touches group by all
    union all
    select 'region', region, campaign, count(*) from marts.segmented_touches group by all
    union all
    select 'industry', industry, campaign, count(*) from marts.segmented_touches group by all
    union all
    select 'grade', grade, campaign, count(*) from marts.segmented_touches group by all
    union all
    select 'team', team, campaign, count(*) from marts.segmented_touches group by all
),
share as not materialized (
    select dimension, member, campaign_id, sum(touches) over so_far as up_to,
           sum(touches) over so_far - touches as before,
           sum(touches) over (partition by dimension, campaign_id) as touches
    from touched
    window so_far as (partition by dimension, campaign_id order by member)
),
part as (
    select 'campaign' as dimension, campaign_id as member, month, cost, is_budget from spent
    union all
    select 'parent_campaign', coalesce(parent_campaign_id, campaign_id), month, cost, is_budget from spent
    union all
    select 'channel', coalesce(channel, '(unknown)'), month, cost, is_budget from spent
    union all
    -- What is rounded up to one segment is taken off the next: the parts of a cost add up to it.
    select share.dimension, share.member, spent.month,
           round(spent.cost * (up_to / touches), 2)::decimal(18, 2)
               - round(spent.cost * (before / touches), 2)::decimal(18, 2),
           spent.is_budget
    from spent
    join share using (campaign_id)
    union all
    select dimension, '(no touches)', month, cost, is_budget
    from spent
    cross join (select unnest(['touch_type', 'region', 'industry', 'grade', 'team']) as dimension)
    where campaign_id not in (select campaign_id from core.touches where campaign_id is not null and not is_future)
)
select dimension, member, month, sum(cost)::decimal(18, 2) as cost, bool_or(is_budget) as is_budget
from part
group by dimension, member, month
