-- One row per touch that a rule of engagement fits: which rule, and where the touch stands in its person's log.
-- A touch scores by the first rule, by position, that fits it. Unknown minutes, content or channel meet no condition.
-- kind: view
-- published: no
-- grain: touch_id
-- column: touch_id | the touch
-- column: person_id | who
-- column: account_id | the company for which it counts
-- column: position | the rule in rules.engagement
-- column: occurred_at | UTC
-- column: is_future | after the run's day
with rule as (
    select * exclude (touch_types), unnest(touch_types) as touch_type,
           coalesce(minutes_at_least is not null or len(channels) > 0 or len(content_words) > 0, false) as is_conditional
    from rules.engagement
),
-- What the rules of a type ask about: of most types nothing, so that few touches are looked at closely.
asked as (
    select touch_type, min(position) as first_position,
           arg_min(is_conditional, position) as is_close,
           bool_or(len(channels) > 0) as asks_channel, bool_or(len(content_words) > 0) as asks_content,
           bool_or(minutes_at_least is not null) as asks_minutes
    from rule
    group by touch_type
),
near as not materialized (
    select touches.touch_id, touches.person_id, touches.account_id, touches.occurred_at, touches.is_future, touches.type,
           case when asks_channel then touches.channel end as channel,
           case when asks_content then touches.content end as content,
           case when asks_minutes and not isnan(touches.minutes::double) then touches.minutes::double end as minutes
    from core.touches
    join asked on asked.touch_type = touches.type
    where asked.is_close and touches.person_id is not null
),
-- Many touches say the same: each saying is judged once.
saying as (
    select distinct type, channel, content, minutes from near
),
fitting as (
    select saying.type, saying.channel, saying.content, saying.minutes, min(rule.position) as position
    from saying
    join rule on rule.touch_type = saying.type
    where (rule.minutes_at_least is null or saying.minutes >= rule.minutes_at_least)
      and (len(rule.channels) = 0 or list_contains(rule.channels, saying.channel))
      and (len(rule.content_words) = 0
           or len(list_filter(rule.content_words, lambda word: contains(lower(saying.content), word))) > 0)
    group by all
)
select touches.touch_id, touches.person_id, touches.account_id, asked.first_position as position, touches.occurred_at,
       touches.is_future
from core.touches
join asked on asked.touch_type = touches.type
where not asked.is_close and touches.person_id is not null
union all
select near.touch_id, near.person_id, near.account_id, fitting.position, near.occurred_at, near.is_future
from near
join fitting on fitting.type = near.type
    and fitting.channel is not distinct from near.channel
    and fitting.content is not distinct from near.content
    and fitting.minutes is not distinct from near.minutes
