-- One row per thing that happened to an account: when and why it took in another, was kept apart, lost a claimed parent,
-- was decided on by a person, or asks for a look.
-- grain: account_id, event, other_account_id, reason
-- column: account_id | the account
-- column: event | merged, kept_apart, parent_refused, merge, split, pin, succeeded_by, succeeds, keep, target, many_rows
-- column: other_account_id | the id that was given up, or the other account
-- column: as_of | the day
-- column: reason | the evidence; in a circle of parents all rows that make it
-- column: actor | the person who decided; null for a rule
with parted as (
    select one_r, other_r, strength, method || ': ' || evidence as reason
    from resolved.links
    join resolved.clusters as one_cluster on one_cluster.r = one_r
    join resolved.clusters as other_cluster on other_cluster.r = other_r and other_cluster.root_r <> one_cluster.root_r
    where verdict > 0 and method not in ('person', 'split')
),
row_hashes as (
    select hash(row_id) as r, account_id, first_landed_on, code is not null as has_code
    from resolved.account_members
    where hash(row_id) in (select unnest([one_r, other_r]) from parted)
),
cut as (
    -- Of two that were kept apart, the one that gave no code asks for a look.
    select case when one.has_code then other.account_id else one.account_id end as account_id,
           case when one.has_code then one.account_id else other.account_id end as other_account_id,
           greatest(one.first_landed_on, other.first_landed_on) as as_of, reason, strength
    from parted
    join row_hashes as one on one.r = one_r
    join row_hashes as other on other.r = other_r
),
kept_apart as (
    select account_id, min(other_account_id) as other_account_id, max(as_of) as as_of,
           arg_max(reason, {'strength': strength, 'reason': reason}) || ' (' || count(distinct other_account_id) || ' companies)'
               as reason
    from cut
    group by account_id
),
circle as (
    select cuts.account_id, cuts.parent_account_id, cuts.rule, any_value(cuts.evidence) as evidence,
           max(naming.first_landed_on) as as_of, string_agg(naming.row_id, ' → ' order by naming.row_id) as named
    from (select *, unnest(members) as member_id from resolved.hierarchy_cuts) as cuts
    join resolved.account_members as naming on naming.own_account_id = cuts.member_id and naming.account_id = cuts.member_id
    group by cuts.account_id, cuts.parent_account_id, cuts.rule
),
decided as (
    select decision_id, kind, decided_on, actor, decisions.reason, part, account_id, field, value, code
    from resolved.account_decisions as decisions
    join resolved.account_members using (row_id)
),
people_said as (
    select one.account_id,
           case when one.part = 'before' or one.kind = 'merge' and one.account_id <> other.account_id then 'succeeded_by'
                when one.part = 'after' then 'succeeds'
                else one.kind end as event,
           nullif(other.account_id, one.account_id) as other_account_id,
           one.decided_on as as_of,
           coalesce(coalesce(one.field || ' = ', '') || one.value || ': ', '') || coalesce(one.reason, '') || ' (' || one.decision_id || ')'
               as reason,
           one.actor
    from decided as one
    left join decided as other
        on other.decision_id = one.decision_id and other.account_id <> one.account_id and one.kind <> 'pin'
    where one.kind <> 'succeed' or one.part in ('before', 'after')
)
select account_id, 'merged' as event, own_account_id as other_account_id, tied_on as as_of,
       method || ': ' || evidence as reason, null::varchar as actor
from resolved.account_members
where own_account_id <> account_id and tied_on > first_landed_on
union all
select account_id, 'kept_apart', other_account_id, as_of, reason, null from kept_apart
union all
select account_id, 'parent_refused', parent_account_id, as_of, rule || ': ' || evidence || ' [' || named || ']', null
from circle
union all
select distinct account_id, event, other_account_id, as_of, reason, actor from people_said
union all
select account_id, 'many_rows', null, max(first_landed_on), count(*) || ' rows', null
from resolved.account_members
where method <> 'alone'
group by account_id
having count(*) >= (select any_value(review_from_members) from rules.directory)
