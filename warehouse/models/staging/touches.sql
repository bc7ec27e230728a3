-- One row per touch as one source tells it: what a person did or received.
-- grain: row_id
-- check: occurred_at is not null
-- column: touch_id | id of the touch
-- column: campaign_id | the campaign it belongs to
-- column: channel | channel, where the touch says one
-- column: contact_id | id of the contact in its source
-- column: lead_id | id of the lead
-- column: email | address, lower case
-- column: email_kind | personal, corporate, role, disposable or invalid
-- column: email_domain | registrable domain of the address
-- column: mobile | mobile number, E.164; also one that stands in the column phone
-- column: phone | phone number, E.164
-- column: wechat_unionid | WeChat union id
-- column: wechat_openid | WeChat open id
-- column: name | name of the person
-- column: company_name | company name, clean
-- column: company_name_key | compares whole company names
-- column: title | job title
-- column: type | what was done, lower case
-- column: occurred_at | when, UTC
-- column: content | page, asset or text
-- column: minutes | minutes it took
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
    select received.rowid as place, received.source, coalesce(case when touch_id_read.value is null then received.touch_id else touch_id_read.id end, received.row_hash) as source_key,
           received.landed_on, received.source_date, received.sequence, received.row_hash, received.file_sha, received.record
    from raw.touches as received
    left join staging.parsed_ids as touch_id_read on touch_id_read.value = received.touch_id
    anti join (select row_hash from staging.rejected_rows where entity = 'touches') as rejected on rejected.row_hash = received.row_hash
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
select case when touch_id_read.value is null then received.touch_id else touch_id_read.id end as touch_id,
       coalesce(campaign_names.campaign_id,
                case when campaign_id_read.value is null then received.campaign_id else campaign_id_read.id end) as campaign_id,
       channel_read.word as channel,
       case when contact_id_read.value is null then received.contact_id else contact_id_read.id end as contact_id,
       case when lead_id_read.value is null then received.lead_id else lead_id_read.id end as lead_id,
       email_read.email,
       email_read.kind as email_kind,
       email_read.domain as email_domain,
       coalesce(mobile_read.mobile, phone_read.mobile) as mobile,
       coalesce(phone_read.phone, case when mobile_read.mobile is null then mobile_read.phone end) as phone,
       case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end as wechat_unionid,
       case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end as wechat_openid,
       name_read.text as name,
       company_name_read.name as company_name,
       company_name_read.name_key as company_name_key,
       title_read.text as title,
       type_read.word as type,
       occurred_at_read.occurred_at,
       content_read.text as content,
       minutes_read.number as minutes,
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
join raw.touches as received on received.rowid = latest.place
left join staging.parsed_ids as touch_id_read on touch_id_read.value = received.touch_id
left join staging.parsed_ids as campaign_id_read on campaign_id_read.value = received.campaign_id
left join staging.campaign_names on campaign_names.name = lower(trim(received.campaign_id))
left join staging.parsed_words as channel_read on channel_read.vocabulary = 'channel' and channel_read.value = received.channel
left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
left join staging.parsed_emails as email_read on email_read.value = received.email
left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
left join staging.parsed_texts as name_read on name_read.value = received.name
left join staging.parsed_names as company_name_read on company_name_read.value = received.company_name
left join staging.parsed_texts as title_read on title_read.value = received.title
left join staging.parsed_words as type_read on type_read.vocabulary = 'touch_type' and type_read.value = received.type
left join staging.parsed_times as occurred_at_read on occurred_at_read.value = received.occurred_at
left join staging.parsed_texts as content_read on content_read.value = received.content
left join staging.parsed_numbers as minutes_read on minutes_read.value = received.minutes
union all by name
select event_touches.* exclude (campaign_id, email, mobile, events, company_name),
       coalesce(campaign_names.campaign_id, event_touches.campaign_id) as campaign_id,
       email_read.email, email_read.kind as email_kind, email_read.domain as email_domain, mobile_read.mobile,
       company_name_read.name as company_name, company_name_read.name_key as company_name_key,
       event_touches.landed_on as first_landed_on, 1 as versions, json_object('events', events)::varchar as extra
from staging.event_touches
left join staging.campaign_names on campaign_names.name = lower(trim(event_touches.campaign_id))
left join staging.parsed_emails as email_read on email_read.value = event_touches.email
left join staging.parsed_phones as mobile_read on mobile_read.value = event_touches.mobile and mobile_read.country = 'CN'
left join staging.parsed_names as company_name_read on company_name_read.value = event_touches.company_name
