-- One row per doubt of the directory that a person may settle: what was kept apart, refused or grown large, with evidence.
-- `abmloop account merge`, `split`, `succeed` or `keep` settles it; what was kept on purpose is listed no longer.
-- grain: account_id, doubt, other_account_id, evidence
-- column: doubt | kept_apart, parent_refused, many_rows, several_crm_ids (the CRM has it twice), or another event of resolved.account_history that asks for a look
-- column: account_id | the account
-- column: name | its name
-- column: uscc | its code
-- column: member_count | its directory rows
-- column: other_account_id | the account it was kept apart from, or the parent refused
-- column: other_name | its name
-- column: other_uscc | its code
-- column: since | the day
-- column: evidence | the key or rule
-- column: deals | deals of both: what is at stake
with seen as (
    select decision_id, account_id
    from resolved.account_decisions
    join resolved.account_members using (row_id)
    where part = 'seen'
),
settled as (
    select one.account_id, other.account_id as other_account_id
    from seen as one
    left join seen as other on other.decision_id = one.decision_id and other.account_id <> one.account_id
),
deal as (
    select account_id, count(*) as deals from core.deals where account_id is not null group by account_id
),
-- What happened by itself or by a person's word is history, not a doubt.
doubt as (
    select *
    from resolved.account_history
    where event not in ('merged', 'merge', 'split', 'pin', 'succeeded_by', 'succeeds', 'keep', 'target')
    union all by name
    -- The CRM has the company twice, or the rows are two companies.
    select account_id, 'several_crm_ids' as event, max(first_landed_on) as as_of,
           string_agg(distinct crm_account_id, ', ' order by crm_account_id) as reason
    from resolved.merged_rows
    where crm_account_id is not null
    group by account_id
    having count(distinct crm_account_id) > 1
)
select doubt.event as doubt, doubt.account_id, account.name, account.uscc, account.member_count, doubt.other_account_id,
       other.name as other_name, other.uscc as other_uscc, doubt.as_of as since, doubt.reason as evidence,
       coalesce(deal.deals, 0) + coalesce(other_deal.deals, 0) as deals
from doubt
join resolved.accounts as account on account.account_id = doubt.account_id
left join resolved.accounts as other on other.account_id = doubt.other_account_id
left join deal on deal.account_id = doubt.account_id
left join deal as other_deal on other_deal.account_id = doubt.other_account_id
anti join settled
    on settled.account_id = doubt.account_id
    and (settled.other_account_id is null or settled.other_account_id = doubt.other_account_id)
