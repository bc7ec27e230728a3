-- One row per row of a deal, a deal's split or a list that names a company by its code, its id in the CRM, its name or
-- its web address, and the account that is meant: the first of these that one account alone bears. A name never leads to
-- another code.
-- grain: entity, row_id
-- column: entity | deals, deal_splits or lists
-- column: row_id | source and source key of the row
-- column: account_id | the account; null where none or several bear what is given
-- column: method | code, crm_id, name, alias, domain; ambiguous, unknown
-- column: evidence | what was given
with mention as (
    select 'deals' as entity, row_id, source, uscc, crm_account_id, account_name as company_name,
           account_name_key as name_key, null as domain
    from staging.deals
    where coalesce(uscc, crm_account_id, account_name) is not null
    union all
    select 'deal_splits', row_id, source, uscc, crm_account_id, account_name, account_name_key, null
    from staging.deal_splits
    where coalesce(uscc, crm_account_id, account_name) is not null
    union all
    select 'lists', row_id, source, uscc, crm_account_id, company_name, company_name_key,
           case when domain_kind = 'own' then domain end
    from staging.lists
    where coalesce(uscc, crm_account_id, company_name, domain) is not null
),
meant as (
    -- A company that was merged in the CRM is meant by the id that stands for it.
    select mention.* replace (coalesce(merged.new_id, mention.crm_account_id) as crm_account_id)
    from mention
    left join staging.merged_ids as merged
        on merged.kind = 'company' and merged.source = mention.source and merged.old_id = mention.crm_account_id
),
crm_id as (
    select crm_account_id as id from meant
    union
    select old_id from staging.merged_ids where kind = 'company'
),
bearer as (
    select row_id as member_row_id, account_id, source, source_id, crm_account_id
    from staging.companies
    join resolved.account_members using (row_id, source)
    where crm_account_id in (select id from crm_id) or source_id in (select id from crm_id)
),
alias as (
    select account_id, uscc, key, key = name_key as is_its_name
    from (
        select account_id, uscc, name_key, name_key as key from resolved.accounts where name_key in (select name_key from mention)
        union all
        select account_id, uscc, name_key, unnest(alias_keys) as key from resolved.accounts where alias_keys is not null
    )
    where key in (select name_key from mention)
),
candidate as (
    select entity, mention.row_id, 1 as preference, 'code' as method, mention.uscc as evidence, accounts.account_id
    from meant as mention
    join resolved.accounts on accounts.uscc = mention.uscc
    union all
    select entity, mention.row_id, 2, 'crm_id', mention.crm_account_id, bearer.account_id
    from meant as mention
    join bearer on bearer.crm_account_id = mention.crm_account_id
    union all
    -- The id that a company list gives is the CRM's only if that list is, or if the name says the same.
    select entity, mention.row_id, 3, 'crm_id', mention.crm_account_id, bearer.account_id
    from meant as mention
    join bearer on bearer.source_id = mention.crm_account_id
    left join alias on alias.account_id = bearer.account_id and alias.key = mention.name_key
    where bearer.source = mention.source or alias.key is not null or coalesce(mention.name_key, mention.uscc) is null
    union all
    -- The directory knows the company by an id that a merge in the CRM gave up.
    select entity, mention.row_id, 3.5, 'crm_id', mention.crm_account_id, bearer.account_id
    from meant as mention
    join staging.merged_ids as merged
        on merged.kind = 'company' and merged.source = mention.source and merged.new_id = mention.crm_account_id
    join bearer on bearer.crm_account_id = merged.old_id or (bearer.source = mention.source and bearer.source_id = merged.old_id)
    union all
    select entity, row_id, 4, 'name', company_name, alias.account_id
    from meant as mention
    join alias on alias.key = mention.name_key and alias.is_its_name and coalesce(alias.uscc = mention.uscc, true)
    union all
    select entity, row_id, 5, 'alias', company_name, alias.account_id
    from meant as mention
    join alias on alias.key = mention.name_key and coalesce(alias.uscc = mention.uscc, true)
    union all
    select entity, row_id, 6, 'domain', mention.domain, domain_accounts.account_id
    from meant as mention
    join resolved.domain_accounts using (domain)
    where not is_shared
),
settled as (
    select entity, row_id, preference, method, evidence, min(account_id) as account_id
    from candidate
    group by entity, row_id, preference, method, evidence
    having count(distinct account_id) = 1
)
select entity, row_id,
       arg_min(settled.account_id, settled.preference) as account_id,
       coalesce(arg_min(settled.method, settled.preference),
                case when bool_or(candidate.account_id is not null) then 'ambiguous' else 'unknown' end) as method,
       coalesce(arg_min(settled.evidence, settled.preference),
                any_value(coalesce(mention.uscc, mention.company_name, mention.crm_account_id, mention.domain))) as evidence
from meant as mention
left join candidate using (entity, row_id)
left join settled using (entity, row_id)
group by entity, row_id
