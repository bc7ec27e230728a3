-- One row per web or mail domain of a company's own and account that has it.
-- grain: domain, account_id
-- column: domain | registrable domain
-- column: account_id | the account
-- column: account_count | accounts that have the domain
-- column: is_shared | as many as rules.directory says, or more: evidence of nothing by itself
with owned as (
    select distinct unnest(domains) as domain, account_id from resolved.accounts where len(domains) > 0
)
select domain, account_id,
       count(*) over (partition by domain) as account_count,
       count(*) over (partition by domain) >= (select any_value(shared_from) from rules.directory) as is_shared
from owned
