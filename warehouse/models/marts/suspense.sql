-- One row per record that hangs on nothing: its amount is in every total, under '(no deal)' or '(unattributed)', until it
-- is settled. Those without a basis are in no total: a deal that a less trusted source tells too, a split of no known
-- deal or of a deal merged into one that has its own, own costs of a lost deal (nothing was earned that could bear them).
-- grain: entity, id
-- column: entity | deal, order, invoice, payment, cost or split
-- column: id | which one; of a deal that is told twice its row
-- column: issue | no account, merged into unknown deal, duplicate deal, no deal, unknown deal, deleted deal, merged deal, lost deal, no order, unknown order, order without deal
-- column: basis | pipeline, signed, invoiced, cash, or cost: the total that holds it; null where none does
-- column: named | what it names and nothing knows; of a deal told twice the deal, of a lost deal's cost too
-- column: day | day of closing, signing, issue, payment or spending; of a split the day it was landed
-- column: amount | in `currency`
-- column: currency | ISO code
-- column: amount_base | workspace currency; null where no rate is known
-- column: row_id | source and source key of the record
with record as (
    select 'deal' as entity, deal_id as id, 'no account' as issue, 'pipeline' as basis, null as order_named,
           null as named, (closed_at at time zone 'UTC' at time zone $timezone)::date as day, amount, currency,
           amount_base, row_id
    from core.deals
    where party_id is null and status <> 'lost'
    union all
    select 'deal', deals.deal_id, 'merged into unknown deal', 'pipeline', null, merged.new_id,
           (closed_at at time zone 'UTC' at time zone $timezone)::date, amount, currency, amount_base, row_id
    from core.deals
    join (select old_id, min(new_id) as new_id from staging.merged_ids where kind = 'deal' group by all) as merged
        on merged.old_id = deals.deal_id
    where party_id is not null and status <> 'lost'
    union all
    select 'deal', told.row_id, 'duplicate deal', null, null, told.deal_id,
           (told.closed_at at time zone 'UTC' at time zone $timezone)::date, told.amount, told.currency, null, told.row_id
    from staging.deals as told
    semi join core.deals using (deal_id)
    anti join core.deals as counted on counted.row_id = told.row_id
    union all
    select 'order', order_id, case when deal_id_given is null then 'no deal' else 'unknown deal' end, 'signed', null,
           deal_id_given, signed_on, amount, currency, amount_base, row_id
    from core.orders
    where deal_id is null
    union all
    select 'invoice', invoice_id, 'no order', 'invoiced', order_id, null, issued_on, amount, currency, amount_base,
           row_id
    from core.invoices
    where deal_id is null
    union all
    select 'payment', payment_id, case when deal_id_given is null then 'no order' else 'unknown deal' end, 'cash',
           order_id, deal_id_given, paid_on, amount, currency, amount_base, row_id
    from core.payments
    where deal_id is null
    union all
    select 'cost', cost_id, 'unknown deal', 'cost', null, deal_id, spent_on, amount, currency, amount_base, cost_id
    from core.campaign_costs
    anti join core.deals using (deal_id)
    where campaign_id is null and deal_id is not null
    union all
    select 'cost', cost_id, 'lost deal', null, null, deal_id, spent_on, costs.amount, costs.currency, costs.amount_base,
           cost_id
    from core.campaign_costs as costs
    join core.deals using (deal_id)
    where campaign_id is null and deals.status = 'lost'
    union all
    select 'split', row_id, 'unknown deal', null, null, deal_id, landed_on, null, null, null, row_id
    from staging.deal_splits
    anti join core.deals using (deal_id)
    anti join (select merged_deals.old_deal_id from core.merged_deals join core.deals using (deal_id)) as merged
        on merged.old_deal_id = deal_splits.deal_id
    union all
    -- The split of a deal that was merged goes along, but where the deal that stands has its own.
    select distinct 'split', told.row_id, 'merged deal', null, null, told.deal_id, told.landed_on, null::decimal, null,
           null::decimal, told.row_id
    from staging.deal_splits as told
    join core.merged_deals on merged_deals.old_deal_id = told.deal_id
    semi join core.deals on deals.deal_id = merged_deals.deal_id
    join core.deal_splits as own on own.deal_id = merged_deals.deal_id and own.known_until is null
    join staging.split_tellings as own_told
        on own_told.deal_id = own.deal_id and own_told.axis = own.axis and own_told.is_whole
    where case own.axis when 'owner' then told.owner_id is not null
               else coalesce(told.crm_account_id, told.uscc, told.account_name) is not null end
),
gone as (
    select deal_id from staging.deals union select old_deal_id from core.merged_deals
)
select record.entity, record.id,
       case when record.issue = 'unknown deal' and record.order_named is null
                 and record.named in (select deal_id from gone where deal_id is not null) then 'deleted deal'
            when record.order_named is null then record.issue
            when orders.order_id is null then 'unknown order'
            else 'order without deal' end as issue,
       record.basis,
       case when record.order_named is null then record.named else coalesce(orders.deal_id_given, record.order_named) end
           as named,
       record.day, record.amount::decimal(18, 2) as amount, record.currency,
       record.amount_base::decimal(18, 2) as amount_base, record.row_id
from record
left join core.orders on orders.order_id = record.order_named
