-- One row per lead that sales should have and nobody has: handed over, not yet an opportunity, and without an owner
-- who is still there. What routing asks about it stands in the columns.
-- grain: lead_id
-- column: lead_id | the lead
-- column: account_id | its company; null where undecided
-- column: cycle | its cycle
-- column: why_unrouted | new, waiting (in a pool), owner_gone, reclaimed, or returned (a new cycle)
-- column: waits_in | pool it waits in; null otherwise
-- column: assignments | how often it was assigned before
-- column: last_assignment_id | its newest assignment, which the next one follows; null without one
-- column: last_owner_id | whom that names; null in a pool
-- column: reclaimed_at | end of the day on which it was reclaimed, UTC; null otherwise
-- column: timer | what ran out: no_follow_up or no_deal; null in a pool
-- column: entered_at | when it entered its stage, UTC
-- column: stage | its stage
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: engagement_points | engagement on the day of the run
-- column: channel | channel of the first touch
-- column: provinces | names (short, lower case) and codes of its province and city
-- column: industries | section, division and name of its industry, lower case
-- column: sizes | band of employees
-- column: products | product lines; empty is unknown
-- column: languages | names of the language to speak: Chinese in China, English elsewhere; empty is unknown
-- column: holder_id | sales person who works its company already
-- column: holder_rule | how: open_deal, customer, customer_claim, colleague_lead, target_list
-- column: holder_evidence | the deal, lead or entry of the list
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
    select workable.*, assignments.owner_id, assignments.pool_id, assignments.assigned_at, assignments.reclaim_at,
           assignments.timer, assignments.assignment_id as last_assignment_id,
           coalesce(assignments.number, 0) as assignments,
           case when assignments.lead_id is null then 'new'
                when workable.cycle > 1 and assignments.assigned_at < workable.cycle_decided_at then 'returned'
                -- Who is in a pool is looked at again in the next run, not in a repetition of this one.
                when assignments.owner_id is null
                    then case when assignments.assigned_at < $at or assignments.path <> 'assigned' then 'waiting' end
                when not coalesce(owners.is_active, false) then 'owner_gone'
                when assignments.reclaim_at <= $at then 'reclaimed'
           end as why_unrouted
    from workable
    left join scored.assignments on assignments.lead_id = workable.lead_id and assignments.is_current
    left join core.owners_today as owners on owners.owner_id = assignments.owner_id
),
left_behind as (
    -- Who lost or gave back a lead: the owner before the line that says so.
    select lead_id, assigned_at, path, lag(owner_id) over (partition by lead_id order by number) as owner_id
    from scored.assignments
),
cooling as (
    select lead_id, list(distinct owner_id order by owner_id) as owner_ids
    from (
        select lead_id, owner_id, assigned_at from left_behind where path in ('reclaim', 'release')
        union all
        select lead_id, owner_id, reclaim_at
        from scored.assignments
        where is_current and owner_id is not null and reclaim_at <= $at
    )
    cross join rules.reclaim
    where owner_id is not null and assigned_at <= $at and assigned_at > $at - to_days(reclaim.cool_down_days)
    group by all
),
holding as (
    select account_id, owner_id, 1 as preference, 'open_deal' as rule, deal_id as evidence, created_at as since
    from core.deals
    where status = 'open' and owner_id is not null
    union all
    select account_id, holder_id, 2, held_by, evidence, since
    from scored.customer_holders
    where holder_id is not null and not is_due
    union all
    select leads.account_id, assignments.owner_id, 3, 'colleague_lead', leads.lead_id, assignments.assigned_at
    from scored.assignments
    join scored.leads using (lead_id)
    join scored.lead_stages using (lead_id)
    join rules.stages using (stage)
    where assignments.is_current and assignments.owner_id is not null and lead_stages.is_current and stages.is_open
      and coalesce(assignments.reclaim_at > $at, true) and assignments.assigned_at < $at
    union all
    select account_id, owner_id, 4, 'target_list', entry_id, valid_from::timestamp
    from resolved.target_accounts
    where list = 'target' and owner_id is not null and coalesce(valid_from, $as_of) <= $as_of
      and coalesce(valid_to, $as_of) >= $as_of
),
holder as (
    select account_id, owner_id, rule, evidence
    from holding
    where account_id is not null
    qualify row_number() over (partition by account_id
        order by preference, since desc nulls last, evidence, owner_id) = 1
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
select waiting.lead_id, facts.account_id, waiting.cycle, waiting.why_unrouted,
       case when waiting.why_unrouted = 'waiting' then waiting.pool_id end as waits_in,
       waiting.assignments::bigint as assignments,
       waiting.last_assignment_id, waiting.owner_id as last_owner_id,
       case when waiting.why_unrouted = 'reclaimed' then waiting.reclaim_at end as reclaimed_at, waiting.timer,
       waiting.entered_at, waiting.stage, facts.fit_grade, facts.engagement_band, facts.engagement_points,
       facts.channel, facts.provinces, facts.industries, facts.sizes, facts.products, facts.languages,
       holder.owner_id as holder_id,
       holder.rule as holder_rule,
       holder.evidence as holder_evidence,
       reserved.owner_id as reserved_owner_id,
       coalesce(cooling.owner_ids, []) as cooling_owner_ids,
       listed.account_id is not null and directory.mode = 'half_open' as goes_first,
       held_leads.held_by
from waiting
join scored.routing_facts as facts using (lead_id)
left join holder on holder.account_id = facts.account_id
left join reserved on reserved.account_id = facts.account_id
left join cooling on cooling.lead_id = waiting.lead_id
left join scored.held_leads on held_leads.lead_id = waiting.lead_id
left join listed on listed.account_id = facts.account_id
cross join rules.directory
where waiting.why_unrouted is not null
