-- One row per deal: how many touches, people, campaigns and days it took, and what brought the first decision maker.
-- grain: deal_id
-- column: deal_id | the deal
-- column: name | its name
-- column: account_id | its company
-- column: account_name | the company's name
-- column: status | won, lost, open
-- column: type | new, expansion, renewal
-- column: stage | the CRM's stage
-- column: amount_base | amount in the workspace's currency; null is unknown
-- column: created_at | opened, UTC
-- column: closed_at | won or lost, UTC
-- column: touches | touches of its journey, as `attribution.yaml` counts them
-- column: people | people who had them
-- column: campaigns | campaigns they belong to
-- column: channels | distinct channels
-- column: first_touch_at | first touch, UTC
-- column: last_touch_at | last touch, UTC
-- column: days | whole days from the first touch to the close, of an open deal to the run's day
-- column: path | channels in order, joined by ' > ', repeats once
-- column: first_decision_maker_id | first decision maker met: by role on the deal, else of director level or higher
-- column: decision_maker_by | what brought them: touch, or activity (a call or visit of sales) where that came first
-- column: decision_maker_type | its type: form, meeting, visit …
-- column: decision_maker_touch_id | the touch; null where an activity brought them
-- column: decision_maker_activity_id | the activity, as the CRM names it, else its row; null where a touch brought them
-- column: decision_maker_campaign_id | the touch's campaign, or '(its channel)'
-- column: decision_maker_at | when, UTC
-- column: top_campaign_id | campaign with most credit by the model shown first
-- column: top_campaign_share | its share of the deal
-- column: top_touch_id | touch with most credit by the model shown first; of equal ones the earliest
-- column: top_touch_share | its share of the deal
-- column: is_won_before_contact | won before the first contact that is known
with step as (
    select journey.deal_id, journey.position, touches.touch_id, touches.person_id,
           coalesce(touches.campaign_id, '(' || coalesce(touches.channel, 'unknown') || ')') as campaign_id,
           touches.campaign_id as named_campaign_id, touches.channel, touches.type, touches.occurred_at,
           lag(touches.channel) over (partition by journey.deal_id order by journey.position) as channel_before
    from scored.deal_touches as journey
    join core.touches using (touch_id)
),
journey as (
    select deal_id, count(*) as touches, count(distinct person_id) as people,
           count(distinct named_campaign_id) as campaigns, count(distinct channel) as channels,
           min(occurred_at) as first_touch_at, max(occurred_at) as last_touch_at,
           string_agg(coalesce(channel, 'unknown'), ' > ' order by position)
               filter (position = 1 or channel is distinct from channel_before) as path
    from step
    group by all
),
meeting as (
    select deal_id, person_id, 'touch' as by, type, touch_id, null as activity_id, campaign_id, occurred_at, position
    from step
    union all
    select deals.deal_id, activities.person_id, 'activity', activities.type, null,
           coalesce(activities.activity_id, activities.row_id), null, activities.occurred_at, null
    from core.activities
    join core.deals using (account_id)
    left join journey using (deal_id)
    where activities.occurred_at between least(journey.first_touch_at, deals.lead_created_at, deals.created_at)
                                 and case when deals.status = 'open' then $at else coalesce(deals.closed_at, $at) end
),
decider as (
    select meeting.*
    from meeting
    left join core.deal_contacts as contacts using (deal_id, person_id)
    left join matched.persons using (person_id)
    where contacts.is_decision_maker or persons.seniority in ('c_level', 'vp', 'director')
    qualify row_number() over (
        partition by meeting.deal_id
        order by coalesce(contacts.is_decision_maker, false) desc, meeting.occurred_at, meeting.by desc,
                 meeting.position, meeting.activity_id
    ) = 1
),
credit as (
    select credits.deal_id, credits.touch_id, credits.campaign_id, credits.weight
    from scored.credits
    join rules.attribution using (model)
    where attribution.position = (select min(position) from rules.attribution where not is_influence)
      and credits.basis = 'pipeline' and credits.touch_id is not null
),
influence as (
    select deal_id, campaign_id, sum(weight::decimal(28, 12)) as share
    from credit
    group by deal_id, campaign_id
    qualify row_number() over (partition by deal_id order by share desc, campaign_id) = 1
),
strongest as (
    select credit.deal_id, credit.touch_id, credit.weight
    from credit
    join scored.deal_touches as journey using (deal_id, touch_id)
    qualify row_number() over (partition by deal_id order by credit.weight desc, journey.position) = 1
)
select deals.deal_id, deals.name, deals.account_id, accounts.name as account_name, deals.status, deals.type,
       deals.stage, deals.amount_base, deals.created_at, deals.closed_at,
       coalesce(journey.touches, 0) as touches, coalesce(journey.people, 0) as people,
       coalesce(journey.campaigns, 0) as campaigns, coalesce(journey.channels, 0) as channels,
       journey.first_touch_at, journey.last_touch_at,
       datediff('second', journey.first_touch_at,
                case when deals.status = 'open' then $at else coalesce(deals.closed_at, $at) end) // 86400 as days,
       journey.path,
       decider.person_id as first_decision_maker_id, decider.by as decision_maker_by,
       decider.type as decision_maker_type, decider.touch_id as decision_maker_touch_id,
       decider.activity_id as decision_maker_activity_id, decider.campaign_id as decision_maker_campaign_id,
       decider.occurred_at as decision_maker_at,
       influence.campaign_id as top_campaign_id, influence.share::double as top_campaign_share,
       strongest.touch_id as top_touch_id, strongest.weight as top_touch_share,
       deals.is_won_before_contact
from core.deals
left join resolved.accounts on accounts.account_id = deals.account_id
left join journey on journey.deal_id = deals.deal_id
left join decider on decider.deal_id = deals.deal_id
left join influence on influence.deal_id = deals.deal_id
left join strongest on strongest.deal_id = deals.deal_id
