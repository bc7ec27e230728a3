-- One row per entry of a deal into a stage.
-- grain: deal_id, stage, entered_at
-- column: deal_id | the deal
-- column: stage | the CRM's stage
-- column: status | won, lost or open, by the words of `attribution.yaml`
-- column: entered_at | when it entered the stage, UTC
select distinct coalesce(merged_deals.deal_id, history.deal_id) as deal_id, history.stage, coalesce(stages.status, 'open') as status, history.entered_at
from staging.deal_stages as history
left join core.merged_deals on merged_deals.old_deal_id = history.deal_id
left join rules.deal_stages as stages on stages.word = regexp_replace(lower(history.stage), '[\s_-]', '', 'g')
where history.deal_id is not null and history.stage is not null and history.entered_at is not null
