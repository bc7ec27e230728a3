-- One row per person and key of the companies they belong to, so that "do not contact this company" holds for its people.
-- grain: key_kind, key_value, person_id
-- kind: view
-- published: no
-- column: key_kind | uscc or domain
-- column: key_value | code of the company, or its own domain
-- column: person_id | who belongs to it, by a match that is decided or in doubt, or by their own address
select 'uscc' as key_kind, accounts.uscc as key_value, person_accounts.person_id
from matched.person_accounts
join resolved.accounts using (account_id)
where accounts.uscc is not null
union
select 'uscc', uscc, person_id from matched.persons where uscc is not null
union
select 'domain', domain.domain, person_accounts.person_id
from matched.person_accounts
join (select account_id, unnest(domains) as domain from resolved.accounts) as domain using (account_id)
union
select 'domain', company_domain, person_id from matched.persons where company_domain is not null
