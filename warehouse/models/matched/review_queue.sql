-- One row per person whose match waits for someone to decide, the least certain with the most at stake first.
-- grain: person_id
-- column: person_id | the person
-- column: account_id | the account proposed
-- column: confidence | probability that it is right
-- column: runner_up_account_id | the other that it may be
-- column: stake | deals of the person twice, touches and contact rows once
-- column: alike | people in the queue who describe their company alike: an accepted name settles them all
-- column: priority | stake of all of them times doubt: the higher, the earlier
with stake as (
    select person_id, sum(case entity when 'deals' then 2 when 'deal_contacts' then 2 else 1 end) as stake
    from matched.person_rows
    where entity in ('contacts', 'touches', 'deals', 'deal_contacts')
    group by all
)
select matches.person_id, matches.account_id, matches.confidence, matches.runner_up_account_id,
       coalesce(stake.stake, 0) as stake,
       count(*) over alike as alike,
       -- Doubt is greatest at one half and none at 0 and 1.
       sum(coalesce(stake.stake, 0)) over alike * (1 - abs(2 * matches.confidence - 1)) as priority
from matched.person_accounts as matches
left join stake using (person_id)
where matches.decision = 'review'
window alike as (partition by coalesce(matches.profile_id, matches.person_id), matches.decision)
