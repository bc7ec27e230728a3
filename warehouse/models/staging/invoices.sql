-- One row per invoice as one source tells it.
-- grain: row_id
-- column: invoice_id | id of the invoice
-- column: order_id | the order
-- column: issued_on | day of issue
-- column: amount | amount
-- column: currency | ISO code; null where none is given
-- column: is_deleted | deleted, voided or archived over there: kept, and in no total
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | the record's key in its source
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day this version was landed
-- column: first_landed_on | the day the record was first landed
-- column: versions | rows of this record that were kept, of which this is the latest
-- column: row_hash | the row's hash in raw
-- column: file_sha | its file
-- column: sheet | its sheet
-- column: line | its line
-- column: extra | JSON of unknown columns
with kept as (
    select received.rowid as place, received.source, coalesce(case when invoice_id_read.value is null then received.invoice_id else invoice_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.invoices as received
    left join staging.parsed_ids as invoice_id_read on invoice_id_read.value = received.invoice_id
    anti join (select row_hash from staging.rejected_rows where entity = 'invoices') as rejected on rejected.row_hash = received.row_hash
),
latest as (
    select place, source || ':' || source_key as row_id, source_key, min(landed_on) over record as first_landed_on,
           count(*) over record as versions
    from kept
    window record as (partition by source, source_key)
    qualify row_number() over (
        partition by source, source_key
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
)
select case when invoice_id_read.value is null then received.invoice_id else invoice_id_read.id end as invoice_id,
       case when order_id_read.value is null then received.order_id else order_id_read.id end as order_id,
       issued_on_read.day as issued_on,
       amount_read.amount,
       coalesce(currency_read.currency, amount_read.currency) as currency,
       coalesce(is_deleted_read.flag, false) as is_deleted,
       latest.row_id,
       received.source,
       latest.source_key,
       received.source_rank,
       received.source_date,
       received.landed_on,
       latest.first_landed_on,
       latest.versions,
       received.row_hash,
       received.file_sha,
       received.sheet,
       received.line,
       received.extra
from latest
join raw.invoices as received on received.rowid = latest.place
left join staging.parsed_ids as invoice_id_read on invoice_id_read.value = received.invoice_id
left join staging.parsed_ids as order_id_read on order_id_read.value = received.order_id
left join staging.parsed_times as issued_on_read on issued_on_read.value = received.issued_on
left join staging.parsed_amounts as amount_read on amount_read.value = received.amount
left join staging.parsed_currencies as currency_read on currency_read.value = received.currency
left join staging.parsed_booleans as is_deleted_read on is_deleted_read.value = received.is_deleted
