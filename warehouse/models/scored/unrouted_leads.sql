-- One row per lead that sales should have and nobody has: handed over, not yet an opportunity, and without an owner
-- who is still there. What routing asks about it stands in the columns.
-- grain: lead_id
-- column: lead_id | the lead
-- column: account_id | its company; null where undecided
-- column: cycle | its cycle
-- column: why_unrouted | new, waiting (in a pool), owner_gone, reclaimed, or returned (a new cycle)
-- column: waits_in | pool it waits in; null otherwise
-- column: assignments | how often it was assigned before
-- column: entered_at | when it entered its stage, UTC
-- column: stage | its stage
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: engagement_points | engagement on the day of the run
-- column: channel | channel of the first touch
-- column: provinces | names (short, lower case) and codes of its province and city
-- column: industries | section, division and name of its industry, lower case
-- column: sizes | band of employees
-- column: products | product line; empty is unknown
-- column: languages | names of the language to speak: Chinese in China, English elsewhere; empty is unknown
-- column: holder_id | sales person who works its company already
-- column: holder_reason | how: open deal, customer, lead of a colleague, target list
-- column: reserved_owner_id | holder of the reserved account
-- column: cooling_owner_ids | owners it was taken back from who may not have it again yet
-- column: goes_first | half-open directory: leads of listed companies before all others
-- column: held_by | why it is kept from sales (scored.held_leads), waiting here; null: it is routed
with handover as (
    select rank from rules.stages where is_handover
),
workable as (
    select lead_stages.lead_id, lead_stages.cycle, lead_stages.stage, lead_stages.entered_at,
           min(lead_stages.decided_at) over (partition by lead_stages.lead_id, lead_stages.cycle) as cycle_decided_at
    from scored.lead_stages
    join rules.stages using (stage)
    cross join handover
    where lead_stages.is_current and stages.rank >= handover.rank
      and stages.rank < (select rank from rules.stages where stage = 'opportunity')
),
waiting as (
    select workable.*, assignments.owner_id, assignments.pool_id, assignments.assigned_at,
           coalesce(assignments.number, 0) as assignments,
           case when assignments.lead_id is null then 'new'
                when workable.cycle > 1 and assignments.assigned_at < workable.cycle_decided_at then 'returned'
                -- Who is in a pool is looked at again in the next run, not in a repetition of this one.
                when assignments.owner_id is null then case when assignments.assigned_at < $at then 'waiting' end
                when not coalesce(owners.is_active, false) then 'owner_gone'
                when assignments.reclaim_at <= $at then 'reclaimed'
           end as why_unrouted
    from workable
    left join scored.assignments on assignments.lead_id = workable.lead_id and assignments.is_current
    left join core.owners_today as owners on owners.owner_id = assignments.owner_id
),
cooling as (
    select lead_id, list(distinct owner_id order by owner_id) as owner_ids
    from scored.assignments
    cross join rules.reclaim
    where owner_id is not null
      and reclaim_at <= $at and reclaim_at > $at - to_days(reclaim.cool_down_days)
    group by all
),
holding as (
    select account_id, owner_id, 1 as preference, 'open deal ' || deal_id as reason, created_at as since
    from core.deals
    where status = 'open' and owner_id is not null
    union all
    select account_id, owner_id, 2, 'customer, deal ' || deal_id, closed_at
    from core.deals
    where status = 'won' and owner_id is not null
    union all
    select leads.account_id, assignments.owner_id, 3, 'lead ' || leads.lead_id, assignments.assigned_at
    from scored.assignments
    join scored.leads using (lead_id)
    join scored.lead_stages using (lead_id)
    join rules.stages using (stage)
    where assignments.is_current and assignments.owner_id is not null and lead_stages.is_current and stages.is_open
      and coalesce(assignments.reclaim_at > $at, true) and assignments.assigned_at < $at
    union all
    select account_id, owner_id, 4, 'target list', valid_from::timestamp
    from resolved.target_accounts
    where list = 'target' and owner_id is not null and coalesce(valid_from, $as_of) <= $as_of
      and coalesce(valid_to, $as_of) >= $as_of
),
holder as (
    select account_id, owner_id, reason
    from holding
    where account_id is not null
    qualify row_number() over (partition by account_id
        order by preference, since desc nulls last, reason, owner_id) = 1
),
province as (
    select province_code, mode(province order by province) as name from resolved.accounts where province_code is not null group by all
),
city as (
    select city_code, mode(city order by city) as name from resolved.accounts where city_code is not null group by all
),
listed as (
    select distinct account_id
    from resolved.target_accounts
    where list <> 'exclusion' and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
reserved as (
    select account_id, min(owner_id) as owner_id
    from resolved.target_accounts
    where list = 'reserved' and owner_id is not null and coalesce(valid_from, $as_of) <= $as_of
      and coalesce(valid_to, $as_of) >= $as_of
    group by all
)
select waiting.lead_id, leads.account_id, waiting.cycle, waiting.why_unrouted,
       case when waiting.why_unrouted = 'waiting' then waiting.pool_id end as waits_in,
       waiting.assignments::bigint as assignments,
       waiting.entered_at, waiting.stage, grades.fit_grade, grades.engagement_band,
       grades.engagement_points::double as engagement_points,
       leads.first_channel as channel,
       [regexp_replace(lower(name), '(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|省|市)$', '') for name in
           [coalesce(accounts.province, province.name), coalesce(accounts.province_code, persons.province_code),
            coalesce(accounts.city, city.name), coalesce(accounts.city_code, persons.city_code)]
           if name is not null] as provinces,
       [lower(name) for name in [accounts.industry_section, accounts.industry_division, accounts.industry]
           if name is not null] as industries,
       [lower(name) for name in [accounts.employees_band] if name is not null] as sizes,
       []::varchar[] as products,
       case when coalesce(accounts.country, persons.country) = 'CN' then ['zh', '中文', 'chinese', '汉语', '普通话']
            when coalesce(accounts.country, persons.country) is not null then ['en', 'english', '英语', '英文']
            else [] end::varchar[] as languages,
       holder.owner_id as holder_id,
       holder.reason as holder_reason,
       reserved.owner_id as reserved_owner_id,
       coalesce(cooling.owner_ids, []) as cooling_owner_ids,
       listed.account_id is not null and directory.mode = 'half_open' as goes_first,
       held_leads.held_by
from waiting
join scored.leads using (lead_id)
join scored.grades using (lead_id)
join matched.persons on persons.person_id = leads.person_id
left join resolved.accounts on accounts.account_id = leads.account_id
left join province on province.province_code = persons.province_code
left join city on city.city_code = persons.city_code
left join holder on holder.account_id = leads.account_id
left join reserved on reserved.account_id = leads.account_id
left join cooling on cooling.lead_id = waiting.lead_id
left join scored.held_leads on held_leads.lead_id = waiting.lead_id
left join listed on listed.account_id = leads.account_id
cross join rules.directory
where waiting.why_unrouted is not null
