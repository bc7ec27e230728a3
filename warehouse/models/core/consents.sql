-- One row per consent event and person: granted, refused or withdrawn. A grant holds for the person who gave it; a refusal
-- for everyone who bears one of the keys it was given on, so that none is lost on a number or a mailbox that people share.
-- grain: event_id, person_id
-- column: event_id | the row in staging.consents
-- column: person_id | whose
-- column: channel | email, sms, call, wechat, ad, crm_share, cross_border, any
-- column: status | granted, refused, withdrawn
-- column: given_at | when, UTC
-- column: evidence | how it was given
with whose as (
    select row_id, person_id from matched.person_rows where entity = 'consents'
    union
    select key_rows.row_id, person_keys.person_id
    from matched.person_key_rows as key_rows
    join matched.person_keys using (key_kind, key_value)
    join staging.consents using (row_id)
    where key_rows.entity = 'consents' and lower(trim(consents.status)) <> 'granted'
)
select consents.row_id as event_id, whose.person_id, lower(trim(consents.channel)) as channel,
       lower(trim(consents.status)) as status, consents.given_at, consents.evidence
from staging.consents
join whose using (row_id)
-- A grant without a time proves nothing; refusals always have one.
where consents.given_at is not null
