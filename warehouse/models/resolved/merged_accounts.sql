-- One row per account of several directory rows, or with a pinned field: the value of each field and the row it is from.
-- A person's pin counts first, then the rows in their order; an address is taken as one block, as are industry, capital,
-- people, revenue and web address.
-- grain: account_id
-- column: account_id | the account
-- column: name | name of the first row that has a comparable one, with all its parts
-- column: registration_no | registration number
-- column: name_en | English name
-- column: short_name | short name
-- column: status | status
-- column: founded_on | day of foundation
-- column: capital | registered capital and currency
-- column: place | address block
-- column: country | country, where the address block has none
-- column: industry | industry block
-- column: company_type | type of company
-- column: employees | people and their band
-- column: revenue | revenue and its band
-- column: phone | first telephone number
-- column: email | mail address
-- column: website | web address and domain
-- column: scope | business scope
-- column: parent | parent as given, with the source that says so
-- column: crm_account_id | the CRM's id
-- column: code | the account's code
-- column: former_names | all former names
-- column: alias_keys | comparison keys of all names
-- column: phones | all telephone numbers
-- column: domains | all domains of its own
-- column: sources | all sources
-- column: member_count | rows
-- column: pins | field → pinned value
-- column: pin_ids | field → pin:<decision>
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
first_values as (
    select account_id,
           arg_min({'row_id': row_id, 'name': coalesce(name, name_en), 'name_key': coalesce(name_key, name_en_key),
                    'name_core': name_core, 'name_region_code': name_region_code, 'name_form': name_form,
                    'name_branch': name_branch},
                   position + case when coalesce(name_key, name_en_key) is null then 1000000 else 0 end)
               filter (coalesce(name, name_en) is not null) as name,
           arg_min({'row_id': row_id, 'value': registration_no}, position) filter (registration_no is not null) as registration_no,
           arg_min({'row_id': row_id, 'value': name_en}, position) filter (name_en is not null) as name_en,
           arg_min({'row_id': row_id, 'value': short_name}, position) filter (short_name is not null) as short_name,
           arg_min({'row_id': row_id, 'value': status}, position) filter (status is not null) as status,
           arg_min({'row_id': row_id, 'value': founded_on}, position) filter (founded_on is not null) as founded_on,
           arg_min({'row_id': row_id, 'amount': registered_capital, 'currency': registered_capital_currency}, position)
               filter (registered_capital is not null) as capital,
           arg_min({'row_id': row_id, 'province_code': province_code, 'city_code': city_code, 'district_code': district_code,
                    'province': province, 'city': city, 'district': district, 'country': country, 'address': address},
                   position)
               filter (coalesce(province_code, province, city_code, city, address) is not null) as place,
           arg_min({'row_id': row_id, 'value': country}, position) filter (country is not null) as country,
           arg_min({'row_id': row_id, 'text': industry, 'section': industry_section, 'division': industry_division}, position)
               filter (coalesce(industry, industry_section) is not null) as industry,
           arg_min({'row_id': row_id, 'value': company_type}, position) filter (company_type is not null) as company_type,
           arg_min({'row_id': row_id, 'number': employees, 'band': employees_band}, position)
               filter (coalesce(employees::varchar, employees_band) is not null) as employees,
           arg_min({'row_id': row_id, 'amount': revenue, 'band': revenue_band}, position)
               filter (coalesce(revenue::varchar, revenue_band) is not null) as revenue,
           arg_min({'row_id': row_id, 'value': phone}, position) filter (phone is not null) as phone,
           arg_min({'row_id': row_id, 'value': email}, position) filter (email is not null) as email,
           arg_min({'row_id': row_id, 'text': website, 'domain': domain}, position)
               filter (coalesce(website, domain) is not null) as website,
           arg_min({'row_id': row_id, 'value': scope}, position) filter (scope is not null) as scope,
           arg_min({'row_id': row_id, 'value': parent, 'source': source}, position) filter (parent is not null) as parent,
           arg_min({'row_id': row_id, 'value': crm_account_id}, position) filter (crm_account_id is not null) as crm_account_id,
           max(code) as code,
           list_sort(list_distinct(flatten(list(former_names)))) as former_names,
           list_sort(list_distinct(flatten(list(
               [name_key, name_en_key, short_name_key] || coalesce(former_name_keys, []::varchar[]))))) as alias_keys,
           list_sort(list_distinct(flatten(list(phones)))) as phones,
           list_sort(list(distinct domain) filter (domain_kind = 'own')) as domains,
           list_sort(list(distinct source)) as sources,
           count(*)::integer as member_count,
           min(first_landed_on) as first_landed_on
    from resolved.merged_rows
    group by account_id
)
select * from first_values left join pins using (account_id)
