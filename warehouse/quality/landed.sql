-- One row per landed file and entity, and per snapshot with what of it is held: what the suite `landed` judges.
with file as (
    select file_name || ' (' || entity || ')' as subject, file_sha, entity,
           rows_in - rows_loaded - rows_quarantined - rows_skipped as rows_unaccounted, landed_on
    from ops.files
    where status = 'loaded'
),
share as (
    select file_sha, entity, after as refused_share
    from quality.differences
    where kind = 'refused_share' and state in ('noted', 'held')
),
held as (
    select snapshot_id, kind from quality.differences where state = 'held' and snapshot_id is not null
)
select subject, rows_unaccounted, coalesce(refused_share, 0.0) as refused_share, case when landed_on is not null then 'known' end as landed_on,
       0 as rows_fell,
       0 as rows_grew,
       0 as region_vanished,
       0 as column_emptied,
       0 as column_added,
       0 as column_dropped,
       0 as column_retyped,
       0 as values_changed
from file
left join share using (file_sha, entity)
union all
select file_names[-1] || ' (' || entity || ')', 0, 0.0, 'known',
       count(*) filter (kind = 'rows_fell'),
       count(*) filter (kind = 'rows_grew'),
       count(*) filter (kind = 'region_vanished'),
       count(*) filter (kind = 'column_emptied'),
       count(*) filter (kind = 'column_added'),
       count(*) filter (kind = 'column_dropped'),
       count(*) filter (kind = 'column_retyped'),
       count(*) filter (kind = 'values_changed')
from quality.snapshots
join held using (snapshot_id)
group by snapshot_id, file_names, entity
order by subject
