-- One row per company: the golden record of all directory rows that are this company.
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
-- column: alias_keys | comparison keys of all names: present, former, short and English, of all rows
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
           coalesce(name, name_en) as name, coalesce(name_key, name_en_key) as name_key,
           name_core, name_region_code, name_form, name_branch,
           member.code as uscc, registration_no, name_en, short_name, former_names,
           list_sort(list_distinct([name_key, name_en_key, short_name_key] || coalesce(former_name_keys, []::varchar[])))
               as alias_keys,
           nullif(status, 'unknown') as status, founded_on, registered_capital, registered_capital_currency,
           province_code, city_code, district_code, province, city, district, country, address,
           industry, industry_section, industry_division, company_type, employees, employees_band, revenue, revenue_band,
           phone, phones, email, website, domain,
           case when domain_kind = 'own' then [domain] end as domains,
           scope, crm_account_id, [member.source] as sources, 1 as member_count, member.first_landed_on
    from resolved.account_members as member
    join staging.companies as company on company.row_id = member.row_id
    anti join resolved.merged_accounts as merged on merged.account_id = member.account_id
),
merged as (
    select account_id,
           coalesce(pins['name'], name.name) as name, name.name_key, name.name_core, name.name_region_code, name.name_form,
           name.name_branch, code as uscc,
           coalesce(pins['registration_no'], registration_no.value) as registration_no,
           coalesce(pins['name_en'], name_en.value) as name_en,
           coalesce(pins['short_name'], short_name.value) as short_name,
           former_names, alias_keys,
           coalesce(pins['status'], status.value) as status,
           coalesce(try_cast(pins['founded_on'] as date), founded_on.value) as founded_on,
           coalesce(try_cast(pins['registered_capital'] as decimal(18, 2)), capital.amount) as registered_capital,
           coalesce(pins['registered_capital_currency'], capital.currency) as registered_capital_currency,
           coalesce(pins['province_code'], place.province_code) as province_code,
           coalesce(pins['city_code'], place.city_code) as city_code,
           coalesce(pins['district_code'], place.district_code) as district_code,
           coalesce(pins['province'], place.province) as province,
           coalesce(pins['city'], place.city) as city,
           coalesce(pins['district'], place.district) as district,
           coalesce(pins['country'], place.country, country.value) as country,
           coalesce(pins['address'], place.address) as address,
           coalesce(pins['industry'], industry.text) as industry,
           coalesce(pins['industry_section'], industry.section) as industry_section,
           coalesce(pins['industry_division'], industry.division) as industry_division,
           coalesce(pins['company_type'], company_type.value) as company_type,
           coalesce(try_cast(pins['employees'] as integer), employees.number) as employees,
           coalesce(pins['employees_band'], employees.band) as employees_band,
           coalesce(try_cast(pins['revenue'] as decimal(18, 2)), revenue.amount) as revenue,
           coalesce(pins['revenue_band'], revenue.band) as revenue_band,
           coalesce(pins['phone'], phone.value) as phone, phones,
           coalesce(pins['email'], email.value) as email,
           coalesce(pins['website'], website.text) as website,
           coalesce(pins['domain'], website.domain) as domain, domains,
           coalesce(pins['scope'], scope.value) as scope,
           coalesce(pins['crm_account_id'], crm_account_id.value) as crm_account_id,
           sources, member_count, first_landed_on
    from resolved.merged_accounts
)
select account_id, name, name_key, name_core, name_region_code, name_form, uscc, registration_no, name_en, short_name,
       former_names, alias_keys, status, founded_on, registered_capital, registered_capital_currency, province_code,
       city_code, district_code, province, city, district, country, address, industry, industry_section, industry_division,
       company_type, employees, employees_band, revenue, revenue_band, phone, phones, email, website, domain, domains, scope,
       hierarchy.parent_account_id,
       coalesce(hierarchy.ultimate_parent_id, account_id) as ultimate_parent_id,
       name_branch is not null as is_branch,
       crm_account_id, sources, member_count, first_landed_on,
       false as is_from_lead
from (select * from single union all by name select * from merged)
left join resolved.hierarchy using (account_id)
