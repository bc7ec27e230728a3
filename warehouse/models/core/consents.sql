-- One row per consent event of a person: granted, refused or withdrawn.
-- grain: event_id
-- column: event_id | the row in staging.consents
-- column: person_id | whose
-- column: channel | email, sms, call, wechat, ad, crm_share, cross_border, any
-- column: status | granted, refused, withdrawn
-- column: given_at | when, UTC
-- column: evidence | how it was given
select consents.row_id as event_id, person_rows.person_id, lower(trim(consents.channel)) as channel,
       lower(trim(consents.status)) as status, consents.given_at, consents.evidence
from staging.consents
join matched.person_rows on person_rows.entity = 'consents' and person_rows.row_id = consents.row_id
-- A grant without a time proves nothing; refusals always have one.
where consents.given_at is not null
