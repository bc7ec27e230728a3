-- One row per consent event and person: granted, refused or withdrawn. A grant holds for the person who gave it; a refusal
-- for everyone who bears one of the keys it was given on, so that none is lost on a number or a mailbox that people share.
-- An unsubscription among the touches is a withdrawal, "do not contact" in the CRM a refusal; a consent row that nobody can
-- read is no consent: it refuses until mended. That mail bounced is no word of anybody: core.dead_addresses.
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
with said as (
    select row_id as event_id, 'consents' as entity, row_id, lower(trim(channel)) as channel,
           lower(trim(status)) as status, given_at, evidence, method, purpose, wording_hash
    from staging.consents
    -- A grant without a time proves nothing; refusals always have one. What was bought or scraped is no consent to us.
    where given_at is not null and status <> 'bounced'
        and not (lower(trim(status)) = 'granted' and coalesce(method in ('bought', 'scraped', 'public', 'register'), false))
    union all
    select 'touch:' || row_id, 'touches', row_id,
           case when channel in ('email', 'sms', 'call', 'wechat') then channel else 'any' end, 'withdrawn', occurred_at,
           'touch ' || type, null, null, null
    from core.touches
    where type in ('unsubscribe', 'unsubscribed', 'opt_out', 'complaint', 'spam_report', '退订', '投诉')
        and not is_future
    union all
    select 'lead_status:' || row_id, 'lead_status', row_id, 'any', 'refused', changed_at,
           'the CRM says ' || coalesce(reason, status), null, null, null
    from staging.lead_status
    where changed_at is not null
        and regexp_matches(
            lower(concat_ws(' ', status, reason)),
            '(勿|不要|不再|别|拒绝)(被|再|给我|向我)*(联系|致电|来电|打电话|打扰|骚扰|扰)|谢绝|退订'
            || '|\b(do ?n.?t|do[ _-]?not)[ _-]?(contact|call|disturb)|\bdnc\b|\bopt(ed)?[ _-]?out\b|unsubscrib'
        )
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
