-- One row per deal that was merged into another in the CRM: what hangs on it hangs on the other one.
-- grain: old_deal_id
-- published: no
-- column: old_deal_id | the deal that is no more
-- column: deal_id | the deal that stands for it
-- column: merged_on | the day on which that was known
select old_id as old_deal_id, min(new_id) as deal_id, min(merged_on) as merged_on
from staging.merged_ids
where kind = 'deal'
group by old_id
