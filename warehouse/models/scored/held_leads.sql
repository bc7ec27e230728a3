-- One row per lead that the directory's rules keep from sales (客户目录化), with the reason: kept and counted, not routed, not
-- pushed. Listed is whose company stands on the target or the reserved list today.
-- grain: lead_id
-- check: held_by in ('on_exclusion_list', 'reserved_without_owner', 'off_list', 'off_list_below_grade')
-- column: lead_id | the lead
-- column: account_id | its company; null where undecided
-- column: held_by | on_exclusion_list; reserved_without_owner; off_list (closed); off_list_below_grade (half_open)
-- column: reason | the rule with what it found
with valid as (
    select account_id, list, owner_id, entry_id
    from resolved.target_accounts
    where coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
),
marked as (
    select account_id, bool_or(list <> 'exclusion') as is_listed,
           min(entry_id) filter (list = 'exclusion') as excluded_by,
           min(entry_id) filter (list = 'reserved') as reserved_by,
           bool_or(list = 'reserved' and owner_id is not null) as has_reserved_owner
    from valid
    group by account_id
),
judged as (
    select leads.lead_id, leads.account_id, marked.excluded_by, marked.reserved_by, grades.fit_grade,
           case when marked.excluded_by is not null then 'on_exclusion_list'
                when marked.reserved_by is not null and not marked.has_reserved_owner then 'reserved_without_owner'
                when coalesce(marked.is_listed, false) then null
                when directory.mode = 'closed' then 'off_list'
                when directory.mode = 'half_open' and not list_contains(directory.half_open_grades, grades.fit_grade)
                    then 'off_list_below_grade'
           end as held_by
    from scored.leads
    join scored.grades using (lead_id)
    cross join rules.directory
    left join marked on marked.account_id = leads.account_id
)
select lead_id, account_id, held_by,
       case held_by
           when 'on_exclusion_list' then 'its company is on the exclusion list (' || excluded_by || ')'
           when 'reserved_without_owner' then 'its company is reserved (' || reserved_by || ') for nobody named'
           when 'off_list' then 'directory mode closed: its company is on no target list'
           else 'directory mode half_open: its company is on no target list and fits with grade ' || fit_grade
       end as reason
from judged
where held_by is not null
