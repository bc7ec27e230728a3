-- One row per touch that may earn credit: known time, not in the future, by someone who is not excluded.
-- kind: view
-- published: view
-- grain: touch_id
-- column: touch_id | the touch
-- column: party_id | the account, or the person without one
-- column: person_id | who
-- column: campaign_id | campaign; null for website and direct touches
-- column: channel | channel
-- column: type | what happened
-- column: occurred_at | UTC
select touches.touch_id, touches.party_id, touches.person_id, touches.campaign_id, touches.channel, touches.type,
       touches.occurred_at
from core.touches
left join core.person_parties as parties using (person_id)
left join scored.leads using (person_id)
where not touches.is_future and not coalesce(parties.is_excluded, false) and not coalesce(leads.is_excluded, false)
