-- One row per deal that was merged into another in the CRM: what hangs on it hangs on the other one. Where nothing is
-- known of the other one, the deal is kept, and told in marts.suspense: no money goes for a merge into nowhere.
-- grain: old_deal_id
-- published: no
-- column: old_deal_id | the deal that is no more
-- column: deal_id | the deal that stands for it
-- column: merged_on | the day on which that was known, of both deals
with merge as (select * from staging.merged_ids where kind = 'deal'),
known as (select deal_id, min(first_landed_on) as known_on from staging.deals where deal_id is not null group by all)
select merge.old_id as old_deal_id, min(merge.new_id) as deal_id,
       min(greatest(merge.merged_on, known.known_on)) as merged_on
from merge
join known on known.deal_id = merge.new_id
anti join merge as given_up on given_up.old_id = merge.new_id
group by merge.old_id
