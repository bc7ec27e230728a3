-- One row per consent event as one source tells it.
-- grain: row_id
-- check: channel is not null
-- check: status in ('granted', 'refused', 'withdrawn', 'bounced')
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164; also one that stands in the column phone
-- column: phone | phone number, E.164
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: channel | email, sms, call, wechat, ad, ad_user_data, ad_personalization, crm_share, share, cross_border or any
-- column: status | granted, refused or withdrawn; bounced says of an address that it is dead and nothing of its person
-- column: given_at | when, UTC; a refusal without a time holds from the day it was landed; a grant without one is none
-- column: evidence | what proves it
-- column: method | how it came about: form, double_opt_in, call, paper, reply, bought, scraped, public, register, or as given
-- column: is_ours | false where method or evidence says that it was bought, scraped or read in a register: no consent to us
-- column: purpose | what it was said for
-- column: wording_hash | SHA-256 of the text that was shown, or of the name of its version
-- column: row_id | source and source key: names the record
-- column: source | the source it came from
-- column: source_key | the record's key in its source
-- column: source_rank | 1 is the most trusted
-- column: source_date | the day the source speaks of
-- column: landed_on | the day this version was landed
-- column: first_landed_on | the day the record was first landed
-- column: versions | rows of this record that were kept, of which this is the latest
-- column: row_hash | the row's hash in raw
-- column: file_sha | its file
-- column: sheet | its sheet
-- column: line | its line
-- column: extra | JSON of unknown columns
with kept as (
    select received.rowid as place, received.source, received.row_hash as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.consents as received
    anti join (select row_hash from staging.rejected_rows where entity = 'consents') as rejected on rejected.row_hash = received.row_hash
),
latest as (
    select place, source || ':' || source_key as row_id, source_key, min(landed_on) over record as first_landed_on,
           count(*) over record as versions
    from kept
    window record as (partition by source, source_key)
    qualify row_number() over (
        partition by source, source_key
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, row_hash desc, file_sha, record
    ) = 1
)
select case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       coalesce(mobile_read.mobile, phone_read.mobile) as mobile,
       coalesce(phone_read.phone, case when mobile_read.mobile is null then mobile_read.phone end) as phone,
       case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end as wechat_unionid,
       case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end as wechat_openid,
       channel_read.word as channel,
       status_read.word as status,
       -- A refusal holds whether or not anybody wrote down when it was said: from the day we were told.
       coalesce(
           given_at_read.occurred_at,
           case when status_read.word in ('refused', 'withdrawn', 'bounced')
                then latest.first_landed_on::timestamp at time zone $timezone at time zone 'UTC' end
       ) as given_at,
       evidence_read.text as evidence,
       coalesce(method_read.word, lower(received.method)) as method,
       not regexp_matches(
           trim(regexp_replace(lower(coalesce(method_read.word, received.method, '')), '[^\p{L}\p{N}]+', ' ', 'g')), $no_consent
       ) and not regexp_matches(
           trim(regexp_replace(lower(coalesce(evidence_read.text, '')), '[^\p{L}\p{N}]+', ' ', 'g')), $no_consent
       ) as is_ours,
       purpose_read.text as purpose,
       sha256(wording_read.text) as wording_hash,
       latest.row_id,
       received.source,
       latest.source_key,
       received.source_rank,
       received.source_date,
       received.landed_on,
       latest.first_landed_on,
       latest.versions,
       received.row_hash,
       received.file_sha,
       received.sheet,
       received.line,
       received.extra
from latest
join raw.consents as received on received.rowid = latest.place
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
left join staging.parsed_words as channel_read on channel_read.vocabulary = 'consent_channel' and channel_read.value = received.channel
left join staging.parsed_words as status_read on status_read.vocabulary = 'consent_status' and status_read.value = received.status
left join staging.parsed_times as given_at_read on given_at_read.value = received.given_at
left join staging.parsed_texts as evidence_read on evidence_read.value = received.evidence
left join staging.parsed_words as method_read on method_read.vocabulary = 'consent_method' and method_read.value = received.method
left join staging.parsed_texts as purpose_read on purpose_read.value = received.purpose_text
left join staging.parsed_texts as wording_read on wording_read.value = received.wording
