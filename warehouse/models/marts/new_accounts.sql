-- One row per company that people name and the directory lacks: what to look up first (by position), most at stake first.
-- grain: account_id
-- column: position | order in which to look them up
-- column: account_id | the new account; leads to the real one once a list names the company (matched.new_account_redirects)
-- column: name | company as most people write it
-- column: city | city, where its people agree
-- column: domain | domain, where its people agree
-- column: people | persons who name it
-- column: touches | what they did
-- column: deals | deals of theirs
-- column: made_by | person: somebody decided that it is a company of its own; rule: the name is that of a company
-- column: known_since | day from which it is known
with touched as (
    select party_id as account_id, count(*) as touches from core.touches where not is_future group by party_id
),
dealt as (
    select party_id as account_id, count(*) as deals from core.deals group by party_id
)
select row_number() over (
           order by coalesce(deals, 0) desc, coalesce(touches, 0) desc, people desc, made_by, account_id
       ) as position,
       account_id, name, city, domain, people, coalesce(touches, 0) as touches, coalesce(deals, 0) as deals, made_by,
       known_since
from matched.new_accounts
left join touched using (account_id)
left join dealt using (account_id)
