-- One row per activity of sales, from the CRM.
-- grain: row_id
-- column: activity_id | as the CRM names it
-- column: owner_id | who acted
-- column: person_id | with whom
-- column: account_id | with which company: the person's, else the deal's, else by the CRM's own key or code
-- column: type | call, visit, mail …, in lower case
-- column: occurred_at | UTC
-- column: row_id | the row in staging.activities
with crm_account as (
    select crm_account_id, min(account_id) as account_id
    from resolved.accounts
    where crm_account_id in (select crm_account_id from staging.activities)
    group by all
),
code_account as (
    select uscc, min(account_id) as account_id from resolved.accounts where uscc in (select uscc from staging.activities) group by all
)
select activities.activity_id, activities.owner_id, person_rows.person_id,
       coalesce(parties.account_id, deals.account_id, crm_account.account_id, code_account.account_id) as account_id,
       lower(trim(activities.type)) as type, activities.occurred_at, activities.row_id
from staging.activities
left join matched.person_rows on person_rows.entity = 'activities' and person_rows.row_id = activities.row_id
left join core.person_parties as parties on parties.person_id = person_rows.person_id
left join core.merged_deals on merged_deals.old_deal_id = activities.deal_id
left join core.deals on deals.deal_id = coalesce(merged_deals.deal_id, activities.deal_id)
left join crm_account on crm_account.crm_account_id = activities.crm_account_id
left join code_account on code_account.uscc = activities.uscc
