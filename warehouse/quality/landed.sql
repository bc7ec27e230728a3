-- One row per landed file and entity: what the suite `landed` judges.
with file as (
    select *, rows_in - rows_loaded - rows_quarantined - rows_skipped as rows_unaccounted
    from ops.files
    where status = 'loaded'
)
select file_name || ' (' || entity || ')' as subject,
       rows_unaccounted,
       case when rows_in > 0 then rows_quarantined / rows_in::double else 0.0 end as quarantine_share,
       landed_on::varchar as landed_on
from file
order by subject
