-- One row per directory row and the account it belongs to, with the strongest evidence that ties it to the other rows.
-- An account bears the id of its row that was landed first, so new rows and new sources do not rename it.
-- grain: row_id
-- check: method is not null
-- column: account_id | A and 16 hexadecimal digits of the hash of the naming row's source and source key
-- column: row_id | source and source key of the row
-- column: source | the row's source
-- column: source_key | the row's key in that source
-- column: landed_on | day the latest version of the row was landed
-- column: first_landed_on | day the row was landed first
-- column: method | what it shares with another row of the account: code, person, registration, name_city …; alone
-- column: evidence | the shared key
-- column: code | the row's code, where it counts
-- column: own_account_id | the id the account would bear if this row named it
-- column: tied_on | day by which both this row and a row that it shares the evidence with were there
with clustered as (
    select n, coalesce(root_n, n) as root_n from resolved.company_rows left join resolved.clusters using (n)
),
ties as (
    select root_n, kind, key_n,
           case when count(*) filter (first_landed_on = first_day) > 1 then first_day
                else min(first_landed_on) filter (first_landed_on > first_day) end as both_since
    from (
        select root_n, kind, key_n, first_landed_on,
               min(first_landed_on) over (partition by root_n, kind, key_n) as first_day
        from resolved.shared_keys
        join resolved.clusters using (n)
        join resolved.company_rows using (n)
    )
    group by root_n, kind, key_n, first_day
    having count(*) > 1
),
evidence as (
    select n, min({'strength': strength, 'key': key, 'kind': kind, 'both_since': both_since}) as best
    from resolved.shared_keys
    join resolved.clusters using (n)
    join ties using (root_n, kind, key_n)
    group by n
)
select root.own_account_id as account_id,
       member.row_id, member.source, member.source_key, member.landed_on, member.first_landed_on,
       coalesce(best.kind, 'alone') as method,
       best.key as evidence,
       member.code, member.own_account_id,
       greatest(best.both_since, member.first_landed_on) as tied_on
from clustered
join resolved.company_rows as member using (n)
join resolved.company_rows as root on root.n = clustered.root_n
left join evidence using (n)
