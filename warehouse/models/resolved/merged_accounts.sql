-- One row per account of several directory rows, or with a pinned field: the value of each field, and the row it is from.
-- The rows count in their order (resolved.merged_rows); an address is taken as one block, as are industry, capital, people,
-- revenue and web address. A person's pins stand beside, and count before all rows.
-- grain: account_id
-- column: account_id | the account
-- column: name | name
-- column: name_key | its comparison key
-- column: name_core | proper name
-- column: name_region_code | code of the place in it
-- column: name_form | legal form
-- column: name_branch | branch part
-- column: name_row_id | the row it is from
-- column: uscc | the account's code
-- column: uscc_row_id | the row it is from
-- column: registration_no | registration number
-- column: registration_no_row_id | the row it is from
-- column: name_en | English name
-- column: name_en_row_id | the row it is from
-- column: short_name | short name
-- column: short_name_row_id | the row it is from
-- column: status | status
-- column: status_row_id | the row it is from
-- column: founded_on | day of foundation
-- column: founded_on_row_id | the row it is from
-- column: registered_capital | registered capital
-- column: registered_capital_currency | its currency
-- column: registered_capital_row_id | the row it is from
-- column: province_code | province, of the address block
-- column: city_code | city
-- column: district_code | district
-- column: province | province
-- column: city | city
-- column: district | district
-- column: address | address
-- column: address_row_id | the row it is from
-- column: country | country
-- column: country_row_id | the row it is from
-- column: industry | industry
-- column: industry_section | its section
-- column: industry_division | its division
-- column: industry_row_id | the row it is from
-- column: company_type | type of company
-- column: company_type_row_id | the row it is from
-- column: employees | people
-- column: employees_band | their band
-- column: employees_row_id | the row it is from
-- column: revenue | revenue
-- column: revenue_band | its band
-- column: revenue_row_id | the row it is from
-- column: phone | first telephone number
-- column: phone_row_id | the row it is from
-- column: email | mail address
-- column: email_row_id | the row it is from
-- column: website | web address
-- column: domain | its domain
-- column: website_row_id | the row it is from
-- column: scope | business scope
-- column: scope_row_id | the row it is from
-- column: parent | parent as given
-- column: parent_key | its comparison key
-- column: parent_source | the source that names it
-- column: parent_row_id | the row it is from
-- column: crm_account_id | the CRM's id
-- column: crm_account_id_row_id | the row it is from
-- column: former_names | all former names
-- column: alias_keys | comparison keys of all names of all rows
-- column: phones | all telephone numbers
-- column: domains | all domains of the company's own
-- column: sources | all sources
-- column: member_count | rows
-- column: first_landed_on | day the first of them was landed
with pins as (
    select account_id, map_from_entries(list((field, value))) as pins,
           map_from_entries(list((field, 'pin:' || decision_id))) as pin_ids
    from (
        select account_id, field, value, decision_id
        from resolved.account_decisions
        join resolved.account_members using (row_id)
        where part = 'pin'
        qualify row_number() over (partition by account_id, field order by seq desc) = 1
    )
    group by account_id
),
ranked as (
    -- A block is taken from the first row that says any of it. A name that can be compared goes before one that cannot.
    select *,
           case when coalesce(name, name_en) is not null
                then position + case when coalesce(name_key, name_en_key) is null then 1000000 else 0 end end as name_position,
           case when registered_capital is not null then position end as capital_position,
           case when coalesce(province_code, city_code, province, city, address) is not null then position end as place_position,
           case when coalesce(industry, industry_section) is not null then position end as industry_position,
           case when coalesce(employees::varchar, employees_band) is not null then position end as employees_position,
           case when coalesce(revenue::varchar, revenue_band) is not null then position end as revenue_position,
           case when coalesce(website, domain) is not null then position end as website_position,
           case when parent is not null then position end as parent_position
    from resolved.merged_rows
),
first_values as (
    select account_id,
           arg_min_null(coalesce(name, name_en), name_position) as name,
           arg_min_null(coalesce(name_key, name_en_key), name_position) as name_key,
           arg_min_null(name_core, name_position) as name_core,
           arg_min_null(name_region_code, name_position) as name_region_code,
           arg_min_null(name_form, name_position) as name_form,
           arg_min_null(name_branch, name_position) as name_branch,
           arg_min(row_id, name_position) as name_row_id,
           arg_min(code, position) as uscc,
           arg_min(row_id, position) filter (code is not null) as uscc_row_id,
           arg_min(registration_no, position) as registration_no,
           arg_min(row_id, position) filter (registration_no is not null) as registration_no_row_id,
           arg_min(name_en, position) as name_en,
           arg_min(row_id, position) filter (name_en is not null) as name_en_row_id,
           arg_min(short_name, position) as short_name,
           arg_min(row_id, position) filter (short_name is not null) as short_name_row_id,
           arg_min(status, position) as status,
           arg_min(row_id, position) filter (status is not null) as status_row_id,
           arg_min(founded_on, position) as founded_on,
           arg_min(row_id, position) filter (founded_on is not null) as founded_on_row_id,
           arg_min_null(registered_capital, capital_position) as registered_capital,
           arg_min_null(registered_capital_currency, capital_position) as registered_capital_currency,
           arg_min(row_id, capital_position) as registered_capital_row_id,
           arg_min_null(province_code, place_position) as province_code,
           arg_min_null(city_code, place_position) as city_code,
           arg_min_null(district_code, place_position) as district_code,
           arg_min_null(province, place_position) as province,
           arg_min_null(city, place_position) as city,
           arg_min_null(district, place_position) as district,
           arg_min_null(address, place_position) as address,
           arg_min(row_id, place_position) as address_row_id,
           arg_min(country, position) as country,
           arg_min(row_id, position) filter (country is not null) as country_row_id,
           arg_min_null(industry, industry_position) as industry,
           arg_min_null(industry_section, industry_position) as industry_section,
           arg_min_null(industry_division, industry_position) as industry_division,
           arg_min(row_id, industry_position) as industry_row_id,
           arg_min(company_type, position) as company_type,
           arg_min(row_id, position) filter (company_type is not null) as company_type_row_id,
           arg_min_null(employees, employees_position) as employees,
           arg_min_null(employees_band, employees_position) as employees_band,
           arg_min(row_id, employees_position) as employees_row_id,
           arg_min_null(revenue, revenue_position) as revenue,
           arg_min_null(revenue_band, revenue_position) as revenue_band,
           arg_min(row_id, revenue_position) as revenue_row_id,
           arg_min(phone, position) as phone,
           arg_min(row_id, position) filter (phone is not null) as phone_row_id,
           arg_min(email, position) as email,
           arg_min(row_id, position) filter (email is not null) as email_row_id,
           arg_min_null(website, website_position) as website,
           arg_min_null(domain, website_position) as domain,
           arg_min(row_id, website_position) as website_row_id,
           arg_min(scope, position) as scope,
           arg_min(row_id, position) filter (scope is not null) as scope_row_id,
           arg_min_null(parent, parent_position) as parent,
           arg_min_null(parent_key, parent_position) as parent_key,
           arg_min_null(source, parent_position) as parent_source,
           arg_min(row_id, parent_position) as parent_row_id,
           arg_min(crm_account_id, position) as crm_account_id,
           arg_min(row_id, position) filter (crm_account_id is not null) as crm_account_id_row_id,
           list_sort(list_distinct(flatten(list(former_names)))) as former_names,
           list_sort(list_distinct(flatten(list(
               [name_key, name_en_key, short_name_key] || coalesce(former_name_keys, []::varchar[]))))) as alias_keys,
           list_sort(list_distinct(flatten(list(phones)))) as phones,
           list_sort(list_distinct(list(domain) filter (domain_kind = 'own'))) as domains,
           list_sort(list_distinct(list(source))) as sources,
           count(*)::integer as member_count,
           min(first_landed_on) as first_landed_on
    from ranked
    group by account_id
)
select account_id,
       coalesce(pins['name'], name) as name,
       name_key,
       name_core,
       name_region_code,
       name_form,
       name_branch,
       coalesce(pin_ids['name'], name_row_id) as name_row_id,
       uscc,
       uscc_row_id,
       coalesce(pins['registration_no'], registration_no) as registration_no,
       coalesce(pin_ids['registration_no'], registration_no_row_id) as registration_no_row_id,
       coalesce(pins['name_en'], name_en) as name_en,
       coalesce(pin_ids['name_en'], name_en_row_id) as name_en_row_id,
       coalesce(pins['short_name'], short_name) as short_name,
       coalesce(pin_ids['short_name'], short_name_row_id) as short_name_row_id,
       coalesce(pins['status'], status) as status,
       coalesce(pin_ids['status'], status_row_id) as status_row_id,
       coalesce(try_cast(pins['founded_on'] as date), founded_on) as founded_on,
       coalesce(pin_ids['founded_on'], founded_on_row_id) as founded_on_row_id,
       coalesce(try_cast(pins['registered_capital'] as decimal(18, 2)), registered_capital) as registered_capital,
       coalesce(pins['registered_capital_currency'], registered_capital_currency) as registered_capital_currency,
       coalesce(pin_ids['registered_capital'], pin_ids['registered_capital_currency'],
                registered_capital_row_id) as registered_capital_row_id,
       coalesce(pins['province_code'], province_code) as province_code,
       coalesce(pins['city_code'], city_code) as city_code,
       coalesce(pins['district_code'], district_code) as district_code,
       coalesce(pins['province'], province) as province,
       coalesce(pins['city'], city) as city,
       coalesce(pins['district'], district) as district,
       coalesce(pins['address'], address) as address,
       coalesce(pin_ids['province_code'], pin_ids['city_code'], pin_ids['district_code'], pin_ids['province'],
                pin_ids['city'], pin_ids['district'], pin_ids['address'], address_row_id) as address_row_id,
       coalesce(pins['country'], country) as country,
       coalesce(pin_ids['country'], country_row_id) as country_row_id,
       coalesce(pins['industry'], industry) as industry,
       coalesce(pins['industry_section'], industry_section) as industry_section,
       coalesce(pins['industry_division'], industry_division) as industry_division,
       coalesce(pin_ids['industry'], pin_ids['industry_section'],
                pin_ids['industry_division'], industry_row_id) as industry_row_id,
       coalesce(pins['company_type'], company_type) as company_type,
       coalesce(pin_ids['company_type'], company_type_row_id) as company_type_row_id,
       coalesce(try_cast(pins['employees'] as bigint), employees) as employees,
       coalesce(pins['employees_band'], employees_band) as employees_band,
       coalesce(pin_ids['employees'], pin_ids['employees_band'], employees_row_id) as employees_row_id,
       coalesce(try_cast(pins['revenue'] as decimal(18, 2)), revenue) as revenue,
       coalesce(pins['revenue_band'], revenue_band) as revenue_band,
       coalesce(pin_ids['revenue'], pin_ids['revenue_band'], revenue_row_id) as revenue_row_id,
       coalesce(pins['phone'], phone) as phone,
       coalesce(pin_ids['phone'], phone_row_id) as phone_row_id,
       coalesce(pins['email'], email) as email,
       coalesce(pin_ids['email'], email_row_id) as email_row_id,
       coalesce(pins['website'], website) as website,
       coalesce(pins['domain'], domain) as domain,
       coalesce(pin_ids['website'], pin_ids['domain'], website_row_id) as website_row_id,
       coalesce(pins['scope'], scope) as scope,
       coalesce(pin_ids['scope'], scope_row_id) as scope_row_id,
       parent,
       parent_key,
       parent_source,
       parent_row_id,
       coalesce(pins['crm_account_id'], crm_account_id) as crm_account_id,
       coalesce(pin_ids['crm_account_id'], crm_account_id_row_id) as crm_account_id_row_id,
       former_names, alias_keys, phones, domains, sources, member_count, first_landed_on
from first_values
left join pins using (account_id)
