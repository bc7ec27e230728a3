-- One row per account that another one succeeded, as a person said: 个转企, a new legal person for the same business.
-- Two codes stay two accounts; the link says from which day on the new one carries on.
-- grain: old_account_id, account_id
-- column: old_account_id | the account that was succeeded
-- column: account_id | the account that carries on
-- column: succeeded_on | the day
-- column: decision_id | the decision in the ledger
-- column: reason | why
-- column: actor | who decided
select before_members.account_id as old_account_id,
       after_members.account_id,
       arg_max(try_cast(old_row.value as date), old_row.seq) as succeeded_on,
       arg_max(old_row.decision_id, old_row.seq) as decision_id,
       arg_max(old_row.reason, old_row.seq) as reason,
       arg_max(old_row.actor, old_row.seq) as actor
from resolved.account_decisions as old_row
join resolved.account_decisions as new_row on new_row.decision_id = old_row.decision_id and new_row.part = 'after'
join resolved.account_members as before_members on before_members.row_id = old_row.row_id
join resolved.account_members as after_members on after_members.row_id = new_row.row_id
where old_row.part = 'before' and before_members.account_id <> after_members.account_id
group by before_members.account_id, after_members.account_id
