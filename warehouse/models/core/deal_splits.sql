-- One row per deal, what it is split over, part and day from which the split was known: companies, or sales people.
-- The newest file that tells a deal's split takes the place of all that was told before, whole; of several sources that of
-- the most trusted counts. Shares told 33.33 three times are thirds: a part's own is `percent` over their sum.
-- grain: deal_id, axis, member_id, known_on
-- check: axis in ('account', 'owner')
-- check: percent >= 0
-- column: deal_id | the deal
-- column: axis | account or owner: what it is split over
-- column: member_id | the account, or the sales person; null for companies that the directory does not know
-- column: percent | as told, 0 to 100
-- column: known_on | the day this split was landed; that of a deal merged into this one not before the merge
-- column: known_until | the last day on which it held; null is today's
-- column: parts | members of the split
with told as (
    -- The split of a merged deal goes along, from that day on; where the deal that stands has its own, that counts.
    select told.* exclude (deal_id, landed_on), told.deal_id as told_deal_id,
           coalesce(merged_deals.deal_id, told.deal_id) as deal_id, merged_deals.deal_id is null as is_own,
           greatest(told.landed_on, merged_deals.merged_on) as known_on, told.landed_on
    from staging.split_tellings as told
    left join core.merged_deals on merged_deals.old_deal_id = told.deal_id
    where told.is_whole
),
file as (
    select distinct axis, deal_id, told_deal_id, file_sha, source_date, landed_on, known_on, sequence
    from told
    qualify rank() over (partition by axis, deal_id order by is_own desc, source_rank nulls last) = 1
),
telling as (
    select axis, deal_id, told_deal_id, file_sha, known_on
    from file
    qualify row_number() over (
        partition by axis, deal_id, known_on
        order by landed_on desc, source_date desc nulls last, sequence desc nulls last, file_sha, told_deal_id
    ) = 1
),
member as (
    select telling.axis, telling.deal_id, telling.known_on,
           case when telling.axis = 'owner' then told.owner_id
                else coalesce(redirects.account_id, mentions.account_id) end as member_id,
           sum(told.percent)::decimal(18, 6) as percent
    from telling
    join told using (axis, deal_id, told_deal_id, file_sha, known_on)
    left join resolved.company_mentions as mentions
        on mentions.entity = 'deal_splits' and mentions.row_id = told.row_id
    left join resolved.account_redirects as redirects on redirects.old_account_id = mentions.account_id
    group by all
),
split as (
    select axis, deal_id, known_on, list(row(member_id, percent) order by member_id nulls last) as members,
           count(*) as parts
    from member
    group by all
),
news as (
    select axis, deal_id, known_on, parts
    from split
    qualify lag(members) over (partition by axis, deal_id order by known_on) is distinct from members
),
dated as (
    select *, lead(known_on) over (partition by axis, deal_id order by known_on) - 1 as known_until from news
)
select member.deal_id, member.axis, member.member_id, member.percent, dated.known_on, dated.known_until, dated.parts
from dated
join member using (axis, deal_id, known_on)
