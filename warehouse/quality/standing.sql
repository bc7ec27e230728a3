-- One row per figure of what is about to be published: kept as quality.metrics, shown on the quality page.
select $as_of::date as as_of, metric, subject, value::double as value
from (
    select 'rows' as metric, entity as subject, staging_rows as value from staging.row_counts
    union all
    select 'accounts', '', count(*) from resolved.accounts
    union all
    select 'accounts_of_source', source, count(*)
    from (select unnest(sources) as source from resolved.accounts)
    group by source
    union all
    select 'grade', coalesce(grade, '(none)'), count(*) from resolved.account_fit group by all
    union all
    select 'match', coalesce(decision, '(none)'), count(*) from matched.person_accounts group by all
    union all
    select 'first_on', source || '/' || entity || '/' || column_name, min(first_on) - date '1970-01-01'
    from quality.snapshots join quality.snapshot_columns using (snapshot_id)
    where first_on is not null
    group by all
    union all
    select 'last_on', source || '/' || entity || '/' || column_name, max(last_on) - date '1970-01-01'
    from quality.snapshots join quality.snapshot_columns using (snapshot_id)
    where last_on is not null
    group by all
)
order by metric, subject
