-- One row per restatement: what a deal, order, invoice, payment or cost said before, and what it says since that day.
-- The figures of an older day come back by `abmloop rebuild --as-of`; these lines lead from them to today's. Companies
-- that became one are lines too, and deals that are split otherwise than before: credits follow, no total changes.
-- grain: entity, id, row_id, stated_on
-- column: entity | deal, order, invoice, payment, cost, account or split
-- column: id | which one (of a stated cost the campaign); of an account the id that was given up; of a split the deal
-- column: row_id | source and source key of the record; of a split account or owner, and whose share it is
-- column: stated_on | day on which the new version was landed
-- column: what | what changed: amount, currency, day, stage, parent, gone (deleted, merged), back, joined by +; merged; share
-- column: basis | the total that it changes: pipeline, signed, invoiced, cash, cost; null for none
-- column: deal_id | the deal it counts for today
-- column: account_id | the deal's company; of a merge the one that stays
-- column: parent_id_before | order's deal, invoice's or payment's order, cost's campaign or deal; of a merge the old id
-- column: parent_id | since then
-- column: status_before | a deal's: won, lost or open
-- column: status | since then
-- column: day_before | day of closing, signing, issue, payment or spending
-- column: day | since then
-- column: amount_before | in `currency_before`; null is unknown
-- column: amount | in `currency`
-- column: currency_before | ISO code
-- column: currency | since then
-- column: share_before | of a split, 0 to 1; null where they had none
-- column: share | since then; null where they have none
-- column: difference | what it did to the total of its basis as of the run's day, workspace currency, rates as known today
with lost_deal as (
    -- Deals that are gone: deleted over there, or merged into another one.
    select told.deal_id, told.row_id, merged_deals.deal_id as stands_for_it, merged_deals.merged_on
    from staging.deals as told
    left join core.merged_deals on merged_deals.old_deal_id = told.deal_id
    where told.deal_id is not null and told.deal_id not in (select deal_id from core.deals)
    qualify row_number() over (
        partition by told.deal_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
standing as (
    select 'deals' as entity, 'deal' as kind, 'pipeline' as basis, deal_id as id, row_id, deal_id, status as status_now
    from core.deals
    union all
    select 'deals', 'deal', 'pipeline', deal_id, row_id, coalesce(stands_for_it, deal_id), null from lost_deal
    union all
    select 'orders', 'order', 'signed', order_id, row_id, deal_id, null from core.orders
    union all
    select 'orders', 'order', 'signed', order_id, row_id, deal_id, null
    from staging.orders
    where is_deleted and order_id not in (select order_id from core.orders)
    union all
    select 'invoices', 'invoice', 'invoiced', invoice_id, row_id, deal_id, null from core.invoices
    union all
    select 'invoices', 'invoice', 'invoiced', invoice_id, row_id, null, null
    from staging.invoices
    where is_deleted and invoice_id not in (select invoice_id from core.invoices)
    union all
    select 'payments', 'payment', 'cash', payment_id, row_id, deal_id, null from core.payments
    union all
    select 'payments', 'payment', 'cash', payment_id, row_id, deal_id, null
    from staging.payments
    where is_deleted and payment_id not in (select payment_id from core.payments)
    union all
    select 'costs', 'cost', 'cost', coalesce(cost_id, row_id), row_id, deal_id, null from staging.costs
    union all
    select 'campaigns', 'cost', 'cost', campaign_id, row_id, null, null
    from staging.campaigns
    where campaign_id in (select campaign_id from core.campaign_costs where kind in ('campaign', 'budget'))
),
told as (
    select versions.* replace (is_gone or coalesce(landed_on >= merged_on, false) as is_gone)
    from staging.money_versions as versions
    left join lost_deal on versions.entity = 'deals' and lost_deal.row_id = versions.row_id
    union all by name
    -- Told once, and again by the merge.
    select 'deals' as entity, row_id, deals.landed_on, deals.stage,
           (deals.closed_at at time zone 'UTC' at time zone $timezone)::date as day, deals.amount, deals.currency,
           deals.landed_on >= merged_on as is_gone
    from lost_deal
    join staging.deals using (row_id)
    where merged_on is not null and deals.versions = 1
    union all by name
    select 'deals' as entity, row_id, merged_on as landed_on, deals.stage,
           (deals.closed_at at time zone 'UTC' at time zone $timezone)::date as day, deals.amount, deals.currency,
           true as is_gone
    from lost_deal
    join staging.deals using (row_id)
    where merged_on > deals.landed_on
),
version as (
    select standing.kind, standing.basis, standing.id, standing.deal_id, versions.row_id, versions.landed_on,
           versions.parent_id, versions.day, versions.amount::decimal(18, 2) as amount,
           coalesce(versions.is_gone, false) as is_gone,
           upper(coalesce(versions.currency, $currency)) as currency, versions.stage,
           case when versions.entity <> 'deals' then null
                when versions.stage is null then standing.status_now
                else coalesce(stages.status, 'open') end as status
    from told as versions
    join standing using (entity, row_id)
    left join rules.deal_stages as stages on stages.word = regexp_replace(lower(versions.stage), '[\s_-]', '', 'g')
),
converted as (
    select version.*,
           case when is_gone or coalesce(status = 'lost', false) or coalesce(kind <> 'deal' and day > $as_of, false) then 0
                when version.currency = $currency then version.amount
                else round(version.amount * rates.rate, 2) end::decimal(18, 2) as counted
    from (
        select *, case when kind = 'deal' and status = 'open' then $as_of else coalesce(day, $as_of) end as rate_day
        from version
    ) as version
    asof left join core.fx_rates as rates on version.currency = rates.currency and version.rate_day >= rates.valid_on
),
step as (
    select *, lag(landed_on) over told as stated_before, lag(parent_id) over told as parent_id_before,
           lag(stage) over told as stage_before, lag(status) over told as status_before, lag(day) over told as day_before,
           lag(amount) over told as amount_before, lag(currency) over told as currency_before,
           lag(counted) over told as counted_before, lag(is_gone) over told as is_gone_before
    from converted
    window told as (partition by kind, row_id order by landed_on)
),
changed as (
    select *, array_to_string(list_filter([
               case when amount is distinct from amount_before then 'amount' end,
               case when currency <> currency_before then 'currency' end,
               case when day is distinct from day_before then 'day' end,
               case when stage is distinct from stage_before or status is distinct from status_before then 'stage' end,
               case when parent_id is distinct from parent_id_before then 'parent' end,
               case when is_gone and not is_gone_before then 'gone' when is_gone_before and not is_gone then 'back' end
           ], lambda word: word is not null), '+') as what
    from step
    where stated_before is not null
),
split as (
    select deal_id, axis, member_id, known_on,
           (percent / sum(percent) over (partition by deal_id, axis, known_on))::double as share
    from core.deal_splits
    union all
    -- What was known as one company's or one sales person's deal before its first split.
    select deals.deal_id, first_split.axis, case first_split.axis when 'owner' then deals.owner_id else deals.party_id end,
           told.first_landed_on, 1
    from (select deal_id, axis, min(known_on) as known_on from core.deal_splits group by all) as first_split
    join core.deals using (deal_id)
    join staging.deals as told using (row_id)
    where told.first_landed_on < first_split.known_on
),
split_day as (
    select deal_id, axis, known_on, lag(known_on) over (partition by deal_id, axis order by known_on) as before_on
    from (select distinct deal_id, axis, known_on from split)
),
split_change as (
    select days.deal_id, days.axis, days.known_on, split.member_id,
           any_value(split.share) filter (split.known_on = days.before_on) as share_before,
           any_value(split.share) filter (split.known_on = days.known_on) as share
    from split_day as days
    join split on split.deal_id = days.deal_id and split.axis = days.axis
        and split.known_on in (days.known_on, days.before_on)
    where days.before_on is not null
    group by all
)
select changed.kind as entity, changed.id, changed.row_id, changed.landed_on as stated_on, changed.what, changed.basis,
       changed.deal_id, deals.account_id, changed.parent_id_before, changed.parent_id, changed.status_before,
       changed.status, changed.day_before, changed.day, changed.amount_before, changed.amount, changed.currency_before,
       changed.currency, null::double as share_before, null::double as share,
       (coalesce(changed.counted, 0) - coalesce(changed.counted_before, 0))::decimal(18, 2) as difference
from changed
left join core.deals on deals.deal_id = changed.deal_id
where changed.what <> ''
union all by name
select distinct 'account' as entity, other_account_id as id, other_account_id as row_id, as_of as stated_on,
       'merged' as what, account_id, other_account_id as parent_id_before, account_id as parent_id,
       0::decimal(18, 2) as difference
from resolved.account_history
where event = 'merged' and account_id in (select account_id from core.deals)
union all by name
select 'split' as entity, split_change.deal_id as id, axis || ':' || coalesce(member_id, '(unknown)') as row_id,
       known_on as stated_on, 'share' as what, split_change.deal_id,
       case axis when 'account' then member_id else deals.account_id end as account_id, share_before, share,
       0::decimal(18, 2) as difference
from split_change
left join core.deals on deals.deal_id = split_change.deal_id
where share is distinct from share_before
