-- One row per behaviour event in raw: who did it, what it is, and what becomes of it.
-- grain: place
-- published: no
-- column: place | row in raw.events
-- column: source | the source
-- column: fate | touch, anonymous, duplicate, bot, ignored, no_behaviour (a users table or profile), refused
-- column: visitor | who: the login, else the id a contact of the source bears, else a key in the event; null if unknown
-- column: contact_id | the login or id by which contacts of the source name them
-- column: occurred_at | UTC
-- column: type | touch type
-- column: roll_up | session, day or none
-- column: same | number that events have in common that are one, sent twice
with told as (
    select rowid as place, source, event_id, user_id, distinct_id, lower(trim(event)) as event, log_type, url, email, mobile,
           wechat_unionid, wechat_openid, user_agent, is_bot, coalesce(anonymous_id, original_id, distinct_id) as device,
           coalesce(login_id,
                    case when lower(is_login_id) in ('true', '1') or log_type = 'track_signup' then distinct_id end) as login
    from raw.events
),
program as (
    select user_agent, bool_or(contains(lower(user_agent), word)) as is_program
    from (select distinct user_agent from raw.events where user_agent is not null), rules.bot_words
    group by user_agent
),
known as (
    select source, contact_id as id from staging.contacts where contact_id is not null
    union
    select source, login_id from staging.visitor_logins
),
who as (
    select told.place, told.source, event_id, distinct_id, event, log_type, url, user_agent, is_bot, occurred_at, is_refused,
           coalesce(login, of_user.login_id, of_device.login_id, known.id) as contact_id,
           coalesce(login, of_user.login_id, of_device.login_id, known.id, email, mobile, wechat_unionid, wechat_openid)
               as visitor
    from told
    join staging.event_times using (place)
    left join staging.visitor_logins as of_user
        on of_user.kind = 'user' and of_user.source = told.source and of_user.id = told.user_id
    left join staging.visitor_logins as of_device
        on of_device.kind = 'device' and of_device.source = told.source and of_device.id = told.device
    left join known on known.source = told.source and known.id = told.device
),
-- Only who is known can be a touch: the many others are counted and need no more work.
candidate as (
    select place, who.source, contact_id, visitor, occurred_at, coalesce(event_types.type, who.event) as type,
           case when event_types.event is not null then event_types.roll_up else other_roll_up end as roll_up,
           hash(who.source, visitor, who.event, occurred_at, coalesce(event_id, url)) as same,
           coalesce(is_program, false)
           or coalesce(lower(is_bot) not in ('false', '0', 'no', '否', ''), false) as is_program
    from who
    cross join rules.reach
    left join rules.event_types on event_types.event = who.event
    left join program using (user_agent)
    where visitor is not null and not is_refused and who.event is not null
      and coalesce(log_type, 'track') in ('track', 'track_signup')
),
once as (
    select same, min(place) as place from candidate group by same
),
burst as (
    select visitor, date_trunc('minute', occurred_at) as minute
    from candidate
    semi join once using (place)
    group by all
    having count(*) > (select events_per_minute from rules.reach)
),
judged as (
    select candidate.place, candidate.contact_id, candidate.visitor, candidate.type, candidate.roll_up, candidate.same,
           case when once.place is null then 'duplicate'
                when candidate.is_program or burst.visitor is not null then 'bot'
                when candidate.roll_up = 'ignore' then 'ignored'
                else 'touch' end as fate
    from candidate
    left join once using (place)
    left join burst on burst.visitor = candidate.visitor and burst.minute = date_trunc('minute', candidate.occurred_at)
)
select place, who.source,
       case when who.is_refused then 'refused'
            when coalesce(who.log_type, 'track') not in ('track', 'track_signup') or who.event is null then 'no_behaviour'
            else coalesce(judged.fate, 'anonymous') end as fate,
       judged.visitor, judged.contact_id, who.occurred_at, judged.type, judged.roll_up, judged.same
from who
left join judged using (place)
