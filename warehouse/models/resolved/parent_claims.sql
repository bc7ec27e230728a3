-- One row per account that names a parent we know: by its own column, as a branch (X公司 ⊃ X公司Y分公司), or by a group's
-- name (X集团 ⊃ X集团Y公司). A name counts only where one account bears it.
-- published: no
-- grain: account_id
-- column: account_id | the account
-- column: parent_account_id | the account it says it belongs to; may be itself, or part of a circle
-- column: strength | 1 the column says so, 2 the name of a branch, 3 the name of a group
-- column: evidence | what says so
with children as (
    select member.account_id, company.name_key, company.name_branch, company.parent, company.parent_key,
           company.source
    from resolved.account_members as member
    join staging.companies as company on company.row_id = member.row_id
    anti join resolved.merged_accounts as merged on merged.account_id = member.account_id
    where company.parent is not null or company.name_branch is not null or contains(company.name_key, '集团')
    union all
    select account_id, name_key, name_branch, parent, parent_key, parent_source from resolved.merged_accounts
),
wanted as (
    select account_id, parent_key as key, 1 as strength, 1 as preference, 'parent: ' || parent as evidence
    from children
    where parent_key is not null
    union all
    select account_id, left(name_key, length(name_key) - length(name_branch)), 2, 1, 'branch: ' || name_branch
    from children
    where ends_with(name_key, name_branch)
    union all
    select account_id, group_name || ending, 3, preference, 'group: ' || group_name
    from (
        select account_id, name_key, regexp_extract(name_key, '^(.{2,}?集团).+$', 1) as group_name,
               unnest(['有限公司', '', '公司', '股份有限公司', '总公司']) as ending,
               unnest([1, 2, 3, 4, 5]) as preference
        from children
        where contains(name_key, '集团')
    )
    where group_name <> ''
      and substr(name_key, length(group_name) + 1) not in ('', '有限公司', '公司', '股份有限公司', '总公司', '有限责任公司')
),
bearers as (
    select coalesce(name_key, name_en_key) as key, min(account_id) as parent_account_id
    from staging.companies
    join resolved.account_members using (row_id)
    where coalesce(name_key, name_en_key) in (select key from wanted)
    group by coalesce(name_key, name_en_key)
    having count(distinct account_id) = 1
),
named as (
    select account_id, parent_account_id, strength, preference, evidence from wanted join bearers using (key)
    union all
    select children.account_id, member.account_id, 1, 0, 'parent code: ' || parent
    from children
    join resolved.account_members as member on member.code = children.parent
    union all
    select children.account_id, member.account_id, 1, 0, 'parent id: ' || parent
    from children
    join resolved.account_members as member on member.row_id = children.source || ':' || children.parent
)
select account_id,
       arg_min(parent_account_id, {'strength': strength, 'preference': preference, 'parent': parent_account_id})
           as parent_account_id,
       min(strength)::bigint as strength,
       arg_min(evidence, {'strength': strength, 'preference': preference, 'parent': parent_account_id, 'said': evidence})
           as evidence
from named
where strength = 1 or account_id <> parent_account_id
group by account_id
