-- One row per id that an account could have borne: the id of each member that does not name it.
-- grain: old_account_id
-- column: old_account_id | the id the member would have given
-- column: account_id | the account it leads to
select own_account_id as old_account_id, account_id from resolved.account_members where own_account_id <> account_id
