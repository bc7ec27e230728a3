-- One row per person of whom something says where they are: the regions whose rules on consent hold for them, and why.
-- The only place that decides it; which indications there are, their order and which count is `region_by` of consent.yaml.
-- grain: person_id
-- check: region is not null
-- column: person_id | the person
-- column: region | ISO 3166, the most telling first, several joined by + (DE+CN); of all of them the strictest rule holds
-- column: is_disputed | whether the indications disagree
-- column: indications | what says so, as region (indication), the most telling first
with mobile_country as (
    select mobile, min(mobile_country) as country
    from staging.parsed_phones
    where mobile not like '+86%'
    group by mobile
),
told as (
    -- Every record of the person counts, not only the one whose country matched.persons shows.
    select person_rows.person_id, 'country' as indication, contacts.country, null as number
    from matched.person_rows
    join staging.contacts using (row_id)
    where person_rows.entity = 'contacts' and contacts.country is not null
    union all
    select person_keys.person_id, 'mobile',
           case when person_keys.key_value like '+86%' then 'CN' else mobile_country.country end, person_keys.key_value
    from matched.person_keys
    left join mobile_country on mobile_country.mobile = person_keys.key_value
    where person_keys.key_kind = 'mobile'
    union all
    select person_accounts.person_id, 'company',
           coalesce(accounts.country, case when accounts.uscc is not null then 'CN' end), null
    from matched.person_accounts
    join resolved.accounts using (account_id)
    where person_accounts.decision in ('auto', 'manual')
),
said as (
    -- A country that somebody stated and nobody can read is some country: no number of another one may stand in for it.
    select told.person_id, told.number, rules.indication, rules.place, rules.is_alone,
           case when regexp_full_match(told.country, '[A-Z]{2}') then told.country
                when told.indication = 'country' then rules.unreadable_as end as country
    from told
    join rules.region_indications as rules using (indication)
    where regexp_full_match(told.country, '[A-Z]{2}')
        or (told.indication = 'country' and told.country is not null and rules.unreadable_as is not null)
),
-- Most people are in one country, by whatever says so: one look at each row tells, and only the others are put in order.
person as (
    select person_id,
           min(country) filter (not is_alone) as least, max(country) filter (not is_alone) as greatest,
           bit_or(1 << place) filter (not is_alone) as places, min(place) filter (not is_alone) as first_place,
           min(place) filter (is_alone) as place_alone,
           min(country) filter (is_alone) as least_alone, max(country) filter (is_alone) as greatest_alone
    from said
    group by person_id
),
several as (
    select person_id from person
    where least <> greatest or place_alone < first_place or first_place is null and least_alone <> greatest_alone
),
words as (
    select places, string_agg(rules.indication, ', ' order by rules.place) as indications
    from (select distinct coalesce(places, 1 << place_alone) as places from person)
    join rules.region_indications as rules on places & (1 << rules.place) > 0
    group by places
),
ordered as (
    -- The country that matched.persons shows goes first among those stated, that of its mobile among those of numbers.
    select said.person_id, said.country, said.indication, said.place,
           coalesce(said.country = persons.country, false) and said.indication = 'country'
           or coalesce(said.number = persons.mobile, false) as is_shown
    from said
    semi join several using (person_id)
    join matched.persons using (person_id)
    qualify not said.is_alone or said.place = min(said.place) over (partition by said.person_id)
),
region as (
    select person_id, country, min((place, not is_shown)) as merit,
           string_agg(indication, ', ' order by place) as indications
    from (select person_id, country, indication, place, bool_or(is_shown) as is_shown from ordered group by all)
    group by all
)
select person_id,
       coalesce(least, least_alone) as region,
       false as is_disputed,
       [coalesce(least, least_alone) || ' (' || words.indications || ')'] as indications
from person
anti join several using (person_id)
join words on words.places = coalesce(person.places, 1 << place_alone)
union all
select person_id,
       string_agg(country, '+' order by merit, country),
       count(*) > 1,
       list(country || ' (' || indications || ')' order by merit, country)
from region
group by person_id
