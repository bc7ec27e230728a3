-- One row per credit, opened to names: which touch of which campaign earned what of which deal.
-- kind: view
-- published: view
-- grain: deal_id, party_id, touch_id, model, basis
-- column: deal_id | the deal
-- column: deal_name | its name
-- column: deal_status | won, lost, open
-- column: party_id | its company, or its person; of a split deal the part's company
-- column: account_id | the party where it is a company of the CRM: of a split deal the part's
-- column: account_name | the company's name
-- column: touch_id | the touch; null where nothing earned the amount
-- column: occurred_at | when it happened, UTC
-- column: touch_type | what happened
-- column: person_id | who
-- column: person_name | name, masked when published
-- column: campaign_id | campaign, '(its channel)' or '(unattributed)'
-- column: campaign_name | the campaign's name
-- column: channel | channel
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: weight | share of the deal
-- column: credit | in the workspace's currency
-- column: anchors | anchors that fall on the touch
-- column: reason | how it came to its weight
select credits.deal_id, deals.name as deal_name, deals.status as deal_status, credits.party_id,
       accounts.account_id, accounts.name as account_name, credits.touch_id, touches.occurred_at, touches.type as touch_type,
       touches.person_id, persons.name as person_name, credits.campaign_id,
       coalesce(campaigns.name, credits.campaign_id) as campaign_name, credits.channel, credits.model, credits.basis,
       credits.weight, credits.credit, credits.anchors, credits.reason
from scored.credits
left join core.deals using (deal_id)
left join resolved.accounts on accounts.account_id = credits.party_id
left join core.touches on touches.touch_id = credits.touch_id
left join matched.persons on persons.person_id = touches.person_id
left join core.campaigns on campaigns.campaign_id = credits.campaign_id
