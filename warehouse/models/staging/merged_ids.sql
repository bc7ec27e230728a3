-- One row per id that a merge in the CRM gave up, and the id that stands for it today, over any number of merges.
-- Our own keys that merged records bore stand here too, under the kind `key`.
-- grain: source, kind, old_id
-- column: source | the source whose ids these are
-- column: kind | deal, person (leads and contacts), company, or key
-- column: old_id | the id that was given up
-- column: new_id | the id that stands for it
-- column: merged_on | the day on which that was landed first
with recursive told as (
    select source,
           case object when 'deals' then 'deal' when 'companies' then 'company' else 'person' end as kind,
           old_id, new_id, first_landed_on, merged_at
    from staging.merges
    where object in ('deals', 'companies', 'leads', 'contacts')
    union all
    select source, 'key', old_key, new_key, first_landed_on, merged_at
    from staging.merges
    where old_key is not null and new_key is not null
),
merge as (
    select source, kind, old_id, arg_max(new_id, (first_landed_on, new_id)) as new_id, min(first_landed_on) as merged_on,
           row_number() over (order by max(first_landed_on), max(merged_at) nulls first, source, kind, old_id) as place
    from told
    where old_id <> new_id
    group by source, kind, old_id
),
-- The way ends where it comes back to its start, or after more steps than any CRM has.
step as (
    select source, kind, old_id, new_id, merged_on, place, 1 as steps from merge
    union all
    select step.source, step.kind, step.old_id, merge.new_id, step.merged_on, greatest(step.place, merge.place),
           step.steps + 1
    from step
    join merge on merge.source = step.source and merge.kind = step.kind and merge.old_id = step.new_id
    where step.steps < 20 and step.new_id <> step.old_id
),
-- People merged to and fro: the word told last holds, what it names stands and is given up no more.
ring as (
    select step.source, step.kind, step.old_id as id, merge.new_id as stands
    from step
    join merge using (place)
    where step.new_id = step.old_id
),
final as (
    select source, kind, old_id, arg_max(new_id, steps) as new_id, min(merged_on) as merged_on
    from step
    group by all
)
select final.source, final.kind, final.old_id, coalesce(ring.stands, final.new_id) as new_id, final.merged_on
from final
left join ring on ring.source = final.source and ring.kind = final.kind and ring.id = final.new_id
where coalesce(ring.stands, final.new_id) <> final.old_id
