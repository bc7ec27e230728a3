-- One row per lead: a person at the company they are matched to, from their first sign of life on.
-- Whoever is known as a contact, by a touch or by a deal is at least an inquiry; leads without a company stay.
-- grain: lead_id
-- check: party_id is not null
-- check: inquiry_at is not null
-- column: lead_id | our name of the lead, made from the person's
-- column: person_id | the person
-- column: account_id | the company, where the match is decided; null otherwise
-- column: party_id | the company, else the new account made for it, else 'person:' and the person
-- column: person_key | keyed hash of the person's strong key that was landed first; outlives merges of persons
-- column: inquiry_at | first sign of life: contact created, or first touch that is not in the future, else the day it was landed; UTC
-- column: first_touch_id | the earliest touch; null without touches
-- column: first_campaign_id | its campaign
-- column: first_channel | its channel, else the contact's lead source; null stays a group of its own
-- column: source | lead source the contact came with
-- column: decision | decision on the match person to account
-- column: is_new_account | whether a new account was made for the company, which the directory lacks
-- column: is_contactable | whether there is an e-mail address or a mobile number
-- column: is_excluded | own staff, competitor, student, test user: counted, never scored
-- column: exclusion_kind | own_staff, competitor, student, test_user or other; null where not excluded
-- column: exclusion_reason | why excluded: the list, or the rule and its word
with contact as (
    select person_rows.person_id, min(contacts.created_at) filter (contacts.created_at <= $at) as created_at
    from matched.person_rows
    join staging.contacts on contacts.row_id = person_rows.row_id
    where person_rows.entity = 'contacts'
    group by all
),
first_touch as (
    select person_id,
           min(occurred_at) as touched_at,
           arg_min(touch_id, (occurred_at, touch_id)) as touch_id,
           first(campaign_id order by occurred_at, touch_id) as campaign_id,
           first(channel order by occurred_at, touch_id) as channel
    from core.touches
    where not is_future and occurred_at <= $at and person_id is not null
    group by all
),
deal as (
    select person_id, min(coalesce(lead_created_at, created_at, closed_at)) as opened_at
    from core.deals
    where person_id is not null and coalesce(lead_created_at, created_at, closed_at) <= $at
    group by all
),
strong_key as (
    select person_id, first(key_hash order by first_landed_on, key_kind, key_value) as person_key
    from matched.person_keys
    where is_strong
    group by all
),
excluded as (
    select persons.person_id,
           first(exclusions.who order by exclusions.position, exclusions.kind, exclusions.word) as who,
           first(exclusions.kind || ': ' || exclusions.word
                 order by exclusions.position, exclusions.kind, exclusions.word) as reason
    from matched.persons
    join rules.exclusions
        on (exclusions.kind = 'email_domain'
            and (lower(persons.email) like '%@' || replace(exclusions.word, '*', '%')
                 or lower(persons.email) like '%@%.' || replace(exclusions.word, '*', '%')))
        or (exclusions.kind = 'company_word' and contains(lower(persons.company_name), exclusions.word))
        or (exclusions.kind = 'name_word' and contains(lower(persons.name), exclusions.word))
        or (exclusions.kind = 'title' and ends_with(lower(trim(persons.title)), exclusions.word))
        or (exclusions.kind = 'list_word' and persons.is_excluded
            and contains(lower(persons.exclusion_reason), exclusions.word))
    group by persons.person_id
)
select 'L' || substr(persons.person_id, 2) as lead_id,
       persons.person_id,
       parties.account_id,
       parties.party_id,
       strong_key.person_key,
       coalesce(least(contact.created_at, first_touch.touched_at),
                least(persons.first_seen_at, deal.opened_at)) as inquiry_at,
       first_touch.touch_id as first_touch_id,
       first_touch.campaign_id as first_campaign_id,
       case when first_touch.touch_id is not null then first_touch.channel else persons.lead_source end as first_channel,
       persons.lead_source as source,
       coalesce(matches.decision, 'none') as decision,
       matches.new_account_id is not null as is_new_account,
       persons.email is not null or persons.mobile is not null as is_contactable,
       parties.is_excluded or excluded.reason is not null as is_excluded,
       coalesce(excluded.who, case when parties.is_excluded then 'other' end) as exclusion_kind,
       coalesce(persons.exclusion_reason, excluded.reason) as exclusion_reason
from matched.persons
join core.person_parties as parties using (person_id)
left join matched.person_accounts as matches using (person_id)
left join contact using (person_id)
left join first_touch using (person_id)
left join deal using (person_id)
left join strong_key using (person_id)
left join excluded using (person_id)
where contact.person_id is not null or first_touch.person_id is not null or deal.person_id is not null
