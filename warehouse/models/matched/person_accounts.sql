-- One row per person: the account they belong to, why, and how sure that is.
-- A person's remembered decision comes first; an account once rejected for a person is not offered again.
-- grain: person_id
-- check: decision in ('auto', 'review', 'manual', 'none')
-- check: (decision = 'none') = (account_id is null)
-- check: confidence between 0 and 1
-- column: person_id | the person
-- column: account_id | the account; null where none
-- column: decision | auto, review, manual or none
-- column: method | what decided: remembered, code, domain, name, …; for none why
-- column: confidence | probability that the account is right, 0..1
-- column: evidence | features the two have in common or against them
-- column: runner_up_account_id | the next best account; for none the nearest
-- column: margin | how much surer the first is than the second
-- column: tie_break | what set the first before an equal second
-- column: decision_id | the remembered decision in the ledger; null without
-- column: profile_id | the description of the employer that was matched
-- column: config_hash | the rules
-- column: as_of | the day
with remembered as (
    select person_rows.person_id, remembered.decision_id, remembered.verdict, members.account_id
    from matched.remembered
    join matched.person_rows using (entity, row_id)
    left join resolved.account_members as members on members.row_id = remembered.account_row_id
    qualify row_number() over (partition by person_rows.person_id order by remembered.seq desc, remembered.decision_id) = 1
),
rejected as (
    select distinct person_rows.person_id, members.account_id
    from matched.remembered
    join matched.person_rows using (entity, row_id)
    join resolved.account_members as members on members.row_id = remembered.account_row_id
    where remembered.verdict = 'reject'
),
judged as (
    select persons.person_id, persons.profile_id, found.account_id, found.decision, found.method, found.confidence,
           found.evidence, found.runner_up_account_id, found.margin, found.tie_break,
           rejected.account_id is not null as is_rejected
    from matched.persons
    join matched.profile_accounts as found using (profile_id)
    left join rejected on rejected.person_id = persons.person_id and rejected.account_id = found.account_id
),
settled as (
    select judged.*, remembered.decision_id, remembered.verdict,
           case when remembered.verdict in ('accept', 'choose') and remembered.account_id is not null then 'manual'
                when remembered.verdict = 'create' or is_rejected then 'none'
                else judged.decision end as settled_decision,
           remembered.account_id as remembered_account_id
    from judged
    left join remembered using (person_id)
)
select person_id,
       case settled_decision when 'manual' then remembered_account_id when 'none' then null else account_id end as account_id,
       settled_decision as decision,
       case when settled_decision = 'manual' then 'remembered'
            when verdict = 'create' then 'new_account_candidate'
            when is_rejected then 'rejected'
            else method end as method,
       case when settled_decision = 'manual' then 1.0 when verdict = 'create' or is_rejected then 0.0 else confidence end
           as confidence,
       case when settled_decision = 'manual' then ['remembered_decision'] else coalesce(evidence, []) end as evidence,
       case when settled_decision = 'manual' and account_id is distinct from remembered_account_id then account_id
            when is_rejected then coalesce(runner_up_account_id, account_id)
            else runner_up_account_id end as runner_up_account_id,
       case when settled_decision = 'manual' then 1.0 else margin end as margin,
       case when settled_decision in ('auto', 'review') then tie_break end as tie_break,
       decision_id, profile_id, policy.config_hash, policy.as_of
from settled
cross join matched.match_policy as policy
