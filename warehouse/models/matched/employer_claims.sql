-- One row per person and company that their rows named, with what is known of it, and from when to when it stood.
-- A later version of one record ends what the earlier said (a change of employer); what two records say stands side by
-- side (two companies at once). The first row of a person is the company of matched.persons.
-- grain: person_id, employer_key
-- published: no
-- column: person_id | the person
-- column: employer_key | comparison key of the company as given; empty where none was given
-- column: company_name | company as given
-- column: company_name_key | its comparison key; null where it is no name
-- column: company_domain | domain of the company
-- column: uscc | code
-- column: crm_account_id | the CRM's account id
-- column: phone | telephone number
-- column: province_code | GB/T 2260 code
-- column: city_code | GB/T 2260 code
-- column: district_code | GB/T 2260 code
-- column: city | city, or as given abroad
-- column: known_since | day from which it is known
-- column: known_until | day on which a record named another one instead; null where none did
-- column: is_primary | whether it is the company of matched.persons
-- column: profile_id | hash of what is known of the employer; matched.company_profiles
with changed as (
    select row_id from staging.contact_versions group by row_id having count(distinct row_hash) > 1
),
version as (
    select versions.row_id, received.row_hash, any_value(received.company_name) as company_name,
           any_value(received.email) as email, any_value(received.website) as website, any_value(received.uscc) as uscc,
           any_value(received.crm_account_id) as crm_account_id, any_value(received.phone) as phone,
           any_value(received.province) as province, any_value(received.city) as city,
           min(received.landed_on) as landed_on, min(received.source_date) as source_date,
           min(received.sequence) as sequence, min(received.source_rank) as source_rank
    from staging.contact_versions as versions
    semi join changed using (row_id)
    join raw.contacts as received on received.row_hash = versions.row_hash and received.source = versions.source
    group by versions.row_id, received.row_hash
),
earlier as (
    select version.row_id as record, version.row_id, version.row_hash, name_read.name as company_name, name_read.name_key,
           coalesce(case when email_read.domain_kind = 'own' then email_read.domain end,
                    case when website_read.kind = 'own' then website_read.domain end) as company_domain,
           code_read.uscc, version.crm_account_id, phone_read.phone, place_read.province_code, place_read.city_code,
           place_read.district_code, coalesce(place_read.city, version.city) as city, version.landed_on,
           version.source_date, version.sequence, version.source_rank
    from version
    anti join staging.contacts using (row_id, row_hash)
    left join staging.parsed_names as name_read on name_read.value = version.company_name
    left join staging.parsed_emails as email_read on email_read.value = version.email
    left join staging.parsed_domains as website_read on website_read.value = version.website
    left join staging.parsed_codes as code_read on code_read.value = version.uscc
    left join staging.parsed_phones as phone_read on phone_read.value = version.phone and phone_read.country = 'CN'
    left join staging.parsed_places as place_read
        on place_read.value = concat_ws('|', coalesce(version.province, ''), coalesce(version.city, ''), '')
),
statement as (
    select person_rows.person_id, earlier.record, name_key, company_name, company_domain, uscc, crm_account_id, phone,
           province_code, city_code, district_code, city, coalesce(source_date, landed_on) as said_on, landed_on, sequence,
           source_rank, 1 as place, row_hash
    from earlier
    join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = earlier.record
    union all by name
    select person_rows.person_id, contacts.row_id as record, company_name_key as name_key, company_name, company_domain, uscc,
           crm_account_id, phone, province_code, city_code, district_code, city,
           case when changed.row_id is null then least(created_at::date, coalesce(source_date, contacts.landed_on))
                else coalesce(source_date, contacts.landed_on) end as said_on,
           contacts.landed_on, source_rank, 1 as place, row_hash, changed.row_id is not null as is_last
    from staging.contacts
    join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = contacts.row_id
    left join changed on changed.row_id = contacts.row_id
    union all by name
    select person_rows.person_id, 'touches|' || touches.source || '|' || person_rows.person_id as record,
           parsed_names.name_key, touches.company_name,
           case when parsed_emails.domain_kind = 'own' then parsed_emails.domain end as company_domain,
           touches.occurred_at::date as said_on, touches.landed_on, touches.source_rank, 2 as place,
           touches.row_id as row_hash
    from staging.touches
    join matched.person_rows on person_rows.entity = 'touches' and person_rows.row_id = touches.row_id
    join staging.parsed_names on parsed_names.value = touches.company_name
    left join staging.parsed_emails on parsed_emails.value = touches.email
),
named as (
    select *,
           lag(name_key) over said is distinct from name_key as is_start,
           (-place, -coalesce(source_rank, 1000000), landed_on, row_hash) as merit
    from statement
    where name_key is not null
    window said as (
        partition by record
        order by coalesce(is_last, false), said_on, landed_on, sequence nulls first, row_hash
    )
),
numbered as (
    select *,
           sum(is_start::int) over (
               partition by record
               order by coalesce(is_last, false), said_on, landed_on, sequence nulls first, row_hash
               rows unbounded preceding
           ) as spell
    from named
),
spell as (
    select person_id, record, spell, name_key, min(said_on) as since,
           lead(min(said_on)) over (partition by person_id, record order by spell) as until
    from numbered
    group by person_id, record, spell, name_key
),
stood as (
    select person_id, name_key, min(since) as known_since,
           case when bool_or(until is null) then null else max(until) end as known_until
    from spell
    group by person_id, name_key
),
described as (
    select person_id, name_key,
           arg_max(company_name, merit) as company_name,
           arg_max(company_domain, merit) as company_domain,
           arg_max(uscc, merit) as uscc,
           arg_max(crm_account_id, merit) as crm_account_id,
           arg_max(phone, merit) as phone,
           arg_max({'province': province_code, 'city_code': city_code, 'district': district_code, 'city': city}, merit)
               as seat
    from named
    group by person_id, name_key
),
claim as (
    select persons.person_id, coalesce(company_name_key, '') as employer_key, company_name, company_name_key, company_domain, uscc,
           crm_account_id, phone, province_code, city_code, district_code, city, stood.known_since, stood.known_until,
           true as is_primary, persons.profile_id
    from matched.persons
    left join stood on stood.person_id = persons.person_id and stood.name_key = persons.company_name_key
    union all by name
    select person_id, name_key as employer_key, described.company_name, name_key as company_name_key,
           described.company_domain, described.uscc, described.crm_account_id, described.phone,
           described.seat.province as province_code, described.seat.city_code as city_code,
           described.seat.district as district_code, described.seat.city as city, stood.known_since, stood.known_until,
           false as is_primary
    from described
    join stood using (person_id, name_key)
    join matched.persons using (person_id)
    where name_key is distinct from persons.company_name_key
)
select person_id, employer_key, company_name, company_name_key, company_domain, uscc, crm_account_id, phone, province_code,
       city_code, district_code, city, known_since, known_until, is_primary,
       coalesce(profile_id,
                md5(concat_ws(chr(31), coalesce(company_name, ''), coalesce(company_domain, ''), coalesce(phone, ''),
                              coalesce(uscc, ''), coalesce(crm_account_id, ''), coalesce(province_code, ''),
                              coalesce(city_code, ''), coalesce(district_code, ''), coalesce(city, '')))) as profile_id
from claim
