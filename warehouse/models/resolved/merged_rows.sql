-- One row per directory row of an account that has several, or a pinned field: what each says, and whose word counts first.
-- What loses stays readable here. Order of trust: source rank, source date, completeness, source and key; the day of landing says nothing about a value.
-- grain: row_id
-- column: account_id | the account
-- column: position | 1 counts first; a field takes its value from the first row that has one
-- column: row_id | source and source key of the row
-- column: source | the row's source
-- column: source_rank | rank of the source, 1 the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | day the latest version of the row was landed
-- column: name | name as given
-- column: name_key | comparison key of the whole name
-- column: name_core | proper name
-- column: name_region_code | code of the place in the name
-- column: name_form | legal form
-- column: name_branch | branch part
-- column: code | unified social credit code, where it counts
-- column: registration_no | 15-digit registration number
-- column: name_en | English name
-- column: name_en_key | comparison key of the English name
-- column: short_name | short name
-- column: short_name_key | comparison key of the short name
-- column: former_names | former names
-- column: former_name_keys | comparison keys of former names
-- column: status | active, suspended, revoked, cancelled
-- column: founded_on | day of foundation
-- column: registered_capital | amount
-- column: registered_capital_currency | its currency
-- column: province_code | GB/T 2260 code of the province
-- column: city_code | GB/T 2260 code of the city
-- column: district_code | GB/T 2260 code of the district
-- column: province | province
-- column: city | city
-- column: district | district
-- column: country | country
-- column: address | address
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
-- column: domain | registrable domain
-- column: domain_kind | own, free, disposable, public
-- column: scope | business scope
-- column: parent | parent company as given
-- column: parent_key | its comparison key
-- column: crm_account_id | the CRM's id
-- column: first_landed_on | day the row was landed first
with merged as (
    select account_id from resolved.account_members where method <> 'alone'
    union
    select account_id from resolved.account_members join resolved.account_decisions using (row_id) where part = 'pin'
),
ranked as (
    select row_id, account_id, code, member.first_landed_on,
           row_number() over (
               partition by account_id
               order by source_rank nulls last, source_date desc nulls last,
                        (name is not null)::int + (uscc is not null)::int + (status is not null)::int
                        + (founded_on is not null)::int + (registered_capital is not null)::int
                        + (province_code is not null)::int + (city_code is not null)::int + (address is not null)::int
                        + (industry is not null)::int + (employees is not null)::int + (revenue is not null)::int
                        + (phone is not null)::int + (email is not null)::int + (website is not null)::int
                        + (scope is not null)::int desc,
                        company.source, company.source_key
           )::integer as position
    from resolved.account_members as member
    semi join merged using (account_id)
    join staging.companies as company using (row_id)
)
select account_id, position, row_id, source, source_rank, source_date, companies.landed_on, name,
       name_key, name_core, name_region_code, name_form, name_branch, code, registration_no, name_en, name_en_key, short_name, short_name_key, former_names, former_name_keys,
       nullif(status, 'unknown') as status, founded_on, registered_capital, registered_capital_currency, province_code,
       city_code, district_code, province, city, district, country, address, industry, industry_section, industry_division,
       company_type, employees, employees_band, revenue, revenue_band, phone, phones, email, website, domain, domain_kind,
       scope, parent, parent_key, crm_account_id, ranked.first_landed_on
from ranked
join staging.companies using (row_id)
