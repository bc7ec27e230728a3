-- One row per device, or number a tool gave a visitor, and the login it belongs to: what was done on it before the login
-- is that person's. A device is of the first who logged in on it; who came later on it has only what they did logged in.
-- grain: source, kind, id
-- published: no
-- column: source | the source whose ids these are
-- column: kind | device or user
-- column: id | the device's id, or the tool's own number of the visitor
-- column: login_id | whose it is
-- column: since | when the two were first seen together; null where only a users table says so
with told as (
    select rowid as place, source, user_id, distinct_id, coalesce(anonymous_id, original_id) as device_id,
           coalesce(login_id,
                    case when lower(is_login_id) in ('true', '1') or log_type = 'track_signup' then distinct_id end) as login
    from raw.events
),
seen as (
    select source, user_id, login, occurred_at, coalesce(device_id, distinct_id) as device_id
    from told
    join staging.event_times using (place)
    where login is not null and not is_refused
),
together as (
    select source, 'device' as kind, device_id as id, login, occurred_at from seen where device_id <> login
    union all
    select source, 'user', user_id, login, occurred_at from seen where user_id is not null
),
first_login as (
    select source, kind, id,
           min({'since': coalesce(occurred_at, timestamp '1900-01-01'), 'login': login}) as first_seen
    from together
    group by source, kind, id
)
select source, kind, id, first_seen.login as login_id, nullif(first_seen.since, timestamp '1900-01-01') as since
from first_login, rules.reach
qualify kind = 'user' or not is_one_device
     or row_number() over (partition by source, kind, first_seen.login order by first_seen.since, id) = 1
