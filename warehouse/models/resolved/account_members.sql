-- One row per directory row and the account it belongs to, with the strongest evidence that ties it to the other rows.
-- An account bears the id of its row that was landed first, so new rows and new sources do not rename it.
-- follows: resolved.accounts by account_id
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
with ties as (
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
),
named as (
    select clusters.n, own_account_id as account_id
    from resolved.clusters
    join resolved.company_rows on company_rows.n = clusters.root_n
)
select coalesce(named.account_id, own_account_id) as account_id,
       row_id, source, source_key, landed_on, first_landed_on,
       coalesce(best.kind, 'alone') as method,
       best.key as evidence,
       code, own_account_id,
       case when best.kind is not null then greatest(best.both_since, first_landed_on) end as tied_on
from resolved.company_rows
left join named using (n)
left join evidence using (n)
