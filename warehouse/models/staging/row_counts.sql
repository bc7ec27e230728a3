-- One row per entity: where its raw rows are now. Nothing is lost: raw = staging + superseded + rejected.
-- grain: entity
-- check: raw_rows = staging_rows + superseded_rows + rejected_rows
-- column: entity | the entity
-- column: raw_rows | rows landed
-- column: staging_rows | records, each in its latest version
-- column: superseded_rows | older versions of those records
-- column: rejected_rows | rows that were refused
with rejected as (
    select distinct entity, row_hash from staging.rejected_rows
)
select 'companies' as entity, (select count(*) from raw.companies) as raw_rows,
       (select count(*) from staging.companies) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.companies)::bigint as superseded_rows,
       (select count(*) from raw.companies semi join rejected on rejected.entity = 'companies' and rejected.row_hash = companies.row_hash) as rejected_rows
union all
select 'contacts' as entity, (select count(*) from raw.contacts) as raw_rows,
       (select count(*) from staging.contacts) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.contacts)::bigint as superseded_rows,
       (select count(*) from raw.contacts semi join rejected on rejected.entity = 'contacts' and rejected.row_hash = contacts.row_hash) as rejected_rows
union all
select 'campaigns' as entity, (select count(*) from raw.campaigns) as raw_rows,
       (select count(*) from staging.campaigns) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.campaigns)::bigint as superseded_rows,
       (select count(*) from raw.campaigns semi join rejected on rejected.entity = 'campaigns' and rejected.row_hash = campaigns.row_hash) as rejected_rows
union all
select 'costs' as entity, (select count(*) from raw.costs) as raw_rows,
       (select count(*) from staging.costs) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.costs)::bigint as superseded_rows,
       (select count(*) from raw.costs semi join rejected on rejected.entity = 'costs' and rejected.row_hash = costs.row_hash) as rejected_rows
union all
select 'touches' as entity, (select count(*) from raw.touches) as raw_rows,
       (select count(*) from staging.touches) - (select count(*) from staging.event_touches) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.touches)::bigint as superseded_rows,
       (select count(*) from raw.touches semi join rejected on rejected.entity = 'touches' and rejected.row_hash = touches.row_hash) as rejected_rows
union all
select 'events' as entity, (select count(*) from raw.events) as raw_rows,
       (select count(*) from staging.event_facts where fate not in ('refused', 'duplicate')) as staging_rows,
       (select count(*) from staging.event_facts where fate = 'duplicate') as superseded_rows,
       (select count(*) from staging.event_facts where fate = 'refused') as rejected_rows
union all
select 'consents' as entity, (select count(*) from raw.consents) as raw_rows,
       (select count(*) from staging.consents) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.consents)::bigint as superseded_rows,
       (select count(*) from raw.consents semi join rejected on rejected.entity = 'consents' and rejected.row_hash = consents.row_hash) as rejected_rows
union all
select 'owners' as entity, (select count(*) from raw.owners) as raw_rows,
       (select count(*) from staging.owners) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.owners)::bigint as superseded_rows,
       (select count(*) from raw.owners semi join rejected on rejected.entity = 'owners' and rejected.row_hash = owners.row_hash) as rejected_rows
union all
select 'deals' as entity, (select count(*) from raw.deals) as raw_rows,
       (select count(*) from staging.deals) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.deals)::bigint as superseded_rows,
       (select count(*) from raw.deals semi join rejected on rejected.entity = 'deals' and rejected.row_hash = deals.row_hash) as rejected_rows
union all
select 'deal_stages' as entity, (select count(*) from raw.deal_stages) as raw_rows,
       (select count(*) from staging.deal_stages) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.deal_stages)::bigint as superseded_rows,
       (select count(*) from raw.deal_stages semi join rejected on rejected.entity = 'deal_stages' and rejected.row_hash = deal_stages.row_hash) as rejected_rows
union all
select 'deal_contacts' as entity, (select count(*) from raw.deal_contacts) as raw_rows,
       (select count(*) from staging.deal_contacts) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.deal_contacts)::bigint as superseded_rows,
       (select count(*) from raw.deal_contacts semi join rejected on rejected.entity = 'deal_contacts' and rejected.row_hash = deal_contacts.row_hash) as rejected_rows
union all
select 'deal_splits' as entity, (select count(*) from raw.deal_splits) as raw_rows,
       (select count(*) from staging.deal_splits) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.deal_splits)::bigint as superseded_rows,
       (select count(*) from raw.deal_splits semi join rejected on rejected.entity = 'deal_splits' and rejected.row_hash = deal_splits.row_hash) as rejected_rows
union all
select 'merges' as entity, (select count(*) from raw.merges) as raw_rows,
       (select count(*) from staging.merges) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.merges)::bigint as superseded_rows,
       (select count(*) from raw.merges semi join rejected on rejected.entity = 'merges' and rejected.row_hash = merges.row_hash) as rejected_rows
union all
select 'orders' as entity, (select count(*) from raw.orders) as raw_rows,
       (select count(*) from staging.orders) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.orders)::bigint as superseded_rows,
       (select count(*) from raw.orders semi join rejected on rejected.entity = 'orders' and rejected.row_hash = orders.row_hash) as rejected_rows
union all
select 'invoices' as entity, (select count(*) from raw.invoices) as raw_rows,
       (select count(*) from staging.invoices) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.invoices)::bigint as superseded_rows,
       (select count(*) from raw.invoices semi join rejected on rejected.entity = 'invoices' and rejected.row_hash = invoices.row_hash) as rejected_rows
union all
select 'payments' as entity, (select count(*) from raw.payments) as raw_rows,
       (select count(*) from staging.payments) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.payments)::bigint as superseded_rows,
       (select count(*) from raw.payments semi join rejected on rejected.entity = 'payments' and rejected.row_hash = payments.row_hash) as rejected_rows
union all
select 'fx_rates' as entity, (select count(*) from raw.fx_rates) as raw_rows,
       (select count(*) from staging.fx_rates) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.fx_rates)::bigint as superseded_rows,
       (select count(*) from raw.fx_rates semi join rejected on rejected.entity = 'fx_rates' and rejected.row_hash = fx_rates.row_hash) as rejected_rows
union all
select 'activities' as entity, (select count(*) from raw.activities) as raw_rows,
       (select count(*) from staging.activities) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.activities)::bigint as superseded_rows,
       (select count(*) from raw.activities semi join rejected on rejected.entity = 'activities' and rejected.row_hash = activities.row_hash) as rejected_rows
union all
select 'lead_status' as entity, (select count(*) from raw.lead_status) as raw_rows,
       (select count(*) from staging.lead_status) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.lead_status)::bigint as superseded_rows,
       (select count(*) from raw.lead_status semi join rejected on rejected.entity = 'lead_status' and rejected.row_hash = lead_status.row_hash) as rejected_rows
union all
select 'qualifications' as entity, (select count(*) from raw.qualifications) as raw_rows,
       (select count(*) from staging.qualifications) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.qualifications)::bigint as superseded_rows,
       (select count(*) from raw.qualifications semi join rejected on rejected.entity = 'qualifications' and rejected.row_hash = qualifications.row_hash) as rejected_rows
union all
select 'lists' as entity, (select count(*) from raw.lists) as raw_rows,
       (select count(*) from staging.lists) as staging_rows,
       (select coalesce(sum(versions - 1), 0) from staging.lists)::bigint as superseded_rows,
       (select count(*) from raw.lists semi join rejected on rejected.entity = 'lists' and rejected.row_hash = lists.row_hash) as rejected_rows
