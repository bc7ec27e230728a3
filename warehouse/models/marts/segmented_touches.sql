-- One row per touch that counts, with the segments under which the figures of campaigns show it.
-- kind: view
-- published: view
-- grain: touch_id
-- column: touch_id | the touch
-- column: occurred_at | UTC
-- column: month | first day of its month, in the workspace's time zone
-- column: person_id | who; null where no key could be read
-- column: account_id | their company; null where undecided
-- column: campaign | its campaign, or '(its channel)' without one
-- column: parent_campaign | the campaign's parent, itself where it has none
-- column: channel | its own channel; '(unknown)'
-- column: touch_type | what happened; '(unknown)'
-- column: region | province of the company; '(unknown)'
-- column: industry | GB/T 4754 section of the company; '(unknown)'
-- column: grade | fit of the company, A to D; U unknown
-- column: team | team of who holds the company; '(none)'
select touches.touch_id, touches.occurred_at,
       date_trunc('month', touches.occurred_at at time zone 'UTC' at time zone workspace.timezone)::date as month,
       touches.person_id, touches.account_id,
       coalesce(touches.campaign_id, '(' || coalesce(touches.channel, 'unknown') || ')') as campaign,
       coalesce(campaigns.parent_campaign_id, touches.campaign_id, '(' || coalesce(touches.channel, 'unknown') || ')')
           as parent_campaign,
       coalesce(touches.channel, '(unknown)') as channel,
       coalesce(touches.type, '(unknown)') as touch_type,
       coalesce(account.province, '(unknown)') as region,
       coalesce(account.industry_section, '(unknown)') as industry,
       coalesce(account.grade, 'U') as grade,
       coalesce(account.team, '(none)') as team
from core.touches
cross join marts.workspace
left join core.campaigns on campaigns.campaign_id = touches.campaign_id
left join marts.account_360 as account on account.account_id = touches.account_id
where not touches.is_future
