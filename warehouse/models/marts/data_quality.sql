-- One row per entity, source, column, rule and what was done about it: how many values or rows it met.
-- grain: entity, source, column_name, rule, action
-- column: entity | what the rows are
-- column: source | where they came from; (unknown) for a file refused as a whole
-- column: column_name | the column; (row) for whole rows
-- column: rule | the rule
-- column: action | reject_row, null_value, repair or flag
-- column: occurrences | how often
-- column: files | in how many files
-- column: example | one value, or the message where there is none
with met as (
    select entity, source, column_name, rule, 'reject_row' as action, file_sha,
           -- A value without a column is a whole line with people in it.
           coalesce(case when column_name is not null then value end, message) as example
    from quality.quarantine
    union all
    select entity, source, column_name, rule, action, file_sha, value
    from quality.repairs
)
select entity, coalesce(source, '(unknown)') as source, coalesce(column_name, '(row)') as column_name,
       coalesce(rule, '(unnamed)') as rule, action,
       count(*) as occurrences, count(distinct file_sha) as files, min(example) as example
from met
group by all
