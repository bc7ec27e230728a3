-- One row per person: the account they belong to today, why, and how sure that is. All they named: matched.employments.
-- grain: person_id
-- check: decision in ('auto', 'review', 'manual', 'none')
-- check: (decision = 'none') = (account_id is null)
-- check: confidence between 0 and 1
-- column: person_id | the person
-- column: account_id | the account; null where none
-- column: decision | auto, review, manual or none
-- column: method | what decided: remembered, code, domain, name, …; for none why
-- column: confidence | probability that the account is right, 0..1
-- column: evidence | features the two have in common or against them
-- column: runner_up_account_id | the next best account; for none the nearest
-- column: margin | how much surer the first is than the second
-- column: tie_break | what set the first before an equal second
-- column: relation | the account is the company named (same), a branch or company of its group (branch), its head office or group (parent)
-- column: decision_id | the remembered decision in the ledger; null without
-- column: profile_id | the description of the employer that was matched
-- column: new_account_id | the new account made for it until the directory knows the company; matched.new_accounts
-- column: config_hash | the rules
-- column: as_of | the day
select person_id, account_id, decision, method, confidence, evidence, runner_up_account_id, margin, tie_break, relation,
       decision_id, profile_id, new_account_id, policy.config_hash, policy.as_of
from matched.employments
cross join matched.match_policy as policy
where is_decisive
