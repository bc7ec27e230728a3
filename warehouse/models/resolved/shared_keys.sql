-- One row per directory row and key that another row bears too: the evidence that both are one company.
-- Keys by strength: code; a person's word; registration number; name with city; name with province; name alone, where one
-- account bears it; former name; the company's own web domain or telephone with an agreeing name. A domain or telephone
-- by itself is no key, and one that many names share (agents, platforms, groups) is none at all.
-- grain: n, kind, key_n
-- column: n | the row (resolved.company_rows)
-- column: kind | code, person, split, registration, name_city, name_province, name, former_name, domain, phone
-- column: strength | 1 is the strongest
-- column: key | the key itself
-- column: key_n | names the key within its kind: the smallest n that bears it
-- column: is_placed | whether the row says the city (name_province) or province (name); true for other kinds
-- column: has_code | whether the row bears a code that counts
with open_rows as (
    -- What a person has split off shares its code and nothing else with the rest.
    select *
    from resolved.company_rows
    anti join (select row_id from resolved.account_decisions where part = 'apart') using (row_id)
),
repeated_names as (
    select name_key,
           count(place) > count(city) as lacks_city,
           count(*) > count(place) and not bool_or(is_local_form) as lacks_place
    from open_rows
    where name_key is not null
    group by name_key
    having count(*) > 1
),
namesakes as (
    select n, name_key, place, city, lacks_city, lacks_place from open_rows join repeated_names using (name_key)
),
former_names as (
    select n, place, unnest(former_name_keys) as key from open_rows where len(former_name_keys) > 0
),
repeated_codes as (
    select code from resolved.company_rows where code is not null group by code having count(*) > 1
),
contacts as (
    select n, 'domain' as kind, own_domain as contact from open_rows where own_domain is not null
    union all
    select n, 'phone', unnest(phones) from open_rows where len(phones) > 0
),
repeated_contacts as (
    select n, place, name_key, parts_key, kind, contact
    from (select kind, contact from contacts group by kind, contact having count(*) > 1)
    join contacts using (kind, contact)
    join open_rows using (n)
),
shared_contacts as (
    select kind, contact
    from repeated_contacts
    group by kind, contact
    having count(distinct name_key) >= (select any_value(shared_from) from rules.directory)
),
claims as (
    -- `one_place`: the key counts only where its rows do not name different places.
    select n, 'code' as kind, code as key, true as is_placed, null as one_place
    from resolved.company_rows
    semi join repeated_codes using (code)
    union all
    select n, case part when 'together' then 'person' else 'split' end, decision_id, true, null
    from resolved.account_decisions
    join resolved.company_rows using (row_id)
    where part in ('together', 'apart')
    union all
    select n, 'registration', registration_no, true, null from open_rows where registration_no is not null
    union all
    select n, 'name_city', name_key || ' ' || city, true, null from namesakes where city is not null
    union all
    select n, 'name_province', name_key || ' ' || place, city is not null, null
    from namesakes
    where lacks_city and place is not null
    union all
    select n, 'name', name_key, place is not null, null from namesakes where lacks_place
    union all
    select distinct n, 'former_name', key, true, place
    from (
        select n, key, place from former_names
        union all
        select n, name_key, place from open_rows where name_key in (select key from former_names)
    )
    union all
    select distinct n, kind, parts_key || ' ' || contact, true, place
    from repeated_contacts
    anti join shared_contacts using (kind, contact)
    where parts_key is not null
),
shared as (
    select kind, key, min(n) as key_n
    from claims
    group by kind, key
    having count(*) > 1 and count(distinct one_place) <= 1
)
select n, kind,
       list_position(['code', 'person', 'split', 'registration', 'name_city', 'name_province', 'name', 'former_name',
                      'domain', 'phone'], kind)::tinyint as strength,
       key, key_n, is_placed, code is not null as has_code
from claims
join shared using (kind, key)
join resolved.company_rows using (n)
