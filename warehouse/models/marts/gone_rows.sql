-- One row per record that the newest whole list of its source no longer has: noted, never deleted.
-- grain: entity, row_id
-- column: entity | what the record is
-- column: row_id | source and source key of the record
-- column: source | the source whose whole list it was in
-- column: last_seen_on | the landing day of the last list that had it
-- column: gone_on | the landing day of the first sound list without it
-- column: account_id | the account it belongs to, for companies
-- column: other_members | directory rows that the account has beside it; 0 where nobody else knows the company
with whole_list as (
    select entity, source, snapshot_id, landed_on, source_date, file_shas,
           row_number() over (
               partition by entity, source order by landed_on desc, source_date desc nulls last, snapshot_id
           ) as age
    from quality.snapshots
    where mode = 'full' and state not in ('held', 'superseded')
),
held as (
    select entity, source, unnest(file_shas) as file_sha from whole_list where age = 1
),
gone as (
    select row.entity, row.row_id, row.source, row.landed_on as last_seen_on
    from staging.source_rows as row
    semi join (select entity, source from whole_list where age > 1) as listed
        on listed.entity = row.entity and listed.source = row.source
    anti join held on held.entity = row.entity and held.source = row.source and held.file_sha = row.file_sha
),
member as (
    select row_id, account_id, count(*) over (partition by account_id) - 1 as other_members
    from resolved.account_members
    where account_id in (select account_id from resolved.account_members semi join gone using (row_id))
)
select gone.entity, gone.row_id, gone.source, gone.last_seen_on,
       (select min(landed_on) from whole_list
        where whole_list.entity = gone.entity and whole_list.source = gone.source
            and whole_list.landed_on > gone.last_seen_on) as gone_on,
       member.account_id, member.other_members
from gone
left join member on gone.entity = 'companies' and member.row_id = gone.row_id
