-- One row per person and account that came near, best first.
-- grain: person_id, rank
-- column: person_id | the person
-- column: account_id | the account
-- column: rank | 1 is the nearest
-- column: score | confidence of the pair by itself
-- column: rule | the rule of match.yaml that gave it
-- column: features | what the two have in common or against them
select matches.person_id, candidates.account_id, candidates.rank, candidates.score, candidates.rule, candidates.features
from matched.person_accounts as matches
join matched.profile_candidates as candidates using (profile_id)
