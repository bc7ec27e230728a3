-- One row per deal row that names a company, and the account that is meant.
-- grain: deal_row_id
-- column: deal_row_id | the row in staging.deals
-- column: deal_id | as the CRM names it
-- column: account_id | the account; null where none or several bear what is given
-- column: method | code, crm_id, name, alias; ambiguous, unknown
-- column: evidence | what was given
select row_id as deal_row_id, deal_id, account_id, method, evidence
from resolved.company_mentions
join staging.deals using (row_id)
where entity = 'deals'
