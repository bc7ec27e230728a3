-- One row per match that waits for a person's decision: the least certain with the most at stake first (by position).
-- grain: person_id
-- column: position | order in which to work
-- column: person_id | the person
-- column: person_name | name
-- column: company_name | company as given
-- column: email | mail address
-- column: account_id | the account proposed
-- column: account_name | its name
-- column: account_city | its city
-- column: confidence | probability that it is right
-- column: method | what speaks for it
-- column: evidence | features for and against
-- column: runner_up_account_id | the other that it may be
-- column: runner_up_name | its name
-- column: stake | deals twice, touches and contact rows once
-- column: alike | people in the queue who describe their company alike: an accepted name settles them all
select row_number() over (order by queue.priority desc, queue.stake desc, queue.confidence, queue.person_id) as position,
       queue.person_id, persons.name as person_name, persons.company_name, persons.email,
       queue.account_id, accounts.name as account_name, accounts.city as account_city,
       queue.confidence, matches.method, matches.evidence,
       queue.runner_up_account_id, runner_up.name as runner_up_name, queue.stake, queue.alike
from matched.review_queue as queue
join matched.persons using (person_id)
join matched.person_accounts as matches using (person_id)
left join resolved.accounts on accounts.account_id = queue.account_id
left join resolved.accounts as runner_up on runner_up.account_id = queue.runner_up_account_id
