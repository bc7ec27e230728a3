-- One row per new account that the directory has confirmed: the account in which it went up.
-- Any name of a matched person could have made a new account before the directory knew the company.
-- grain: old_account_id
-- column: old_account_id | the id of the new account
-- column: account_id | the account of the directory
select 'N' || left(md5(employer_key), 16) as old_account_id, min(account_id) as account_id
from matched.employments
where decision in ('auto', 'manual') and employer_key <> ''
      and 'N' || left(md5(employer_key), 16) not in (select account_id from matched.new_accounts)
group by employer_key
having count(distinct account_id) = 1
