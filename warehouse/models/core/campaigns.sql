-- One row per campaign; one that only touches or costs name is listed too, so that nothing is counted for nobody.
-- grain: campaign_id
-- column: campaign_id | as the sources give it
-- column: name | the campaign's name, else its id
-- column: channel | edm, sms, call, ad, webinar, event … ; where not given, that of most of its touches
-- column: parent_campaign_id | the campaign it belongs to
-- column: starts_on | first day
-- column: ends_on | last day
-- column: budget | planned cost in `currency`
-- column: cost | actual cost in `currency` as the list of campaigns states it
-- column: currency | ISO code of budget and cost
-- column: source | source whose row stands here
-- column: is_listed | false: no list of campaigns names it; look for a typing error or a missing list
with listed as (
    select campaign_id, name, lower(trim(channel)) as channel, parent_campaign_id, starts_on, ends_on, budget, cost,
           upper(coalesce(currency, $currency)) as currency, source
    from staging.campaigns
    where campaign_id is not null
    qualify row_number() over (
        partition by campaign_id order by source_rank nulls last, source_date desc nulls last, row_hash
    ) = 1
),
touched as (
    select campaign_id, lower(trim(channel)) as channel, count(*) as touches
    from staging.touches
    where campaign_id is not null
    group by all
),
usual_channel as (
    select campaign_id, first(channel order by touches desc, channel) filter (channel is not null) as channel
    from touched
    group by all
),
named as (
    select campaign_id from touched
    union
    -- A cost shared by several names each of them: 'a; b' or 'a:60; b:40'.
    select regexp_replace(unnest(regexp_split_to_array(campaign_id, '\s*[;；、|]\s*')), '\s*[:：]\s*[0-9.]+\s*%?$', '')
    from staging.costs
    where regexp_matches(campaign_id, '[;；、|]') and campaign_id not in (select campaign_id from listed)
    union
    select campaign_id
    from staging.costs
    where not regexp_matches(campaign_id, '[;；、|]') or campaign_id in (select campaign_id from listed)
    union
    select parent_campaign_id from listed where parent_campaign_id is not null
)
select campaign_id,
       coalesce(listed.name, campaign_id) as name,
       coalesce(listed.channel, usual_channel.channel) as channel,
       listed.parent_campaign_id,
       listed.starts_on,
       listed.ends_on,
       listed.budget::decimal(18, 2) as budget,
       listed.cost::decimal(18, 2) as cost,
       coalesce(listed.currency, $currency) as currency,
       listed.source,
       listed.campaign_id is not null as is_listed
from listed
full join (select campaign_id from named where campaign_id <> '') as named using (campaign_id)
left join usual_channel using (campaign_id)
