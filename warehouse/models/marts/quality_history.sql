-- One row per source, entity and landing day: what came, what was refused, mended and settled since, how it differed.
-- grain: source, entity, landed_on
-- check: refused_rows = open_rows + healed_rows
-- column: source | the source; (unknown) for files of no kind
-- column: entity | what the rows are
-- column: landed_on | the day they were landed
-- column: files | files landed
-- column: files_refused | of them refused as a whole
-- column: rows_in | records read
-- column: rows_loaded | records in raw
-- column: rows_skipped | records left out by a rule, such as totals
-- column: refused_rows | rows refused, on reading or for a value they cannot live without
-- column: open_rows | of them waiting for correction
-- column: healed_rows | of them settled by a later file
-- column: repaired | values mended
-- column: emptied | values that became null
-- column: flagged | values kept but marked
-- column: refused_share | refused rows of the records read
-- column: filled_share | cells with a value, over the columns that we know
-- column: regions | provinces seen
-- column: first_on | earliest day in a column of days
-- column: last_on | latest day
-- column: differences | differences to the snapshot before: held, accepted or only told
-- column: held | of them held now
-- column: least_encoding_confidence | how sure the encoding of the least certain file is, 0..1
with file as (
    select coalesce(nullif(source, ''), '(unknown)') as source, entity, landed_on, count(*) as files,
           count(*) filter (status = 'refused') as files_refused, sum(rows_in)::bigint as rows_in,
           sum(rows_loaded)::bigint as rows_loaded, sum(rows_skipped)::bigint as rows_skipped,
           min(encoding_confidence) as least_encoding_confidence
    from ops.files
    group by all
),
refusal as (
    select source, entity, landed_on, file_sha, sheet, coalesce(record, line) as place, true as is_open
    from quality.quarantine
    union all
    select source, entity, landed_on, file_sha, sheet, coalesce(record, line), false
    from quality.healed
),
-- A row has one fate: with a reason still open it is open.
refused_row as (
    select source, entity, landed_on, bool_or(is_open) as is_open
    from refusal
    group by source, entity, landed_on, file_sha, sheet, place
),
refused as (
    select source, entity, landed_on, count(*) as refused_rows, count(*) filter (is_open) as open_rows
    from refused_row
    group by all
),
mended as (
    select source, entity, landed_on, count(*) filter (action = 'repair') as repaired,
           count(*) filter (action = 'null_value') as emptied, count(*) filter (action = 'flag') as flagged
    from quality.repairs
    group by all
),
column_share as (
    select snapshot_id, sum(filled) as filled, count(*) as columns, min(first_on) as first_on, max(last_on) as last_on
    from quality.snapshot_columns
    where not is_extra
    group by snapshot_id
),
region as (
    select snapshot_id, list(value) as regions from quality.snapshot_values where column_name = 'region' group by all
),
snapshot as (
    select snapshot.source, snapshot.entity, snapshot.landed_on,
           sum(column_share.filled) / nullif(sum(snapshot.row_count * column_share.columns), 0) as filled_share,
           len(list_distinct(flatten(list(coalesce(region.regions, []))))) as regions,
           min(column_share.first_on) as first_on, max(column_share.last_on) as last_on
    from quality.snapshots as snapshot
    left join column_share using (snapshot_id)
    left join region using (snapshot_id)
    group by all
),
difference as (
    select source, entity, landed_on, count(*) as differences, count(*) filter (state = 'held') as held
    from quality.differences
    where snapshot_id is not null
    group by all
)
select source, entity, landed_on, files, files_refused, rows_in, rows_loaded, rows_skipped,
       coalesce(refused_rows, 0) as refused_rows, coalesce(open_rows, 0) as open_rows,
       coalesce(refused_rows - open_rows, 0) as healed_rows,
       coalesce(repaired, 0) as repaired, coalesce(emptied, 0) as emptied, coalesce(flagged, 0) as flagged,
       coalesce(refused_rows, 0) / nullif(rows_in, 0)::double as refused_share,
       filled_share, coalesce(regions, 0) as regions, first_on, last_on,
       coalesce(differences, 0) as differences, coalesce(held, 0) as held, least_encoding_confidence
from file
left join refused using (source, entity, landed_on)
left join mended using (source, entity, landed_on)
left join snapshot using (source, entity, landed_on)
left join difference using (source, entity, landed_on)
