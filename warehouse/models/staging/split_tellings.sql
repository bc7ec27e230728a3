-- One row per file, row of it and whether it splits the deal over companies or over sales people: who gets how much.
-- A split is told as a whole: its shares in one file come to 100 %, but for what rounding each of them may leave.
-- grain: axis, file_sha, row_hash
-- published: no
-- column: axis | account or owner: what the deal is split over; a row that names both splits it over both
-- column: deal_id | the deal
-- column: row_id | the row in staging.deal_splits, in whichever version
-- column: owner_id | sales person, where one is named
-- column: percent | 0 to 100
-- column: given | the share as received
-- column: told_percent | all shares of the deal in the file
-- column: is_whole | whether these are 100: off by no more than rounding leaves, and by one at most
-- column: source | the source it came from
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day the file was landed
-- column: sequence | orders files of one day
-- column: file_sha | the file
-- column: row_hash | the row's hash in raw
with received as (
    select file_sha, row_hash, any_value(deal_id) as deal_id, any_value(crm_account_id) as crm_account_id,
           any_value(uscc) as uscc, any_value(account_name) as account_name, any_value(owner_id) as owner_id,
           any_value(share) as share, any_value(source) as source, min(source_rank) as source_rank,
           max(source_date) as source_date, min(landed_on) as landed_on, max(sequence) as sequence
    from raw.deal_splits
    group by file_sha, row_hash
),
line as (
    select received.* exclude (deal_id, owner_id, share), received.share as given,
           case when deals.value is null then received.deal_id else deals.id end as deal_id,
           case when owners.value is null then received.owner_id else owners.id end as owner_id,
           round(shares.share * 100, 6)::decimal(18, 6) as percent,
           concat_ws('|', case when deals.value is null then received.deal_id else deals.id end,
                     coalesce(received.crm_account_id, ''), coalesce(received.uscc, ''),
                     coalesce(received.account_name, ''), coalesce(received.owner_id, '')) as source_key
    from received
    left join staging.parsed_ids as deals on deals.value = received.deal_id
    left join staging.parsed_ids as owners on owners.value = received.owner_id
    left join staging.parsed_shares as shares on shares.value = received.share
),
axis as (
    select 'account' as axis, *
    from line
    where deal_id is not null and coalesce(crm_account_id, uscc, account_name) is not null
    union all
    select 'owner', * from line where deal_id is not null and owner_id is not null
),
told as (
    select *, sum(percent) over split as told_percent, count(*) over split as rows_told, count(percent) over split as known,
           case when max(abs(percent - round(percent))) over split = 0 then 1
                when max(abs(percent - round(percent, 1))) over split = 0 then 0.1
                when max(abs(percent - round(percent, 2))) over split = 0 then 0.01
                else 0.001 end as written_to
    from axis
    window split as (partition by axis, file_sha, deal_id)
)
select axis, deal_id, source || ':' || source_key as row_id, owner_id, percent, given,
       told_percent::decimal(18, 6) as told_percent,
       coalesce(known = rows_told and abs(told_percent - 100) <= 1
                and abs(told_percent - 100) < written_to * rows_told / 2, false) as is_whole,
       source, source_rank, source_date, landed_on, sequence, file_sha, row_hash
from told
