-- One row per touch: what one person did or received, with the account for which it counts.
-- The same touch in two sources is one row: by its id with person and second, or without an id by what happened.
-- grain: touch_id
-- check: party_id is not null or person_id is null
-- column: touch_id | the source's id; where two different touches bear one id, or none, that of the row
-- column: person_id | who; null where no key could be read
-- column: account_id | their company at that time, where the match is decided
-- column: party_id | account_id, else the new account made for their company, else 'person:' and the person
-- column: campaign_id | campaign; null for website and direct touches
-- column: channel | the touch's own, else its campaign's, else website or direct; null where a campaign has none
-- column: type | what happened, in lower case
-- column: occurred_at | UTC
-- column: content | page, asset, subject
-- column: minutes | how long, where it lasted
-- column: is_future | after the run's day: shown, never counted
-- column: row_id | the row in staging.touches
with touch as (
    select touches.touch_id, touches.company_name_key, touches.row_id, touches.source, touches.source_rank, touches.campaign_id,
           lower(trim(touches.channel)) as channel, lower(trim(touches.type)) as type, touches.occurred_at,
           touches.content, touches.minutes, person_rows.person_id
    from staging.touches
    left join matched.person_rows on person_rows.entity = 'touches' and person_rows.row_id = touches.row_id
    where touches.occurred_at is not null
),
once_per_id as (
    select *
    from touch
    qualify row_number() over (
        partition by coalesce(touch_id, row_id), person_id, date_trunc('second', occurred_at)
        order by source_rank nulls last, source, row_id
    ) = 1
),
once_per_event as (
    select *
    from once_per_id
    window event as (
        partition by coalesce(person_id, row_id), campaign_id, type, content, date_trunc('second', occurred_at)
        order by touch_id is null, source_rank nulls last, source, row_id
    )
    qualify row_number() over event = 1
         or (touch_id is not null and source = first_value(source) over event)
),
employment as (
    select person_id, employer_key, known_until, is_primary, new_account_id,
           case when known_since > min(known_since) over whose then known_since end as known_since,
           case when decision in ('auto', 'manual') then account_id end as account_id
    from matched.employments
    window whose as (partition by person_id)
    qualify count(*) over whose > 1
),
-- Who had several companies acted for the one of that time: what they did then stays there.
employed as (
    select touch.row_id, employment.account_id,
           coalesce(employment.account_id, employment.new_account_id, 'person:' || touch.person_id) as party_id
    from once_per_event as touch
    join employment using (person_id)
    qualify row_number() over (
        partition by touch.row_id
        order by coalesce(known_since <= touch.occurred_at::date, true)
                 and coalesce(known_until > touch.occurred_at::date, true) desc,
                 coalesce(touch.company_name_key = employer_key, false) and employment.account_id is not null desc,
                 employment.account_id is not null desc, is_primary desc, known_since desc nulls last, employer_key
    ) = 1
)
select case when touch.touch_id is not null
             and row_number() over (partition by touch.touch_id order by source_rank nulls last, touch.source, touch.row_id)
                 = 1
            then touch.touch_id else touch.row_id end as touch_id,
       touch.person_id,
       coalesce(then_at.account_id, case when then_at.row_id is null then parties.account_id end) as account_id,
       coalesce(then_at.party_id, parties.party_id) as party_id,
       touch.campaign_id,
       coalesce(touch.channel,
                case when touch.campaign_id is not null and campaigns.is_listed then campaigns.channel end,
                case when touch.campaign_id is null then
                    case when regexp_matches(touch.type, 'visit|page|web|访问|浏览') then 'website' else 'direct' end
                end) as channel,
       touch.type,
       touch.occurred_at,
       touch.content,
       touch.minutes,
       (touch.occurred_at at time zone 'UTC' at time zone $timezone)::date > $as_of as is_future,
       touch.row_id
from once_per_event as touch
left join core.person_parties as parties using (person_id)
left join employed as then_at on then_at.row_id = touch.row_id
left join core.campaigns using (campaign_id)
