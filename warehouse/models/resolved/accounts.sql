-- One row per company: the golden record of all directory rows that are this company.
-- follows: resolved.accounts by account_id
-- grain: account_id
-- check: name is not null or uscc is not null or registration_no is not null
-- check: ultimate_parent_id is not null
-- column: account_id | named after the row that was landed first; redirects are in resolved.account_redirects
-- column: name | display name
-- column: name_key | comparison key of the whole name
-- column: name_core | proper name 字号
-- column: name_region_code | GB/T 2260 code of the place in the name
-- column: name_form | legal form
-- column: uscc | unified social credit code, where it counts
-- column: registration_no | 15-digit registration number
-- column: name_en | English name
-- column: short_name | short name
-- column: former_names | former names
-- column: alias_keys | comparison keys of its other names: former, short and English, of all rows; null without
-- column: status | active, suspended, revoked, cancelled; null where unknown
-- column: founded_on | day of foundation
-- column: registered_capital | registered capital
-- column: registered_capital_currency | its currency
-- column: province_code | GB/T 2260 code of the province
-- column: city_code | GB/T 2260 code of the city
-- column: district_code | GB/T 2260 code of the district
-- column: province | province
-- column: city | city
-- column: district | district
-- column: country | country
-- column: address | address, from the same row as province, city and district
-- column: industry | industry as given
-- column: industry_section | GB/T 4754 section
-- column: industry_division | GB/T 4754 division
-- column: company_type | type of company as given
-- column: employees | people
-- column: employees_band | band of people
-- column: revenue | revenue of a year
-- column: revenue_band | band of revenue
-- column: phone | first telephone number, E.164
-- column: phones | all telephone numbers, E.164
-- column: email | mail address
-- column: website | web address
-- column: domain | its registrable domain
-- column: domains | all domains of the company's own
-- column: scope | business scope
-- column: parent_account_id | the account it belongs to
-- column: ultimate_parent_id | the top of its hierarchy, itself where it belongs to none
-- column: is_branch | a branch (分公司, 办事处), an account of its own
-- column: crm_account_id | the CRM's id
-- column: sources | the sources that know it
-- column: member_count | directory rows
-- column: first_landed_on | day the first of them was landed
-- column: is_from_lead | made from a lead's company name, not from a directory; false here
with single as (
    select member.account_id,
           coalesce(name, name_en) as name, coalesce(name_key, name_en_key) as name_key, name_core, name_region_code, name_form,
           name_branch, member.code as uscc, registration_no, name_en, short_name, case when len(former_names) > 1 then list_sort(former_names) else former_names end as former_names,
           case when coalesce(name_en_key, short_name_key, former_name_keys[1]) is not null
                then list_sort(list_distinct([name_en_key, short_name_key] || coalesce(former_name_keys, []::varchar[]))) end as other_keys,
           nullif(status, 'unknown') as status, founded_on, registered_capital, registered_capital_currency,
           province_code, city_code, district_code, province, city, district, country, address, industry, industry_section,
           industry_division, company_type, employees, employees_band, revenue, revenue_band, phone,
           case when len(phones) > 1 then list_sort(phones) else phones end as phones, email, website, domain, case when domain_kind = 'own' then [domain] end as domains,
           scope, crm_account_id, [member.source] as sources, 1 as member_count, member.first_landed_on
    from resolved.account_members as member
    join staging.companies as company using (row_id)
    anti join resolved.merged_accounts as merged using (account_id)
),
merged as (
    select account_id, name, name_key, name_core, name_region_code, name_form, name_branch, uscc, registration_no, name_en,
           short_name, former_names, alias_keys as other_keys, status, founded_on, registered_capital, registered_capital_currency,
           province_code, city_code, district_code, province, city, district, country, address, industry, industry_section,
           industry_division, company_type, employees, employees_band, revenue, revenue_band, phone, phones, email, website,
           domain, domains, scope, crm_account_id, sources, member_count, first_landed_on
    from resolved.merged_accounts
)
select account_id, name, name_key, name_core, name_region_code, name_form, uscc, registration_no, name_en, short_name,
       former_names,
       nullif(list_filter(other_keys, lambda key: key is not null and key is distinct from name_key), []) as alias_keys, status, founded_on, registered_capital, registered_capital_currency, province_code,
       city_code, district_code, province, city, district, country, address, industry, industry_section, industry_division,
       company_type, employees, employees_band, revenue, revenue_band, phone, phones, email, website, domain, domains, scope,
       hierarchy.parent_account_id,
       coalesce(hierarchy.ultimate_parent_id, account_id) as ultimate_parent_id,
       name_branch is not null as is_branch,
       crm_account_id, sources, member_count, first_landed_on,
       false as is_from_lead
from (select * from single union all select * from merged)
left join resolved.hierarchy using (account_id)
