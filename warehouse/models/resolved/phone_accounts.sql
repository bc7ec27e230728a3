-- One row per telephone number and account that has it.
-- grain: phone, account_id
-- column: phone | E.164
-- column: account_id | the account
-- column: account_count | accounts that have the number
-- column: is_shared | as many as rules.directory says, or more: an agent's number 代记账, never a decision maker's
with owned as (
    select distinct unnest(phones) as phone, account_id from resolved.accounts where len(phones) > 0
)
select phone, account_id,
       count(*) over (partition by phone) as account_count,
       count(*) over (partition by phone) >= (select any_value(shared_from) from rules.directory) as is_shared
from owned
