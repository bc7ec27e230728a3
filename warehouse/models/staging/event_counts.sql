-- One row per source and fate of behaviour events: every event that was landed stands in one of them.
-- grain: source, fate
-- column: source | the source
-- column: fate | touch, anonymous, duplicate, bot, ignored, no_behaviour or refused
-- column: events | how many events
-- column: touches | how many touches they make, for those of the fate touch
with fate as (
    select source, fate, count(*) as events from staging.event_facts group by all
),
touch as (
    select source, count(*) as touches from staging.event_touches group by all
)
select source, fate, events, case when fate = 'touch' then coalesce(touches, 0) end as touches
from fate
left join touch using (source)
