-- One row per standing decision on a match and person it is about, by the rows or the strong keys that it names.
-- grain: decision_id, person_id
-- column: decision_id | the decision in the ledger
-- column: person_id | the person
-- column: seq | order in which it was decided
-- column: verdict | accept, choose, create or reject
-- column: account_id | the account that it names; null where none, or where it is gone
-- column: name_key | comparison key of the company as the person gave it then
-- column: decided_on | the day
with lost as (
    select * from matched.remembered anti join matched.person_rows using (entity, row_id) where entity = 'contacts'
),
-- Rows without an id bore a plain hash before their names were keyed.
formerly as (
    select row_id, source || ':' || md5(unnest([email, mobile, wechat_unionid, wechat_openid, phone || '|' || coalesce(name, '')]))
               as old_row_id
    from staging.contacts
    where contact_id is null and lead_id is null and exists (from lost)
),
meant as (
    select decision_id, person_id
    from matched.remembered
    join matched.person_rows using (entity, row_id)
    union
    select decision_id, person_id
    from lost
    join formerly on formerly.old_row_id = lost.row_id
    join matched.person_rows on person_rows.entity = 'contacts' and person_rows.row_id = formerly.row_id
    union
    select decision_id, person_id
    from matched.remembered_keys
    join matched.person_keys using (key_hash)
    where is_strong
),
decision as (
    select distinct decision_id, seq, verdict, account_row_id, name_key, decided_on from matched.remembered
)
select meant.decision_id, meant.person_id, decision.seq, decision.verdict, members.account_id, decision.name_key,
       decision.decided_on
from meant
join decision using (decision_id)
left join resolved.account_members as members on members.row_id = decision.account_row_id
