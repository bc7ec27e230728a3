-- One row per touch that behaviour events make: a visit, a day's doing, or a single event, by the rules of reach.yaml.
-- grain: row_id
-- check: occurred_at is not null
-- published: no
-- column: touch_id | id of the touch
-- column: campaign_id | the first campaign that one of its events names
-- column: channel | channel, where an event says one; website without a campaign
-- column: contact_id | the login or id by which contacts of the source name the visitor
-- column: email | address as received
-- column: mobile | number as received
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: company_name | company as received
-- column: type | what was done, lower case
-- column: occurred_at | when it began, UTC
-- column: content | pages seen, each once, in order
-- column: minutes | from the first to the last event
-- column: events | how many events it is made of
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | visitor, type and begin, hashed; of a single event its own identity too, so that a late one renames none
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day its first event was landed
-- column: row_hash | the hash of its first event's row in raw
-- column: file_sha | file of its first event
-- column: sheet | its sheet
-- column: line | its line
with fact as (
    select place, source, visitor, contact_id, occurred_at, type, roll_up,
           row_number() over (partition by source, visitor order by occurred_at, same) as number,
           case when roll_up = 'session' then
               coalesce(occurred_at - lag(occurred_at) over (
                   partition by source, visitor, roll_up order by occurred_at, same
               ) > to_minutes(session_minutes), true)::int end as is_new_visit
    from staging.event_facts, rules.reach
    where fate = 'touch'
),
placed as (
    select *,
           case roll_up
               when 'session' then sum(is_new_visit) over (
                   partition by source, visitor, roll_up order by number rows unbounded preceding
               )
               when 'day' then date_diff('day', date '1970-01-01',
                                         (occurred_at at time zone 'UTC' at time zone $timezone)::date)
               else number end as piece
    from fact
),
detail as (
    select placed.*, events.campaign_id, events.channel, events.email, events.mobile, events.wechat_unionid,
           events.wechat_openid, events.company_name,
           lower(trim(events.event)) || '|' || coalesce(events.event_id, events.url, '') as identity,
           left(coalesce(split_part(split_part(events.url, '?', 1), '#', 1), events.page_title), 200) as page
    from placed
    join (select rowid as place, * from raw.events) as events using (place)
),
page as (
    select source, visitor, type, roll_up, piece, page, min(number) as number
    from detail
    where page is not null
    group by source, visitor, type, roll_up, piece, page
    qualify row_number() over (partition by source, visitor, type, roll_up, piece order by min(number)) <= 20
),
pages as (
    select source, visitor, type, roll_up, piece, string_agg(page, ' | ' order by number) as content
    from page
    group by all
),
touch as (
    select source, visitor, type, roll_up, piece, min(occurred_at) as occurred_at, max(occurred_at) as last_at,
           count(*) as events, arg_min(place, number) as place, arg_min(contact_id, number) as contact_id,
           arg_min(campaign_id, number) as campaign_id, arg_min(channel, number) as channel,
           arg_min(email, number) as email, arg_min(mobile, number) as mobile,
           arg_min(wechat_unionid, number) as wechat_unionid, arg_min(wechat_openid, number) as wechat_openid,
           arg_min(company_name, number) as company_name, arg_min(identity, number) as identity
    from detail
    group by all
),
named as (
    select touch.*, pages.content,
           md5(concat_ws('|', touch.visitor, touch.type,
                         case when touch.roll_up = 'day' then touch.piece::varchar
                              else epoch_us(touch.occurred_at)::varchar end,
                         case when touch.roll_up = 'none' then touch.identity end)) as source_key
    from touch
    left join pages using (source, visitor, type, roll_up, piece)
)
select source_key as touch_id, named.campaign_id, coalesce(lower(trim(named.channel)), case when named.campaign_id is null then 'website' end) as channel, named.contact_id, named.email,
       named.mobile, named.wechat_unionid, named.wechat_openid, named.company_name, named.type, named.occurred_at, content,
       case when named.roll_up <> 'none' and events > 1 then
           round(date_diff('second', named.occurred_at, last_at) / 60.0, 2)::double end as minutes,
       events, named.source || ':' || source_key as row_id, named.source, source_key, received.source_rank,
       received.source_date, received.landed_on, received.row_hash, received.file_sha, received.sheet, received.line
from named
join (select rowid as place, * from raw.events) as received on received.place = named.place
