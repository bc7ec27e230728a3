-- One row per person and company that they named: the account it is, since when and until when, and why.
-- A person's remembered decision comes first; an account once rejected for a person is not offered again. A change of
-- employer that was found without doubt after the decision is no longer what was decided on. Where the company of
-- matched.persons is in doubt and another record of the person names one that is not, that one decides.
-- grain: person_id, employer_key
-- check: decision in ('auto', 'review', 'manual', 'none')
-- check: (decision = 'none') = (account_id is null)
-- check: confidence between 0 and 1
-- column: person_id | the person
-- column: employer_key | comparison key of the company as given; empty where none was given
-- column: company_name | company as given
-- column: known_since | day from which it is known
-- column: known_until | day on which a record named another one instead; null where none did
-- column: is_primary | whether it is the company of matched.persons: of the best source, the newest
-- column: is_decisive | whether it decides the person's account today
-- column: account_id | the account; null where none
-- column: decision | auto, review, manual or none
-- column: method | what decided: remembered, code, domain, name, …; for none why
-- column: confidence | probability that the account is right, 0..1
-- column: evidence | features the two have in common or against them
-- column: runner_up_account_id | the next best account; for none the nearest
-- column: margin | how much surer the first is than the second
-- column: tie_break | what set the first before an equal second
-- column: relation | the account is the company named (same), a branch or company of its group (branch), its head office or group (parent)
-- column: decision_id | the remembered decision in the ledger; null without
-- column: profile_id | the description of the employer that was matched
-- column: new_account_id | the new account made for it until the directory knows the company; matched.new_accounts
with judged as (
    select claims.person_id, claims.employer_key, claims.company_name, claims.known_since, claims.known_until,
           claims.is_primary, claims.profile_id, found.account_id, found.decision, found.method, found.confidence,
           found.evidence, found.runner_up_account_id, found.margin, found.tie_break, found.relation,
           rejected.account_id is not null as is_rejected
    from matched.employer_claims as claims
    join matched.profile_accounts as found using (profile_id)
    left join (select distinct person_id, account_id from matched.decided_persons where verdict = 'reject') as rejected
        on rejected.person_id = claims.person_id and rejected.account_id = found.account_id
),
remembered as (
    select judged.person_id, judged.employer_key, decided.decision_id, decided.verdict, decided.account_id
    from judged
    join matched.decided_persons as decided using (person_id)
    where decided.name_key is null
       or decided.name_key = judged.employer_key
       or (judged.is_primary and decided.verdict <> 'create'
           and not (judged.decision = 'auto' and coalesce(judged.known_since > decided.decided_on, false)))
    qualify row_number() over (
        partition by judged.person_id, judged.employer_key order by decided.seq desc, decided.decision_id
    ) = 1
),
settled as (
    select judged.*, remembered.decision_id, remembered.verdict, remembered.account_id as remembered_account_id,
           case when remembered.verdict in ('accept', 'choose') and remembered.account_id is not null then 'manual'
                when remembered.verdict = 'create' or is_rejected then 'none'
                else judged.decision end as settled_decision
    from judged
    left join remembered using (person_id, employer_key)
),
told as (
    select *,
           case when settled_decision = 'manual' then 'remembered'
                when verdict = 'create' then 'new_account'
                when is_rejected then 'rejected'
                else method end as settled_method,
           case settled_decision when 'manual' then remembered_account_id when 'none' then null else account_id end
               as settled_account_id,
           settled_decision in ('auto', 'manual') as is_settled,
           regexp_matches(employer_key, '\p{Han}') as is_han
    from settled
),
decisive as (
    select told.person_id, told.employer_key
    from told
    join told as head on head.person_id = told.person_id and head.is_primary
    qualify row_number() over (
        partition by told.person_id
        -- Names in two scripts cannot disagree; of two in one script the later counts.
        order by told.is_primary and (told.is_settled or told.decision_id is not null) desc,
                 told.is_settled and told.known_until is null
                     and (told.settled_account_id = head.settled_account_id or told.is_han <> head.is_han
                          or coalesce(told.known_since > head.known_since, head.employer_key = '')) desc,
                 told.is_primary desc, told.settled_decision = 'manual' desc, told.confidence desc, told.employer_key
    ) = 1
)
select told.person_id, told.employer_key, company_name, known_since, known_until, is_primary,
       decisive.person_id is not null as is_decisive,
       settled_account_id as account_id,
       settled_decision as decision,
       settled_method as method,
       case when settled_decision = 'manual' then 1.0 when verdict = 'create' or is_rejected then 0.0 else confidence end
           as confidence,
       case when settled_decision = 'manual' then ['remembered_decision'] else coalesce(evidence, []) end as evidence,
       case when settled_decision = 'manual' and account_id is distinct from remembered_account_id then account_id
            when is_rejected then coalesce(runner_up_account_id, account_id)
            when verdict = 'create' then coalesce(account_id, runner_up_account_id)
            else runner_up_account_id end as runner_up_account_id,
       case when settled_decision = 'manual' then 1.0 else margin end as margin,
       case when settled_decision in ('auto', 'review') then tie_break end as tie_break,
       case when settled_decision in ('auto', 'review') then relation end as relation,
       decision_id, profile_id,
       case when decisive.person_id is not null and told.employer_key <> '' and settled_decision = 'none'
                 and settled_method in ('new_account', 'new_account_candidate')
            then 'N' || left(md5(told.employer_key), 16) end as new_account_id
from told
left join decisive using (person_id, employer_key)
