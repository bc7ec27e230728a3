-- One row per company of a lead that was handed over: what the CRM is to hold of it. crm.yaml says which columns leave.
-- grain: abm_key
-- column: abm_key | our stable id, the account's
-- column: person_id | always null: a company is no person
-- column: region | always null
-- column: hold | company_closed, or null
-- column: send_order | best leads sort first
-- column: name | registered name
-- column: uscc | unified social credit code
-- column: name_en | English name
-- column: status | active, suspended, revoked, cancelled, unknown
-- column: province | province
-- column: city | city
-- column: address | address
-- column: industry | industry as the source words it
-- column: industry_section | section of GB/T 4754
-- column: company_type | type
-- column: employees | employees
-- column: founded_on | day of foundation
-- column: registered_capital | in its currency
-- column: phone | telephone, E.164
-- column: website | website
-- column: fit_grade | A to D, U unknown
-- column: tags | tags, separated by ;
-- column: target_tier | tier on the target list; null if not on it
-- column: parent_key | our key of the parent company, where the CRM gets that one too
with company as (
    select company_key as account_id, min(send_order) as send_order
    from marts.crm_leads
    where company_key is not null and coalesce(hold, '') not in ('excluded', 'held_by_directory')
    group by all
),
tag_text as (
    select account_id, string_agg(tag_id, ';' order by tag_id) as tags
    from (select distinct account_id, tag_id from resolved.account_tags semi join company using (account_id))
    group by all
),
target as (
    select account_id, first(tier order by tier) as tier
    from resolved.target_accounts
    where list = 'target' and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
    group by all
)
select company.account_id as abm_key,
       null::varchar as person_id,
       null::varchar as region,
       case when accounts.status in ('revoked', 'cancelled') then 'company_closed' end as hold,
       company.send_order,
       accounts.name,
       accounts.uscc,
       accounts.name_en,
       accounts.status,
       accounts.province,
       accounts.city,
       accounts.address,
       accounts.industry,
       accounts.industry_section,
       accounts.company_type,
       accounts.employees,
       accounts.founded_on,
       accounts.registered_capital,
       accounts.phone,
       accounts.website,
       coalesce(account_fit.grade, 'U') as fit_grade,
       tag_text.tags,
       target.tier as target_tier,
       parent.account_id as parent_key
from company
join resolved.accounts on accounts.account_id = company.account_id
left join resolved.account_fit on account_fit.account_id = company.account_id
left join tag_text on tag_text.account_id = company.account_id
left join target on target.account_id = company.account_id
left join company as parent on parent.account_id = accounts.parent_account_id
