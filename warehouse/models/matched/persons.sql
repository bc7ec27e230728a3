-- One row per person: what is known of them, of their rows the best source's and newest first.
-- grain: person_id
-- column: person_id | named after the strong key landed first
-- column: name | name
-- column: title | job title
-- column: department | department
-- column: seniority | c_level, vp, director, manager, staff or unknown
-- column: email | the address to use: corporate before personal, newest first
-- column: emails | all addresses
-- column: mobile | newest mobile number, E.164
-- column: mobiles | all mobile numbers
-- column: wechat_unionids | all WeChat union ids
-- column: company_name | company as given
-- column: company_name_key | its comparison key; null where it is no name
-- column: province_code | GB/T 2260 code
-- column: city_code | GB/T 2260 code
-- column: district_code | GB/T 2260 code
-- column: city | city, or as given abroad
-- column: country | ISO 3166 alpha-2, or as given
-- column: company_domain | domain of the company: of the corporate mail address, else of the website
-- column: uscc | code given with the contact
-- column: crm_account_id | the CRM's account id given with the contact
-- column: phone | telephone number given with the contact
-- column: profile_id | hash of what is known of the employer; matched.company_profiles
-- column: first_seen_at | first sign of life, UTC
-- column: lead_source | where the contact came from, by the earliest row that says so
-- column: is_excluded | own staff, competitor, test user: on an exclusion list
-- column: exclusion_reason | why
with contact as (
    select person_rows.person_id, contacts.*
    from matched.person_rows
    join staging.contacts on contacts.row_id = person_rows.row_id
    where person_rows.entity = 'contacts'
),
described as (
    select person_id, name, title, department, seniority, company_name, company_name_key, province_code, city_code,
           district_code, city, country, company_domain, uscc, crm_account_id, phone, email, email_kind, mobile, created_at,
           lead_source, 1 as place, source_rank, landed_on, row_id
    from contact
    union all by name
    select person_rows.person_id, touches.name, touches.title, touches.company_name, parsed_names.name_key as company_name_key,
           case when parsed_emails.domain_kind = 'own' then parsed_emails.domain end as company_domain,
           touches.email, touches.email_kind, touches.mobile, touches.occurred_at as created_at, 2 as place,
           touches.source_rank, touches.landed_on, touches.row_id
    from matched.person_rows
    join staging.touches on touches.row_id = person_rows.row_id
    left join staging.parsed_emails on parsed_emails.value = touches.email
    left join staging.parsed_names on parsed_names.value = touches.company_name
    where person_rows.entity = 'touches'
),
ordered as (
    select *, (-place, -coalesce(source_rank, 1000000), landed_on, row_id) as merit
    from described
),
merged as (
    select person_id,
           arg_max(name, merit) as name,
           arg_max(title, merit) as title,
           arg_max(department, merit) as department,
           arg_max(nullif(seniority, 'unknown'), merit) as seniority,
           arg_max(email, (email_kind = 'corporate', email_kind = 'personal', merit)) as email,
           arg_max(mobile, merit) as mobile,
           -- Name, key and place of the company come from one row, whose company it is.
           arg_max({'name': company_name, 'key': company_name_key, 'province': province_code, 'city_code': city_code,
                    'district': district_code, 'city': city, 'phone': phone}, merit)
               filter (company_name is not null) as company,
           arg_max({'province': province_code, 'city_code': city_code, 'district': district_code, 'city': city,
                    'phone': phone}, merit) filter (company_name is null) as elsewhere,
           arg_max(company_domain, merit) as company_domain,
           arg_max(uscc, merit) as uscc,
           arg_max(crm_account_id, merit) as crm_account_id,
           arg_max(country, merit) as country,
           min(created_at) filter (created_at <= $at) as first_seen_at,
           arg_min(lead_source, (coalesce(created_at, landed_on::timestamp), row_id)) as lead_source
    from ordered
    group by person_id
),
known_key as (
    select person_id,
           list(key_value order by key_value) filter (key_kind = 'email') as emails,
           list(key_value order by key_value) filter (key_kind = 'mobile') as mobiles,
           list(key_value order by key_value) filter (key_kind = 'wechat_unionid') as wechat_unionids,
           min(first_landed_on) as first_landed_on
    from matched.person_keys
    group by person_id
),
exclusion as (
    select person_rows.person_id, min(coalesce(lists.reason, lists.list)) as exclusion_reason
    from matched.person_rows
    join staging.lists on lists.row_id = person_rows.row_id
    where person_rows.entity = 'lists' and regexp_matches(lower(lists.list), 'exclu|排除|黑名单|竞争|竞品|block')
        and (lists.valid_from is null or lists.valid_from <= $as_of) and (lists.valid_to is null or lists.valid_to >= $as_of)
    group by all
),
person as (
    select known_key.person_id, merged.name, merged.title, merged.department, coalesce(merged.seniority, 'unknown') as seniority,
           coalesce(merged.email, known_key.emails[1]) as email, coalesce(known_key.emails, []) as emails,
           coalesce(merged.mobile, known_key.mobiles[1]) as mobile, coalesce(known_key.mobiles, []) as mobiles,
           coalesce(known_key.wechat_unionids, []) as wechat_unionids,
           merged.company.name as company_name, merged.company.key as company_name_key,
           coalesce(merged.company.province, merged.elsewhere.province) as province_code,
           coalesce(merged.company.city_code, merged.elsewhere.city_code) as city_code,
           coalesce(merged.company.district, merged.elsewhere.district) as district_code,
           coalesce(merged.company.city, merged.elsewhere.city) as city,
           merged.country, merged.company_domain, merged.uscc, merged.crm_account_id,
           coalesce(merged.company.phone, merged.elsewhere.phone) as phone,
           coalesce(merged.first_seen_at, known_key.first_landed_on::timestamp) as first_seen_at, merged.lead_source,
           exclusion.person_id is not null as is_excluded, exclusion.exclusion_reason
    from known_key
    left join merged using (person_id)
    left join exclusion using (person_id)
)
select *,
       md5(concat_ws(chr(31), coalesce(company_name, ''), coalesce(company_domain, ''), coalesce(phone, ''),
                     coalesce(uscc, ''), coalesce(crm_account_id, ''), coalesce(province_code, ''), coalesce(city_code, ''),
                     coalesce(district_code, ''), coalesce(city, ''))) as profile_id
from person
