-- One row per person, with what lists are chosen by and what could leave on them. Read when a list is made, never published.
-- grain: person_id
-- kind: view
-- published: no
-- column: person_id | the person; the gate asks for their word
-- column: region | where the person is for the consent rules, as marts.person_regions has it; null is unknown
-- column: hold | why they are on no list whatever the consent: excluded, company_closed; null otherwise
-- column: name | name
-- column: title | title
-- column: department | department
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: email | mail address to use: another of their own where the first one is dead
-- column: is_dead_email | it bounced for good, and there is no other
-- column: is_own_email | the address identifies this one person
-- column: mobile | mobile number, E.164
-- column: is_own_mobile | the number identifies this one person
-- column: postcode | postal code, where a contact list has a column of that name
-- column: country | ISO 3166, or as given
-- column: account_id | the company; null where the match is undecided
-- column: company_name | the company's registered name, else as the person wrote it
-- column: industry_section | section of GB/T 4754
-- column: place_code | GB/T 2260 code of the company's place, else the person's
-- column: tags | of the company
-- column: tier | on the target list
-- column: is_customer | the company has a deal won
-- column: stage | of the lead today
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: reason | why the lead is at this stage
-- column: campaigns | that touched them
-- column: last_touch_on | day of the last touch, UTC
with own_key as (
    select person_id, key_kind, key_value
    from matched.person_keys
    group by all
    having bool_and(is_strong)
),
living_email as (
    select own_key.person_id, min(own_key.key_value) as email
    from own_key
    left join core.dead_addresses on dead_addresses.email = own_key.key_value
    where own_key.key_kind = 'email' and dead_addresses.email is null
    group by all
),
person as (
    select persons.* replace (
               case when dead_addresses.email is null then persons.email
                    else coalesce(living_email.email, persons.email) end as email
           ),
           dead_addresses.email is not null and living_email.email is null as is_dead_email
    from matched.persons
    left join core.dead_addresses on dead_addresses.email = persons.email
    left join living_email on living_email.person_id = persons.person_id
),
touched as (
    select person_id, list_sort(list(distinct campaign_id) filter (campaign_id is not null)) as campaigns,
           max(occurred_at)::date as last_touch_on
    from core.touches
    where not is_future and person_id is not null
    group by all
),
postal as (
    select person_rows.person_id,
           max(coalesce(contacts.extra ->> '$."邮编"', contacts.extra ->> '$."邮政编码"', contacts.extra ->> '$."Zip"',
                        contacts.extra ->> '$."Zip Code"', contacts.extra ->> '$."Postal Code"')) as postcode
    from matched.person_rows
    join staging.contacts using (row_id)
    where person_rows.entity = 'contacts' and contacts.extra is not null
    group by all
),
current_stage as (
    select lead_id, stage, reason from scored.lead_stages where is_current
)
select persons.person_id,
       person_regions.region,
       case when persons.is_excluded or leads.is_excluded then 'excluded'
            when accounts.status in ('revoked', 'cancelled') then 'company_closed'
       end as hold,
       persons.name,
       persons.title,
       persons.department,
       persons.seniority,
       persons.email,
       persons.is_dead_email,
       own_email.person_id is not null as is_own_email,
       persons.mobile,
       own_mobile.person_id is not null as is_own_mobile,
       postal.postcode,
       persons.country,
       leads.account_id,
       coalesce(accounts.name, persons.company_name) as company_name,
       accounts.industry_section,
       coalesce(places.district_code, places.city_code, places.province_code,
                persons.district_code, persons.city_code, persons.province_code) as place_code,
       accounts.tags,
       accounts.tier,
       accounts.won_deals > 0 as is_customer,
       current_stage.stage,
       grades.fit_grade,
       grades.engagement_band,
       current_stage.reason,
       touched.campaigns,
       touched.last_touch_on
from person as persons
left join marts.person_regions using (person_id)
left join scored.leads using (person_id)
left join current_stage using (lead_id)
left join scored.grades on grades.lead_id = leads.lead_id
left join marts.account_360 as accounts on accounts.account_id = leads.account_id
left join resolved.accounts as places on places.account_id = leads.account_id
left join touched on touched.person_id = persons.person_id
left join postal on postal.person_id = persons.person_id
left join own_key as own_email
    on own_email.person_id = persons.person_id and own_email.key_kind = 'email' and own_email.key_value = persons.email
left join own_key as own_mobile
    on own_mobile.person_id = persons.person_id and own_mobile.key_kind = 'mobile'
    and own_mobile.key_value = persons.mobile
