-- One row per account as matching sees it: its names taken apart, its keys, and what decides between equals.
-- grain: account_id
-- kind: view
-- published: no
-- column: account_id | the account
-- column: name | display name
-- column: name_key | comparison key of the whole name
-- column: core | proper name 字号
-- column: industry_word | words of its trade
-- column: form | legal form
-- column: branch | branch part
-- column: region_code | GB/T 2260 code of the place in the name
-- column: is_parsed | whether the name's parts were found in the dictionary of names
-- column: alias_keys | comparison keys of its other names
-- column: uscc | code
-- column: crm_account_id | the CRM's id
-- column: province_code | GB/T 2260 code
-- column: city_code | GB/T 2260 code
-- column: district_code | GB/T 2260 code
-- column: city | city
-- column: domain | its domain
-- column: domains | all its domains
-- column: phone | telephone number
-- column: has_open_deal | whether a deal of its is open
-- column: is_customer | whether a deal of its was won
-- column: is_target | whether it stands on the target list today
-- column: contact_count | contacts that give exactly its name
-- column: first_landed_on | day it was landed first
with dealing as (
    select account_id,
           bool_or(deals.closed_at is null) as has_open_deal,
           bool_or(deals.closed_at is not null and regexp_matches(lower(deals.stage), 'won|赢单|成交|签约')) as is_customer
    from resolved.deal_accounts
    join staging.deals on deals.row_id = deal_accounts.deal_row_id
    where account_id is not null
    group by account_id
),
target as (
    select distinct account_id
    from resolved.target_accounts
    cross join matched.match_policy as policy
    where list = 'target' and (valid_from is null or valid_from <= policy.as_of)
          and (valid_to is null or valid_to >= policy.as_of)
),
known as (
    select company_name_key as name_key, count(*) as contact_count
    from staging.contacts
    where company_name_key is not null
    group by all
)
select accounts.account_id, accounts.name, coalesce(parsed_names.name_key, accounts.name_key) as name_key,
       parsed_names.core, parsed_names.industry_word, parsed_names.form, parsed_names.branch, parsed_names.region_code,
       parsed_names.value is not null as is_parsed,
       coalesce(accounts.alias_keys, []) as alias_keys,
       accounts.uscc, accounts.crm_account_id, accounts.province_code, accounts.city_code, accounts.district_code,
       accounts.city, accounts.domain, accounts.domains, accounts.phone,
       coalesce(dealing.has_open_deal, false) as has_open_deal, coalesce(dealing.is_customer, false) as is_customer,
       target.account_id is not null as is_target, coalesce(known.contact_count, 0) as contact_count,
       accounts.first_landed_on
from resolved.accounts
left join staging.parsed_names on parsed_names.value = accounts.name
left join dealing using (account_id)
left join target using (account_id)
left join known on known.name_key = accounts.name_key
