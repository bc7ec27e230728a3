-- One row per consent event and person: granted, refused or withdrawn. A grant holds for the person who gave it; a refusal
-- for everyone who bears one of the keys it was given on, so that none is lost on a number or a mailbox that people share.
-- An unsubscription among the touches is a withdrawal, "do not contact" in the CRM a refusal; a consent row that nobody can
-- read is no consent: it refuses until mended, as does a refused row of touches or leads that asks not to be
-- contacted. That mail bounced is no word of anybody: core.dead_addresses.
-- grain: event_id, person_id
-- column: event_id | the row in staging.consents; touch:<row>, lead_status:<row>, unclear:<hash> of a row in quarantine
-- column: person_id | whose
-- column: channel | email, sms, call, wechat, ad, ad_user_data, ad_personalization, crm_share, share, cross_border, any
-- column: status | granted, refused, withdrawn
-- column: given_at | when, UTC
-- column: evidence | how it was given
-- column: method | how it came about, where the source says so
-- column: purpose | what it was said for, where the source says so
-- column: wording_hash | SHA-256 of the text that was shown
with refused_cell as (
    select entity, coalesce(row_hash, md5(concat_ws('|', file_sha, sheet, record, line))) as row_hash, source, landed_on,
           unnest(json_extract_string(raw_row, '$.*')) as cell
    from quality.quarantine
    where entity in ('touches', 'lead_status') and json_valid(raw_row)
),
noted as (
    select 'touches' as entity, 'type' as kind, type as id, type as text
    from (select distinct type from core.touches)
    union all
    select 'lead_status', 'row', row_id, concat_ws(' ', status, reason) from staging.lead_status
    union all
    select entity, 'refused', row_hash, cell from refused_cell where length(cell) <= 100
),
plain_note as (
    select entity, kind, id,
           regexp_replace(trim(regexp_replace(lower(text), '[^\p{L}\p{N}]+', ' ', 'g')), $no_refusal, ' ', 'g') as text
    from noted
),
-- What was noted that reads as a refusal (abmloop/refusals.yaml); of a touch a complaint is one too.
refusing as (
    select distinct entity, kind, id
    from plain_note
    where regexp_matches(text, $refusal) or (entity = 'touches' and regexp_matches(text, $complaint))
),
told as (
    select row_id as event_id, 'consents' as entity, row_id, lower(trim(channel)) as channel,
           lower(trim(status)) as status, given_at, first_landed_on as landed_on, evidence, method, purpose, wording_hash
    from staging.consents
    -- A grant without a time proves nothing; refusals always have one. What was bought or scraped is no consent to us.
    where given_at is not null and status <> 'bounced'
        and not (lower(trim(status)) = 'granted' and not coalesce(is_ours, true))
    union all
    select 'touch:' || touches.row_id, 'touches', touches.row_id,
           case when touches.channel in ('email', 'sms', 'call', 'wechat') then touches.channel else 'any' end, 'withdrawn',
           touches.occurred_at, landed.first_landed_on, 'touch ' || touches.type, null, null, null
    from core.touches
    semi join (select id from refusing where kind = 'type') as refusing on refusing.id = touches.type
    left join staging.touches as landed using (row_id)
    union all
    select 'lead_status:' || row_id, 'lead_status', row_id, 'any', 'refused', changed_at, first_landed_on,
           'the CRM says ' || coalesce(reason, status), null, null, null
    from staging.lead_status
    semi join (select id from refusing where kind = 'row') as refusing on refusing.id = row_id
    where changed_at is not null
),
-- Dated later than today, by a slip or a clock that is wrong, a refusal was said all the same: it holds from the day it came.
said as (
    select * exclude (landed_on) replace (
               case when status <> 'granted' and given_at > $at
                    then least(coalesce(landed_on, $as_of), $as_of)::timestamp at time zone $timezone at time zone 'UTC'
                    else given_at end as given_at)
    from told
),
said_by as (
    select said.event_id, person_rows.person_id, channel, status, given_at, evidence, method, purpose,
           wording_hash
    from said
    join matched.person_rows using (entity, row_id)
    union
    select said.event_id, person_keys.person_id, channel, status, given_at, evidence, method, purpose,
           wording_hash
    from said
    join matched.person_key_rows as key_rows using (entity, row_id)
    join matched.person_keys using (key_kind, key_value)
    where said.status <> 'granted'
),
unread as (
    select row_hash, bool_or(column_name = 'status') as is_unclear
    from quality.quarantine
    where entity = 'consents' and column_name in ('status', 'channel') and row_hash is not null
    group by all
),
-- Whoever the row names by an address or a number; ids of a source name nobody else.
unread_key as (
    select unread.row_hash, received.channel, received.landed_on, given_at_read.occurred_at,
           unnest([
               {'kind': 'email', 'value': email_read.email},
               {'kind': 'mobile', 'value': coalesce(mobile_read.mobile, phone_read.mobile)},
               {'kind': 'phone', 'value': phone_read.phone},
               {'kind': 'contact_id', 'value': received.source || ':' || received.contact_id},
               {'kind': 'lead_id', 'value': received.source || ':' || received.lead_id}
           ]) as named
    from unread
    join raw.consents as received using (row_hash)
    left join staging.parsed_words as status_read
        on status_read.vocabulary = 'consent_status' and status_read.value = received.status
    left join staging.parsed_emails as email_read on email_read.value = received.email
    left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
    left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
    left join staging.parsed_times as given_at_read on given_at_read.value = received.given_at
    -- What was granted for a channel nobody can read is no refusal of anything, and no grant either.
    where unread.is_unclear or status_read.word in ('refused', 'withdrawn')
),
-- Rows of touches and of the CRM that were refused, most for want of a time: whom they name by anything that is a key.
refused_key as (
    select distinct 'unclear:' || row_hash as event_id, cell.landed_on,
           unnest([
               {'kind': 'email', 'value': coalesce(email_read.email, lower(trim(cell.cell)))},
               {'kind': 'mobile',
                'value': coalesce(phone_read.mobile, '+86' || nullif(regexp_extract(cell.cell, '1[3-9]\d{9}'), ''))},
               {'kind': 'phone', 'value': phone_read.phone},
               {'kind': 'contact_id', 'value': cell.source || ':' || trim(cell.cell)},
               {'kind': 'lead_id', 'value': cell.source || ':' || trim(cell.cell)}
           ]) as named
    from refused_cell as cell
    semi join (select entity, id from refusing where kind = 'refused') as refusing
        on refusing.entity = cell.entity and refusing.id = cell.row_hash
    left join staging.parsed_emails as email_read on email_read.value = cell.cell
    left join staging.parsed_phones as phone_read on phone_read.value = cell.cell and phone_read.country = 'CN'
)
select * from said_by
union all
select 'unclear:' || row_hash as event_id, person_keys.person_id, coalesce(min(channel_read.word), 'any') as channel,
       'refused' as status, max(coalesce(unread_key.occurred_at, unread_key.landed_on::timestamp)) as given_at,
       'a row in quarantine that cannot be read' as evidence, null as method, null as purpose, null as wording_hash
from unread_key
join matched.person_keys on person_keys.key_kind = named.kind and person_keys.key_value = named.value
left join staging.parsed_words as channel_read
    on channel_read.vocabulary = 'consent_channel' and channel_read.value = unread_key.channel
group by row_hash, person_keys.person_id
union all
select event_id, person_keys.person_id, 'any', 'refused', max(landed_on::timestamp),
       'a row in quarantine that asks not to be contacted', null, null, null
from refused_key
join matched.person_keys on person_keys.key_kind = named.kind and person_keys.key_value = named.value
group by event_id, person_keys.person_id
