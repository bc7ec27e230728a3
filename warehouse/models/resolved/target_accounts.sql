-- One row per account and entry of a target, reserved or exclusion list: by a person's decision, by a file, or by rule.
-- The last decision counts, then files, then rules; what it replaces stays here with its last day. A rule puts nobody on
-- the target list who stands there otherwise, was taken off by a person, or stands on an exclusion list.
-- grain: account_id, list, entry_id
-- check: list in ('target', 'reserved', 'exclusion')
-- column: account_id | the account
-- column: list | target, reserved or exclusion
-- column: entry_id | the row of the list, rule:<rule> or decision:<decision>
-- column: tier | tier
-- column: reason | why it stands there
-- column: owner_id | who looks after it
-- column: valid_from | first day; null: ever since
-- column: valid_to | last day; null: without end
with said as (
    select account_id, 'target' as list, 'decision:' || decision_id as entry_id, verdict, tier,
           coalesce(nullif(list_decisions.reason, ''), 'decided by ' || actor) as reason, owner_id, valid_from, valid_to, seq,
           lead(valid_from) over (partition by account_id order by seq) as replaced_on
    from resolved.list_decisions
    join resolved.account_members using (row_id)
),
first_said as (
    select account_id, list, arg_min(valid_from, seq) as since, arg_max(verdict, seq) as verdict
    from said
    where valid_from <= $as_of
    group by account_id, list
),
on_file as (
    select account_id, list, row_id as entry_id, tier, reason, owner_id, valid_from, valid_to
    from staging.lists
    join resolved.company_mentions using (row_id)
    where entity = 'lists' and account_id is not null
),
by_hand as (
    select account_id, list, entry_id, tier, reason, owner_id, valid_from, least(valid_to, replaced_on - 1) as valid_to
    from said
    where verdict = 'add'
    union all
    select account_id, list, entry_id, tier, reason, owner_id, valid_from, least(valid_to, since - 1)
    from on_file
    left join first_said using (account_id, list)
),
settled as (
    select account_id
    from by_hand
    where list in ('target', 'exclusion')
      and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
    union
    select account_id from first_said where verdict = 'remove'
)
select account_id, list, entry_id, tier, reason, owner_id, valid_from, valid_to from by_hand
union all
select account_id, 'target', 'rule:' || rule_id, tier, reason, null, valid_from, valid_to
from resolved.rule_targets
anti join settled using (account_id)
