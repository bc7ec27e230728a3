-- One row per person: the account for which what they do counts, or else they themselves.
-- grain: person_id
-- column: person_id | the person
-- column: account_id | their company, where the match is decided; null otherwise
-- column: party_id | account_id, else the new account made for their company, else 'person:' and the person
-- column: is_excluded | own staff, competitor, test user: their touches earn nothing
select persons.person_id,
       coalesce(redirects.account_id, decided.account_id) as account_id,
       coalesce(redirects.account_id, decided.account_id, matches.new_account_id, 'person:' || persons.person_id) as party_id,
       coalesce(persons.is_excluded, false) as is_excluded
from matched.persons
left join matched.person_accounts as matches on matches.person_id = persons.person_id
left join matched.person_accounts as decided
    on decided.person_id = persons.person_id and decided.decision in ('auto', 'manual')
left join resolved.account_redirects as redirects on redirects.old_account_id = decided.account_id
