-- One row per change of state that sales reported on a lead.
-- grain: row_id
-- column: person_id | the person, where a key could be read
-- column: lead_id | the lead as the CRM names it; of one that was merged over there the one that stands for it
-- column: status | accepted, rejected, qualified, disqualified …, in lower case
-- column: reason | reason given
-- column: owner_id | who had it in the CRM then
-- column: changed_at | UTC
-- column: row_id | the row in staging.lead_status
select person_rows.person_id, coalesce(merged.new_id, lead_status.lead_id) as lead_id, lower(trim(lead_status.status)) as status, lead_status.reason,
       lead_status.owner_id, lead_status.changed_at, lead_status.row_id
from staging.lead_status
left join matched.person_rows on person_rows.entity = 'lead_status' and person_rows.row_id = lead_status.row_id
left join (select old_id, min(new_id) as new_id from staging.merged_ids where kind = 'key' group by all) as merged
    on merged.old_id = lead_status.lead_id
