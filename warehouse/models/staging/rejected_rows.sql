-- One row per reason for which a raw row does not enter staging: a value its entity cannot live without, or no key left.
-- grain: entity, row_hash, column_name, rule
-- column: entity | the row's entity
-- column: row_hash | the row's hash in raw; rows that are alike share it
-- column: column_name | the column at fault; null for the whole row
-- column: value | as received
-- column: rule | the rule that refused it
select entity, row_hash, column_name, value, rule
from staging.value_faults
where is_rejecting and action = 'null_value'
union all
select entity, row_hash, null as column_name, null as value, 'row-without-key' as rule
from staging.value_faults
where is_key and action = 'null_value'
group by entity, row_hash
having count(distinct column_name) = max(keys_given)
union all
-- Shares that do not come to 100 %: a row that stands in a whole split as well is refused in neither; a side of it that
-- is whole nowhere is flagged in staging.value_faults.
select 'deal_splits', row_hash, 'share', any_value(given), 'share-sum'
from staging.split_tellings
where row_hash not in (select row_hash from staging.value_faults where is_rejecting and action = 'null_value')
group by row_hash
having not bool_or(is_whole)
