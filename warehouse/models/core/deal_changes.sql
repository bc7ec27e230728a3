-- One row per deal and day from which it was known in this state; amendments, reopenings, late news stand where they came.
-- A deal that was deleted or merged away has its days until then, and none after.
-- What the first week's files tell of the time before counts as known when it happened, later news when it was landed.
-- grain: deal_id, known_on
-- check: status in ('won', 'lost', 'open')
-- check: happened_on <= known_on
-- check: known_until is null or known_until >= known_on
-- column: deal_id | the deal
-- column: known_on | the local day from which it was known so
-- column: known_until | the last such day; null: still so. Of a deal that is gone the last one before that was known
-- column: happened_on | when it came so: of a closing the day that the CRM tells, else the day it was known
-- column: stage | the CRM's stage; null where the history does not reach back
-- column: status | won, lost or open
-- column: amount | in `currency`, as told then; null is unknown
-- column: currency | ISO code
-- column: is_foreign | its currency is not the workspace's
-- column: owner_id | sales person then
-- column: probability | the CRM's own then, 0 to 1; null before its first file was landed
-- column: opened_on | the day it was opened, as far as is known
with deal as (
    select deal_id, row_id, amount, currency, owner_id, probability, created_at from core.deals
    union all
    select deal_id, row_id, amount, upper(coalesce(currency, $currency)), owner_id, probability, created_at
    from staging.deals
    where deal_id is not null and deal_id not in (select deal_id from core.deals)
    qualify row_number() over (
        partition by deal_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
told as (
    select * from staging.deal_versions
    union all by name
    -- Of a deal that was merged away the last word is that.
    select deal.row_id, merged_deals.merged_on as told_on, true as is_deleted
    from core.merged_deals
    join deal on deal.deal_id = merged_deals.old_deal_id
    anti join staging.deal_versions as known on known.row_id = deal.row_id and known.told_on = merged_deals.merged_on
),
version as (
    select deals.deal_id, told.told_on, told.stage, told.amount::decimal(18, 2) as amount,
           upper(coalesce(told.currency, $currency)) as currency, told.owner_id, told.probability, told.created_at,
           (told.closed_at at time zone 'UTC' at time zone $timezone)::date as closed_on,
           coalesce(told.is_deleted, false) as is_gone,
           row_number() over (partition by deals.deal_id order by told.told_on) as number
    from deal as deals
    join told using (row_id)
    union all
    select deals.deal_id, null, staged.stage, deals.amount, deals.currency, deals.owner_id, deals.probability,
           deals.created_at, (staged.closed_at at time zone 'UTC' at time zone $timezone)::date,
           coalesce(staged.is_deleted, false), 1
    from deal as deals
    join staging.deals as staged using (row_id)
    where row_id not in (select row_id from told)
),
judged as (
    select version.*,
           case when version.is_gone then 'gone'
                when version.stage is not null then coalesce(stages.status, 'open')
                when version.closed_on <= coalesce(version.told_on, $as_of) then 'won'
                else 'open' end as status
    from version
    left join rules.deal_stages as stages on stages.word = regexp_replace(lower(version.stage), '[\s_-]', '', 'g')
),
first_version as (
    select deal_id, told_on, status, closed_on,
           (created_at at time zone 'UTC' at time zone $timezone)::date as created_on,
           coalesce(told_on > (select min(told_on) from staging.deal_versions) + 7, false) as came_later
    from judged
    where number = 1
),
entry as (
    select coalesce(merged_deals.deal_id, history.deal_id) as deal_id, history.stage,
           coalesce(stages.status, 'open') as status, history.first_landed_on,
           (history.entered_at at time zone 'UTC' at time zone $timezone)::date as entered_on
    from staging.deal_stages as history
    left join core.merged_deals on merged_deals.old_deal_id = history.deal_id
    left join rules.deal_stages as stages on stages.word = regexp_replace(lower(history.stage), '[\s_-]', '', 'g')
    where history.stage is not null and history.entered_at <= $at
),
without_stage as (
    select deal_id from judged group by deal_id having max(stage) is null
    intersect
    select deal_id from entry
),
state as (
    -- Opened; nothing is known of its stage.
    select deal_id, created_on as happened_on, case when came_later then told_on end as told_on, null as stage,
           'open' as status, 0 as rank
    from first_version
    where created_on is not null
    union all
    -- The stages it went through before the CRM's first word of it; an open one after its end is a late note.
    select deal_id, entry.entered_on, null, entry.stage, entry.status, 1
    from entry
    join first_version using (deal_id)
    where deal_id not in (from without_stage) and not came_later and entry.entered_on < coalesce(told_on, $as_of + 1)
      and (first_version.status = 'open' or entry.status <> 'open' or closed_on is null or entry.entered_on <= closed_on)
    union all
    -- Deals whose only stages are those of the history.
    select deal_id, entry.entered_on,
           case when came_later or first_landed_on > (select min(first_landed_on) from staging.deal_stages) + 7
                then greatest(first_landed_on, told_on) end,
           entry.stage, entry.status, 1
    from entry
    join first_version using (deal_id)
    where deal_id in (from without_stage)
    union all
    -- What the CRM said of it, day by day.
    select deal_id,
           case when status in ('open', 'gone') then coalesce(told_on, created_on, $as_of)
                else least(coalesce(closed_on, told_on), coalesce(told_on, $as_of)) end,
           case when number > 1 or status = 'open' or deal_id in (select deal_id from first_version where came_later)
                then told_on end,
           case when deal_id not in (from without_stage) then stage end,
           case when status = 'gone' or deal_id not in (from without_stage) then status end,
           2
    from (select judged.*, first_version.created_on
          from judged join first_version using (deal_id))
),
known as (
    select deal_id, greatest(happened_on, coalesce(told_on, happened_on)) as known_on, happened_on, stage, status,
           min(happened_on) over (partition by deal_id) as opened_on
    from state
    where happened_on <= $as_of
    qualify row_number() over (
        partition by deal_id, known_on order by rank desc, happened_on desc, stage desc nulls last
    ) = 1
),
filled as (
    select deal_id, known_on, happened_on, opened_on,
           last_value(stage ignore nulls) over so_far as stage,
           coalesce(last_value(status ignore nulls) over so_far, 'open') as status
    from known
    where known_on <= $as_of
    window so_far as (partition by deal_id order by known_on)
),
valued as (
    select filled.*, version.amount, version.currency, version.owner_id,
           -- The CRM's probability of a deal that is closed by now says nothing of what it said before.
           case when filled.known_on >= told_on or told_on is null then version.probability end as probability
    from filled
    asof join (select *, case when number = 1 then date '0001-01-01' else told_on end as holds_from from version)
        as version on filled.deal_id = version.deal_id and filled.known_on >= version.holds_from
),
news as (
    select *
    from valued
    qualify lag(row(stage, status, amount, currency, owner_id, probability)) over (
        partition by deal_id order by known_on
    ) is distinct from row(stage, status, amount, currency, owner_id, probability)
)
select deal_id, known_on, known_until, happened_on, stage, status, amount, currency, is_foreign, owner_id, probability,
       opened_on
from (
    select *, lead(known_on) over (partition by deal_id order by known_on) - 1 as known_until,
           currency <> $currency as is_foreign
    from news
)
where status <> 'gone'
