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
said as (
    -- Every record of the person counts, not only the one whose country matched.persons shows; that one goes first.
    select person_rows.person_id, 'country' as indication, contacts.country,
           max(contacts.country is not distinct from persons.country) as is_shown
    from matched.person_rows
    join staging.contacts using (row_id)
    join matched.persons on persons.person_id = person_rows.person_id
    where person_rows.entity = 'contacts'
    group by all
    union all
    select person_keys.person_id, 'mobile',
           case when person_keys.key_value like '+86%' then 'CN' else mobile_country.country end as country,
           max(person_keys.key_value is not distinct from persons.mobile)
    from matched.person_keys
    join matched.persons using (person_id)
    left join mobile_country on mobile_country.mobile = person_keys.key_value
    where person_keys.key_kind = 'mobile'
    group by all
    union all
    select person_accounts.person_id, 'company',
           coalesce(accounts.country, case when accounts.uscc is not null then 'CN' end), true
    from matched.person_accounts
    join resolved.accounts using (account_id)
    where person_accounts.decision in ('auto', 'manual')
),
counted as (
    select said.person_id, said.indication, said.country, said.is_shown, rules.place
    from said
    join rules.region_indications as rules using (indication)
    where regexp_full_match(said.country, '[A-Z]{2}')
    qualify not rules.is_alone or rules.place = min(rules.place) over (partition by said.person_id)
),
region as (
    select person_id, country, min((place, not is_shown)) as merit,
           string_agg(indication, ', ' order by place) as indications
    from counted
    group by all
)
select person_id,
       string_agg(country, '+' order by merit, country) as region,
       count(*) > 1 as is_disputed,
       list(country || ' (' || indications || ')' order by merit, country) as indications
from region
group by person_id
