-- One row per directory row and the account it belongs to, with the strongest evidence that ties it to the other rows.
-- An account bears the id of its row that was landed first, so new rows and new sources do not rename it. Rows without a
-- valid code, a registration number or a name belong to none.
-- follows: resolved.accounts by account_id
-- grain: row_id
-- check: method is not null
-- column: account_id | A and 16 hexadecimal digits of the hash of the naming row's source and source key
-- column: row_id | source and source key of the row
-- column: source | the row's source
-- column: source_key | the row's key in that source
-- column: landed_on | day the latest version of the row was landed
-- column: first_landed_on | day the row was landed first
-- column: method | what ties it to another row of the account: code, person, split, or how the names agree; alone
-- column: evidence | all that both rows have in common, and what they do not
-- column: code | the row's code, where it counts: valid, or repaired with a second row of code and name to support it
-- column: own_account_id | the id the account would bear if this row named it
-- column: tied_on | day by which both this row and the row it shares the evidence with were there
with ties as (
    -- Only of rows that came to stand together.
    select one_r, other_r, strength, method, evidence
    from resolved.links
    join resolved.clusters as one on one.r = one_r
    join resolved.clusters as other on other.r = other_r and other.root_r = one.root_r
    where verdict > 0
),
tied as (
    select one_r as r, other_r as with_r, strength, method, evidence from ties
    union all
    select other_r, one_r, strength, method, evidence from ties
),
company as (
    select hash(row_id) as r, row_id, 'A' || left(md5(row_id), 16) as own_account_id, source, source_key, source_rank,
           landed_on, first_landed_on, uscc, uscc_state,
           coalesce(name_key, name_en_key, registration_no) is not null as is_named
    from staging.companies
    where coalesce(name_key, name_en_key, registration_no) is not null or uscc_state in ('valid', 'repaired')
),
clustered as (
    select clusters.root_r, company.*
    from resolved.clusters
    join company using (r)
),
evidence as (
    select tied.r,
           min({'weakness': -strength, 'both_since': greatest(one.first_landed_on, other.first_landed_on),
                'method': method, 'evidence': evidence}) as best,
           bool_or(method = 'code') as is_code_supported
    from tied
    join clustered as one on one.r = tied.r
    join clustered as other on other.r = tied.with_r
    group by tied.r
),
named as (
    select root_r,
           arg_min(own_account_id, {'day': first_landed_on, 'rank': coalesce(source_rank, 2147483647), 'source': source, 'key': source_key})
               as account_id
    from clustered
    group by root_r
)
select coalesce(named.account_id, own_account_id) as account_id,
       row_id, source, source_key, landed_on, first_landed_on,
       coalesce(best.method, 'alone') as method,
       best.evidence,
       case when uscc_state = 'valid' or (uscc_state = 'repaired' and is_code_supported) then uscc end as code,
       own_account_id,
       case when best.method is not null then greatest(best.both_since, first_landed_on) end as tied_on
from company
left join resolved.clusters using (r)
left join named using (root_r)
left join evidence using (r)
where is_named or uscc_state = 'valid' or is_code_supported
