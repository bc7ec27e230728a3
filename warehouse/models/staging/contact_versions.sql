-- One row per row of raw that was not refused: the record it is a version of.
-- A record without an id is named by the keyed hash of its address or number, since row ids are read where contacts are
-- masked; what several people share (a mailbox like info@, a number) names a record only together with the name.
-- grain: place
-- published: no
-- column: place | rowid in raw.contacts as this row was made; of no use later
-- column: row_id | source and source key
-- column: source_key | the record's key in its source
-- column: row_hash | the row's hash in raw
-- column: source | the source
with kept as (
    select received.rowid as place, received.source, received.row_hash,
           coalesce(case when contact_id_read.value is null then received.contact_id else contact_id_read.id end,
                    case when lead_id_read.value is null then received.lead_id else lead_id_read.id end) as source_id,
           coalesce(case when email_read.kind in ('personal', 'corporate') then email_read.email end,
                    case when wechat_unionid_read.value is null then received.wechat_unionid else wechat_unionid_read.id end,
                    case when wechat_openid_read.value is null then received.wechat_openid else wechat_openid_read.id end,
                    coalesce(mobile_read.mobile, email_read.email, phone_read.phone) || '|' || coalesce(name_read.text, ''))
               as own_key
    from raw.contacts as received
    left join staging.parsed_ids as contact_id_read on contact_id_read.value = received.contact_id
    left join staging.parsed_ids as lead_id_read on lead_id_read.value = received.lead_id
    left join staging.parsed_ids as wechat_unionid_read on wechat_unionid_read.value = received.wechat_unionid
    left join staging.parsed_ids as wechat_openid_read on wechat_openid_read.value = received.wechat_openid
    left join staging.parsed_emails as email_read on email_read.value = received.email
    left join staging.parsed_phones as mobile_read on mobile_read.value = received.mobile and mobile_read.country = 'CN'
    left join staging.parsed_phones as phone_read on phone_read.value = received.phone and phone_read.country = 'CN'
    left join staging.parsed_texts as name_read on name_read.value = received.name
    anti join (select row_hash from staging.rejected_rows where entity = 'contacts') as rejected
        on rejected.row_hash = received.row_hash
),
keyed as (
    select place, source, row_hash,
           coalesce(source_id,
                    left(sha256($outer_pad::blob || unhex(sha256($inner_pad::blob || encode(own_key)))), 32),
                    row_hash) as source_key
    from kept
)
select place, source || ':' || source_key as row_id, source_key, row_hash, source
from keyed
