-- One row per behaviour event in raw: when it was. Milliseconds, seconds or microseconds since 1970, or a date and time
-- with its offset, else in the workspace's zone.
-- grain: place
-- published: no
-- column: place | row in raw.events
-- column: occurred_at | UTC; null where it cannot be read
-- column: is_refused | an event without a readable time; rows of a users table need none
with numbered as (
    select rowid as place, log_type, try_cast(occurred_at as double) as number,
           case when try_cast(occurred_at as double) is null and length(occurred_at) >= 8 then occurred_at end as words
    from raw.events
),
-- Where there is an offset the text is a moment, else a time of day in the workspace's zone.
read as (
    select place, log_type, number, has_offset,
           case when has_offset then try_cast(words as timestamptz) at time zone 'UTC' end as moment,
           case when not has_offset then try_cast(words as timestamp) end as local
    from (select *, length(words) > 16 and regexp_matches(words, '([Zz]|[+-]\d{2}:?\d{2})$') as has_offset from numbered)
),
-- The zone's offset is looked up once an hour that occurs, not once an event.
local_hour as (
    select hour, hour at time zone $timezone at time zone 'UTC' as starts_at
    from (select distinct date_trunc('hour', local) as hour from read where local is not null)
),
timed as (
    select place, log_type,
           case when number between 1e8 and 1e11 then make_timestamp((number * 1e6)::bigint)
                when number between 1e11 and 1e14 then make_timestamp((number * 1e3)::bigint)
                when number between 1e14 and 1e17 then make_timestamp(number::bigint)
                else coalesce(moment, local_hour.starts_at + (local - hour)) end as occurred_at
    from read
    left join local_hour on hour = date_trunc('hour', local)
)
select place,
       case when occurred_at >= timestamp '1990-01-01' then occurred_at end as occurred_at,
       coalesce(occurred_at < timestamp '1990-01-01', true) and log_type is distinct from 'users_table' as is_refused
from timed
