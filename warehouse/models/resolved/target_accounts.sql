-- One row per account and entry of a target, reserved or exclusion list: by rule, or by hand, which counts first.
-- A rule puts nobody on the target list who stands there by hand, or on an exclusion list.
-- grain: account_id, list, entry_id
-- check: list in ('target', 'reserved', 'exclusion')
-- column: account_id | the account
-- column: list | target, reserved or exclusion
-- column: entry_id | the row of the list, or rule:<rule>
-- column: tier | tier
-- column: reason | why it stands there
-- column: owner_id | who looks after it
-- column: valid_from | first day; null: ever since
-- column: valid_to | last day; null: without end
with by_hand as (
    select account_id, list, row_id as entry_id, tier, reason, owner_id, valid_from, valid_to
    from staging.lists
    join resolved.company_mentions using (row_id)
    where entity = 'lists' and account_id is not null
),
settled as (
    select distinct account_id
    from by_hand
    where list in ('target', 'exclusion')
      and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
)
select account_id, list, entry_id, tier, reason, owner_id, valid_from, valid_to from by_hand
union all
select account_id, 'target', 'rule:' || rule_id, tier, reason, null, null, null
from resolved.rule_targets
anti join settled using (account_id)
