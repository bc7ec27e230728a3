-- One row per account on the target list today: why, how well it fits, who looks after it, what has happened since.
-- grain: account_id
-- column: account_id | the account
-- column: name | its name
-- column: uscc | unified social credit code
-- column: province | province
-- column: city | city
-- column: industry | industry as given
-- column: employees | people
-- column: tier | tier
-- column: reason | why it is listed
-- column: entry_id | the row of the list, or rule:<rule>
-- column: owner_id | who looks after it
-- column: valid_to | last day on the list
-- column: is_reserved | a reserved account: held back for its owner
-- column: is_excluded | stands on an exclusion list too, which stops it
-- column: fit_points | 0 to 100
-- column: grade | A to D
-- column: completeness | share of the profile that is known, 0 to 1
-- column: tags | its tags
-- column: people | persons matched to it
-- column: touches | touches of its people
-- column: last_touch_at | the last of them, UTC
-- column: open_deals | deals not closed
-- column: won_deals | deals won
with valid as (
    select *
    from resolved.target_accounts
    where coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
listed as (
    select *
    from valid
    where list = 'target'
    qualify row_number() over (partition by account_id order by entry_id like 'rule:%', tier nulls last, entry_id) = 1
),
marked as (
    select account_id, bool_or(list = 'reserved') as is_reserved, bool_or(list = 'exclusion') as is_excluded
    from valid
    group by account_id
)
select account_id, account.name, account.uscc, account.province, account.city, account.industry, account.employees,
       listed.tier, listed.reason, listed.entry_id, listed.owner_id, listed.valid_to, marked.is_reserved, marked.is_excluded,
       account.fit_points, account.grade, account.completeness, account.tags, account.people, account.touches,
       account.last_touch_at, account.open_deals, account.won_deals
from listed
join marked using (account_id)
join marts.account_360 as account using (account_id)
