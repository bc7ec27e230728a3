-- One row per person and part they take in a purchase, with what says so.
-- grain: person_id, role
-- column: person_id | the person
-- column: role | the role, as in rules.buying_roles
-- column: reason | seniority, department, or the role noted on a deal
with held as (
    select persons.person_id, buying_roles.role, 2 as place,
           concat_ws(', ', case when len(seniorities) > 0 then persons.seniority end,
                           case when len(departments) > 0 then persons.department end) as reason
    from matched.persons
    join rules.buying_roles
        on len(seniorities) + len(departments) > 0
        and (len(seniorities) = 0 or list_contains(seniorities, persons.seniority))
        -- A department that was understood is one word; what was only noted holds the word somewhere.
        and (len(departments) = 0
             or list_contains(departments, lower(trim(persons.department)))
             or len(list_filter(departments, lambda word:
                    not regexp_full_match(word, '[ -~]*') and contains(lower(persons.department), word))) > 0)
    union all
    select deal_contacts.person_id, buying_roles.role, 1, 'deal ' || deal_contacts.deal_id || ': ' || deal_contacts.role
    from core.deal_contacts
    join rules.buying_roles
        on len(list_filter(deal_roles, lambda word: contains(lower(deal_contacts.role), word))) > 0
    where deal_contacts.person_id is not null
)
select person_id, role, first(reason order by place, reason) as reason
from held
group by person_id, role
