-- One row per deal (opportunity), with its company or person, its state as of the day, and its amount in one currency.
-- grain: deal_id
-- check: status in ('won', 'lost', 'open')
-- column: deal_id | as the CRM names it
-- column: party_id | account_id, else the new account of its person's company, else 'person:' and the person; null where none is known
-- column: account_id | company: by the deal's own keys, else by its person
-- column: person_id | the person on which the deal hangs, where it names one
-- column: name | the deal's name
-- column: stage | the CRM's stage, else the last of its stage history
-- column: status | won, lost or open, by the words of `attribution.yaml`; without a stage, closed is won
-- column: type | new, expansion or renewal
-- column: amount | in `currency`; null is unknown, not zero
-- column: currency | ISO code
-- column: amount_base | in the workspace's currency, at the rate of the closing day, an open deal of the run's day
-- column: probability | the CRM's own, 0 to 1
-- column: created_at | when it was opened, UTC
-- column: closed_at | when it was won or lost, UTC, the end of the local day where only a day is given; of an open deal expected
-- column: lead_created_at | given, else first sign of life of its people, else the account's first touch
-- column: owner_id | sales person
-- column: is_won_before_contact | won before the first contact that is known: kept, and worth a look
-- column: row_id | the row in staging.deals
with told as (
    select * replace (
               case when is_closed_by_day
                    then ((closed_at at time zone 'UTC' at time zone $timezone)::date + 1)::timestamp
                         at time zone $timezone at time zone 'UTC' - interval 1 second
                    else closed_at end as closed_at
           )
    from staging.deals
    where deal_id is not null
    qualify row_number() over (
        partition by deal_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
    ) = 1
),
deal as (
    -- What was deleted or merged away over there is in no total; its versions stay in staging, its days in core.deal_changes.
    select told.*
    from told
    anti join core.merged_deals on merged_deals.old_deal_id = told.deal_id
    where told.is_deleted is not true
),
last_stage as (
    select coalesce(merged_deals.deal_id, history.deal_id) as deal_id,
           arg_max(history.stage, (history.entered_at, history.stage)) as stage
    from staging.deal_stages as history
    left join core.merged_deals on merged_deals.old_deal_id = history.deal_id
    where history.entered_at <= $at
    group by all
),
holder as (
    select deal.row_id, person_rows.person_id,
           coalesce(redirects.account_id, deal_accounts.account_id, parties.account_id) as account_id, parties.party_id
    from deal
    left join resolved.deal_accounts on deal_accounts.deal_row_id = deal.row_id
    left join resolved.account_redirects as redirects on redirects.old_account_id = deal_accounts.account_id
    left join matched.person_rows on person_rows.entity = 'deals' and person_rows.row_id = deal.row_id
    left join core.person_parties as parties on parties.person_id = person_rows.person_id
),
person_life as (
    select person_rows.person_id, min(contacts.created_at) as began_at
    from staging.contacts
    join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = contacts.row_id
    where contacts.created_at <= $at
    group by all
    union all
    select person_id, min(occurred_at) from core.touches where not is_future group by all
),
people_life as (
    select deal_contacts.deal_id, min(person_life.began_at) as began_at
    from core.deal_contacts
    join person_life using (person_id)
    group by all
),
account_life as (
    select party_id, min(occurred_at) as began_at from core.touches where not is_future group by all
),
settled as (
    select deal.deal_id,
           coalesce(holder.account_id, holder.party_id, 'person:' || holder.person_id) as party_id,
           holder.account_id,
           holder.person_id,
           deal.name,
           coalesce(deal.stage, last_stage.stage) as stage,
           coalesce(stages.status,
                    case when coalesce(deal.stage, last_stage.stage) is null and deal.closed_at <= $at then 'won' end,
                    'open') as status,
           case when regexp_matches(lower(deal.type), 'renew|续') then 'renewal'
                when regexp_matches(lower(deal.type), 'expan|upsell|cross|增购|扩') then 'expansion'
                else 'new' end as type,
           deal.amount,
           upper(coalesce(deal.currency, $currency)) as currency,
           deal.probability, deal.created_at, deal.closed_at, deal.lead_created_at, deal.owner_id, deal.row_id
    from deal
    left join holder using (row_id)
    left join last_stage using (deal_id)
    left join rules.deal_stages as stages
        on stages.word = regexp_replace(lower(coalesce(deal.stage, last_stage.stage)), '[\s_-]', '', 'g')
),
dated as (
    select settled.* replace (
               coalesce(settled.lead_created_at, people_life.began_at, account_life.began_at) as lead_created_at
           ),
           least(people_life.began_at, account_life.began_at) as first_contact_at,
           case when status = 'open' then $as_of
                else coalesce((closed_at at time zone 'UTC' at time zone $timezone)::date, $as_of) end as rate_day
    from settled
    left join people_life using (deal_id)
    left join account_life using (party_id)
)
select dated.deal_id, dated.party_id, dated.account_id, dated.person_id, dated.name, dated.stage, dated.status,
       dated.type, dated.amount::decimal(18, 2) as amount, dated.currency,
       case when dated.currency = $currency then dated.amount
            else round(dated.amount::decimal(18, 2) * rates.rate, 2) end::decimal(18, 2) as amount_base,
       dated.probability, dated.created_at, dated.closed_at, dated.lead_created_at, dated.owner_id,
       coalesce(dated.status = 'won' and dated.closed_at < dated.first_contact_at, false) as is_won_before_contact,
       dated.row_id
from dated
asof left join core.fx_rates as rates on dated.currency = rates.currency and dated.rate_day >= rates.valid_on
