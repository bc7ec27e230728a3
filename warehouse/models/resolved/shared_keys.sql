-- One row per directory row and key that another row bears too: the evidence that both are one company.
-- Keys by strength: code; a person's word; registration number; name with city; name with province; name alone; the name
-- without its legal form, with city; another's former or English name; the company's own web domain or telephone with an
-- agreeing name. A domain or telephone by itself is no key, and one that many names share (agents, groups) none at all.
-- grain: n, kind, key_n
-- column: n | the row (resolved.company_rows)
-- column: kind | code, person, split, registration, name_city, name_province, name, stem, other_name, domain, phone
-- column: strength | 1 is the strongest
-- column: key | the key itself
-- column: key_n | the key's number
-- column: is_definite | whether the row itself says what the key leaves open: the city (name_province), the province
--   (name), the legal form (stem), that the name is another one of its own (other_name); true for other kinds
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
stems as (
    select stem, city
    from open_rows
    where stem is not null and city is not null
    group by stem, city
    having bool_or(has_form) and not bool_and(has_form)
),
other_names as (
    select n, place, key
    from (select n, place, name_key, unnest(other_name_keys) as key from open_rows where len(other_name_keys) > 0)
    where key is distinct from name_key
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
    select n, 'code' as kind, code as key, true as is_definite, null as one_place
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
    select n, 'stem', stem || ' ' || city, has_form, null from open_rows join stems using (stem, city)
    union all
    select n, 'other_name', key, true, place from other_names
    union all
    select n, 'other_name', name_key, false, place
    from open_rows
    where name_key in (select key from other_names)
    union all
    select distinct n, kind, parts_key || ' ' || contact, true, place
    from repeated_contacts
    anti join shared_contacts using (kind, contact)
    where parts_key is not null
),
shared as (
    select kind, key, (row_number() over (order by kind, key))::integer as key_n
    from claims
    group by kind, key
    having count(*) > 1 and count(distinct one_place) <= 1 and not (kind = 'other_name' and bool_and(is_definite))
)
select n, kind,
       list_position(['code', 'person', 'split', 'registration', 'name_city', 'name_province', 'name', 'stem',
                      'other_name', 'domain', 'phone'], kind)::tinyint as strength,
       key, key_n, is_definite, code is not null as has_code
from claims
join shared using (kind, key)
join resolved.company_rows using (n)
