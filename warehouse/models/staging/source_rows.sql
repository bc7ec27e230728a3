-- One row per staging row: the file and line it came from, so that every number opens into rows.
-- follows: staging.companies by row_id where entity = 'companies'
-- kind: view
-- column: entity | the entity
-- column: row_id | names the record
-- column: source | its source
-- column: source_key | its key in the source
-- column: landed_on | the day it was landed
-- column: file_sha | its file; ops.files has the name
-- column: sheet | its sheet
-- column: line | its line
-- column: row_hash | the row's hash in raw
select 'companies' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.companies
union all
select 'contacts' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.contacts
union all
select 'campaigns' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.campaigns
union all
select 'costs' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.costs
union all
select 'touches' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.touches
union all
select 'consents' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.consents
union all
select 'owners' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.owners
union all
select 'deals' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.deals
union all
select 'deal_stages' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.deal_stages
union all
select 'deal_contacts' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.deal_contacts
union all
select 'deal_splits' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.deal_splits
union all
select 'merges' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.merges
union all
select 'orders' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.orders
union all
select 'invoices' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.invoices
union all
select 'payments' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.payments
union all
select 'fx_rates' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.fx_rates
union all
select 'activities' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.activities
union all
select 'lead_status' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.lead_status
union all
select 'qualifications' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.qualifications
union all
select 'lists' as entity, row_id, source, source_key, landed_on, file_sha, sheet, line, row_hash from staging.lists
