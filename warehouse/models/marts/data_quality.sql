-- One row per entity, source, column, rule and what was done about it: how many values or rows it met.
-- grain: entity, source, column_name, rule, action
-- column: entity | what the rows are
-- column: source | where they came from; (unknown) for a file refused as a whole
-- column: column_name | the column; (row) for whole rows
-- column: rule | the rule
-- column: action | reject_row, null_value, repair or flag
-- column: occurrences | how often; of refused rows those that still wait for correction
-- column: healed | refused rows that a later file settled
-- column: files | in how many files
-- column: first_on | the first landing day it was met
-- column: last_on | the last one
-- column: example | one value, or the message where there is none
with met as (
    select entity, source, column_name, rule, 'reject_row' as action, file_sha, landed_on, false as is_healed,
           -- A value without a column is a whole line with people in it.
           coalesce(case when column_name is not null then value end, message) as example
    from quality.quarantine
    union all
    select entity, source, column_name, rule, 'reject_row', file_sha, landed_on, true,
           coalesce(case when column_name is not null then value end, message)
    from quality.healed
    union all
    select entity, source, column_name, rule, action, file_sha, landed_on, false, value
    from quality.repairs
)
select entity, coalesce(source, '(unknown)') as source, coalesce(column_name, '(row)') as column_name,
       coalesce(rule, '(unnamed)') as rule, action,
       count(*) filter (not is_healed) as occurrences, count(*) filter (is_healed) as healed,
       count(distinct file_sha) as files, min(landed_on) as first_on, max(landed_on) as last_on, min(example) as example
from met
group by all
