-- One row per company as one source tells it: the latest version of each record, every value typed.
-- grain: row_id
-- check: uscc is null or length(uscc) = 18
-- check: uscc is null or uscc_state in ('valid', 'repaired')
-- column: source_id | the id the source gives
-- column: name | name for display
-- column: name_key | compares whole names; null for what is no name
-- column: name_region | region part of the name
-- column: name_core | proper name
-- column: name_industry_word | word of trade
-- column: name_form | legal form
-- column: name_branch | branch part
-- column: name_region_code | GB/T 2260 code of the region in the name
-- column: is_company_name | whether the name can name a company
-- column: former_names | former names, clean
-- column: former_name_keys | their comparison keys
-- column: name_en | English name
-- column: name_en_key | its comparison key
-- column: short_name | short name or brand
-- column: short_name_key | its comparison key
-- column: uscc | unified social credit code
-- column: uscc_state | valid, repaired, suspect or invalid; null without a code
-- column: registration_no | 15-digit registration number
-- column: organisation_code | organisation code, also cut from the credit code
-- column: crm_account_id | id of the account in the CRM
-- column: status | active, suspended, revoked, cancelled or unknown
-- column: legal_representative | legal representative
-- column: founded_on | founding day, not in the future
-- column: registered_capital | registered capital, in units of its currency
-- column: registered_capital_currency | its currency, where the text says one
-- column: province_code | GB/T 2260 code: of the fields, what they leave open of the address, then of the name
-- column: city_code | GB/T 2260 code, likewise
-- column: district_code | GB/T 2260 code, likewise
-- column: province | name of the province, or as given abroad
-- column: city | name of the city, or as given abroad
-- column: district | name of the district, or as given abroad
-- column: country | ISO 3166 alpha-2; as given where unknown
-- column: address | address, clean
-- column: industry | text as given
-- column: industry_section | GB/T 4754 section
-- column: industry_division | GB/T 4754 division
-- column: company_type | type as given
-- column: employees | people; of a range its lower end
-- column: employees_band | size band
-- column: revenue | a year's revenue; of a range its lower end
-- column: revenue_band | revenue band
-- column: phones | numbers, E.164
-- column: phone | first number, E.164
-- column: emails | addresses
-- column: email | first address
-- column: website | host and path
-- column: domain | registrable domain of the website
-- column: domain_kind | own, free, disposable or public
-- column: scope | business scope
-- column: parent | name of the parent company
-- column: parent_key | its comparison key
-- column: tags | tags as given
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | the record's key in its source
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day this version was landed
-- column: first_landed_on | the day the record was first landed
-- column: versions | rows of this record that were kept, of which this is the latest
-- column: row_hash | the row's hash in raw
-- column: file_sha | its file
-- column: sheet | its sheet
-- column: line | its line
-- column: extra | JSON of unknown columns
with former_cell as (
    select value, unnest(names) as former_name, generate_subscripts(names, 1) as position
    from staging.parsed_name_lists
),
other_name as (
    select value, name, name_key
    from staging.parsed_names
    where value in (
        select name_en from raw.companies where name_en is not null
        union all
        select short_name from raw.companies where short_name is not null
        union all
        select parent from raw.companies where parent is not null
        union all
        select former_name from former_cell
    )
),
other_code as (
    -- Fifteen digits read as a tax number just as well as every eleventh registration number: the header decides.
    select value, case when kind = 'tax_no' and regexp_full_match(trim(value), '[0-9]{15}') then trim(value)
                       else registration_no end as registration_no,
           organisation_code, kind = 'tax_no' as is_tax_no
    from staging.parsed_codes
    where value in (
        select registration_no from raw.companies where registration_no is not null
        union all
        select organisation_code from raw.companies where organisation_code is not null
    )
),
repeated as (
    select row_id from staging.company_versions group by row_id having count(*) > 1
),
latest as (
    select place, row_id, null::date as first_landed_on, 1 as versions
    from staging.company_versions
    anti join repeated using (row_id)
    union all
    select place, row_id, min(landed_on) over record, count(*) over record
    from staging.company_versions
    semi join repeated using (row_id)
    join raw.companies as received on received.rowid = place
    window record as (partition by row_id)
    qualify row_number() over (
        partition by row_id
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, company_versions.row_hash desc,
                 file_sha, record
    ) = 1
),
former as (
    select cell.value, list(name.name order by cell.position) as names,
           list(name.name_key order by cell.position) filter (name.name_key is not null) as name_keys
    from former_cell as cell
    join other_name as name on name.value = cell.former_name
    group by cell.value
),
read as (
    select case when source_id_read.value is null then received.source_id else source_id_read.id end as source_id,
           name_read.name, name_read.name_key, name_read.region as name_region, name_read.core as name_core,
           name_read.industry_word as name_industry_word, name_read.form as name_form, name_read.branch as name_branch,
           name_read.region_code as name_region_code, name_read.is_company_name,
           former.names as former_names, former.name_keys as former_name_keys,
           name_en_read.name as name_en, name_en_read.name_key as name_en_key,
           short_name_read.name as short_name, short_name_read.name_key as short_name_key,
           uscc_read.uscc, uscc_read.uscc_state,
           coalesce(registration_read.registration_no, uscc_read.registration_no) as registration_no,
           coalesce(organisation_read.organisation_code, uscc_read.organisation_code,
                    case when not registration_read.is_tax_no then registration_read.organisation_code end) as organisation_code,
           case when crm_read.value is null then received.crm_account_id else crm_read.id end as crm_account_id,
           status_read.status, representative_read.text as legal_representative,
           case when founded_read.day <= $as_of then founded_read.day end as founded_on,
           capital_read.amount as registered_capital, capital_read.currency as registered_capital_currency,
           field.province_code as field_province, field.city as field_city, field.district_code as field_district,
           coalesce(field.district_code, field.city_code, field.province_code) as field_code,
           address_read.province_code as address_province, address_read.city as address_city,
           coalesce(address_read.district_code, address_read.city_code, address_read.province_code) as address_code,
           province_read.text as province, city_read.text as city, district_read.text as district,
           country_read.country, address_read.address,
           industry_read.industry, industry_read.section as industry_section, industry_read.division as industry_division,
           type_read.text as company_type, employees_read.employees, employees_read.band as employees_band,
           revenue_read.revenue, revenue_read.band as revenue_band,
           coalesce(phone_read.e164s, []) as phone_numbers, phone_read.national as phone_national,
           coalesce(more_phones_read.e164s, []) as more_numbers,
           coalesce(email_read.emails, []) as first_emails, coalesce(more_emails_read.emails, []) as more_emails,
           website_read.website, website_read.domain, website_read.kind as domain_kind, scope_read.text as scope,
           parent_read.name as parent, parent_read.name_key as parent_key, tags_read.text as tags,
           latest.row_id, received.source, substr(latest.row_id, length(received.source) + 2) as source_key, received.source_rank, received.source_date,
           received.landed_on, coalesce(latest.first_landed_on, received.landed_on) as first_landed_on, latest.versions, received.row_hash, received.file_sha, received.sheet, received.line,
           received.extra
    from latest
    join raw.companies as received on received.rowid = latest.place
    left join staging.parsed_ids as source_id_read on source_id_read.value = received.source_id
    left join staging.parsed_ids as crm_read on crm_read.value = received.crm_account_id
    left join staging.parsed_names as name_read on name_read.value = received.name
    left join other_name as name_en_read on name_en_read.value = received.name_en
    left join other_name as short_name_read on short_name_read.value = received.short_name
    left join other_name as parent_read on parent_read.value = received.parent
    left join former on former.value = received.former_names
    left join staging.parsed_codes as uscc_read on uscc_read.value = received.uscc
    left join other_code as registration_read on registration_read.value = received.registration_no
    left join other_code as organisation_read on organisation_read.value = received.organisation_code
    left join staging.parsed_statuses as status_read on status_read.value = received.status
    left join staging.parsed_texts as representative_read on representative_read.value = received.legal_representative
    left join staging.parsed_times as founded_read on founded_read.value = received.founded_on
    left join staging.parsed_amounts as capital_read on capital_read.value = received.registered_capital
    left join staging.parsed_places as field on field.value = case
        when coalesce(received.province, received.city, received.district) is not null
            then concat_ws('|', coalesce(received.province, ''), coalesce(received.city, ''), coalesce(received.district, ''))
        end
    left join staging.parsed_texts as province_read on province_read.value = received.province
    left join staging.parsed_texts as city_read on city_read.value = received.city
    left join staging.parsed_texts as district_read on district_read.value = received.district
    left join staging.parsed_countries as country_read on country_read.value = received.country
    left join staging.parsed_addresses as address_read on address_read.value = received.address
    left join staging.parsed_industries as industry_read on industry_read.value = received.industry
    left join staging.parsed_texts as type_read on type_read.value = received.company_type
    left join staging.parsed_employees as employees_read on employees_read.value = received.employees
    left join staging.parsed_revenues as revenue_read on revenue_read.value = received.revenue
    left join staging.parsed_phones as phone_read
        on phone_read.value = received.phone
        and phone_read.country = case when length(country_read.country) = 2 then country_read.country else 'CN' end
    left join staging.parsed_phones as more_phones_read
        on more_phones_read.value = received.more_phones
        and more_phones_read.country = case when length(country_read.country) = 2 then country_read.country else 'CN' end
    left join staging.parsed_emails as email_read on email_read.value = received.email
    left join staging.parsed_emails as more_emails_read on more_emails_read.value = received.more_emails
    left join staging.parsed_domains as website_read on website_read.value = received.website
    left join staging.parsed_texts as scope_read on scope_read.value = received.scope
    left join staging.parsed_texts as tags_read on tags_read.value = received.tags
),
located as (
    -- What the fields leave open comes from the address, then from the name, as long as they do not contradict.
    select read.*,
           case when field_code is null then address_code
                when field_district is null and address_province = field_province
                     and coalesce(field_city = address_city, true) then address_code
                else field_code end as given_code
    from read
),
placed as (
    select located.*,
           case when given.code is null then named.code
                when named.province_code = given.province_code and given.district_code is null
                     and coalesce(named.city = given.city, true) then coalesce(named.code, given.code)
                else given.code end as code
    from located
    left join rules.regions as given on given.code = located.given_code
    left join rules.regions as named on named.code = located.name_region_code
),
phoned as (
    -- A landline without its area code, or without the area code's zero, is settled by the city alone, else left out.
    select placed.* replace (
               case when area.area_code is null or phone_national is null then phone_numbers
                    when length(phone_national) <= 8 and length(area.area_code || phone_national) in (10, 11)
                        then ['+86' || area.area_code || phone_national]
                    when length(phone_national) > 8 and starts_with(phone_national, area.area_code)
                        then ['+86' || phone_national]
                    else phone_numbers end as phone_numbers),
           place.province_code, place.city_code, place.district_code,
           place.province as place_province, place.city as place_city, place.district as place_district
    from placed
    left join rules.regions as place using (code)
    left join rules.area_codes as area on area.city_code = place.city_code
)
select source_id, name, name_key, name_region, name_core, name_industry_word, name_form, name_branch, name_region_code,
       is_company_name, former_names, former_name_keys, name_en, name_en_key, short_name, short_name_key, uscc, uscc_state,
       registration_no, organisation_code, crm_account_id, status, legal_representative, founded_on, registered_capital,
       registered_capital_currency, province_code, city_code, district_code,
       case when place_province is null then province else place_province end as province,
       case when place_province is null then city else place_city end as city,
       case when place_province is null then district else place_district end as district,
       coalesce(country, case when province_code is not null then 'CN' end) as country,
       address, industry, industry_section, industry_division, company_type, employees, employees_band, revenue,
       revenue_band,
       list_distinct(list_concat(phone_numbers, more_numbers)) as phones,
       coalesce(phone_numbers[1], more_numbers[1]) as phone,
       list_distinct(list_concat(first_emails, more_emails)) as emails,
       coalesce(first_emails[1], more_emails[1]) as email,
       website, domain, domain_kind, scope, parent, parent_key, tags, row_id, source, source_key, source_rank, source_date,
       landed_on, first_landed_on, versions, row_hash, file_sha, sheet, line, extra
from phoned
