-- One row per mail address that bounced for good and has shown no sign of life since: no list writes to it.
-- grain: email
-- column: email | the address
-- column: bounced_at | when it bounced last, UTC
-- column: evidence | what the mail server said
with bounced as (
    select email, max(given_at) as bounced_at, max_by(evidence, (given_at, row_id)) as evidence
    from staging.consents
    where status = 'bounced' and email is not null and given_at <= $at
    group by email
),
alive as (
    select email, max(occurred_at) as seen_at
    from staging.touches
    where type in ('email_delivered', 'email_opened', 'email_clicked') and email is not null and occurred_at <= $at
    group by email
)
select bounced.email, bounced.bounced_at, bounced.evidence
from bounced
left join alive using (email)
where seen_at is null or seen_at <= bounced_at
