-- One row per directory row and key that can bring it together with another row; equal keys are no judgement yet.
-- Kinds: code, organisation (inside the code), registration, name (all names it bears or bore), parts (proper name, trade
-- and branch, without place and form), english, phone, email, domain (its own), address, person (representative with
-- province, or with the founding day). What a person has split off has no key but its code.
-- published: no
-- grain: r, kind, key_hash
-- column: r | the row: hash of its row_id
-- column: kind | kind of the key
-- column: key_hash | hash of the key
-- column: is_present | false for a name that the row does not bear today: former, short, English
-- column: named_hash | hash of how its name begins: many of them on one key make the key a shared one
-- column: code_hash | hash of its valid code; null without
with told as (
    select hash(row_id) as r,
           hash(case when regexp_matches(name_key, '\p{Han}') then left(name_core, 2)
                     else split_part(name_core, ' ', 1) end) as named_hash,
           case when uscc_state = 'valid' then hash(uscc) end as code_hash,
           uscc_state, uscc, organisation_code, registration_no,
           coalesce(name_key, name_en_key) as name_key, name_key is not null as has_name, name_en_key, short_name_key,
           former_name_keys, name_core, name_industry_word, name_branch, phones, emails, domain, domain_kind, address,
           legal_representative, province_code, founded_on,
           row_id in (select row_id from resolved.account_decisions where part = 'apart') as is_apart
    from staging.companies
    where coalesce(name_key, name_en_key, registration_no) is not null or uscc_state in ('valid', 'repaired')
),
addressed as (
    select r, named_hash, code_hash, regexp_replace(address, '[^\p{Han}\p{Latin}0-9]', '', 'g') as address
    from told
    where address is not null and regexp_matches(address, '[0-9]') and not is_apart
),
-- A mail domain is the company's own where it has no web address that says so, and nobody gives such mail boxes away.
mail_domain as (
    select told.r, told.named_hash, told.code_hash, parsed.domain
    from (select r, named_hash, code_hash, unnest(emails) as email from told where len(emails) > 0 and not is_apart) as told
    join staging.parsed_emails as parsed on parsed.value = told.email
    where parsed.domain_kind = 'own'
),
claims as (
    select r, 'code' as kind, hash(uscc) as key_hash, true as is_present, named_hash, code_hash
    from told
    where uscc_state in ('valid', 'repaired')
    union all
    select r, 'organisation', hash(coalesce(organisation_code, substr(uscc, 9, 9))), true, named_hash, code_hash
    from told
    where (organisation_code is not null or uscc_state = 'valid') and coalesce(uscc_state, '') <> 'repaired' and not is_apart
    union all
    select r, 'registration', hash(registration_no), true, named_hash, code_hash
    from told
    where registration_no is not null and not is_apart
    union all
    select r, 'name', hash(name_key), true, named_hash, code_hash from told where name_key is not null and not is_apart
    union all
    select r, 'name', hash(name), false, named_hash, code_hash
    from (
        select r, named_hash, code_hash, name_key, unnest(list_distinct([name_en_key, short_name_key] || coalesce(former_name_keys, []))) as name
        from told
        where coalesce(name_en_key, short_name_key, former_name_keys[1]) is not null and not is_apart
    )
    where name is not null and name is distinct from name_key
    union all
    select r, 'english', hash(name_en_key), true, named_hash, code_hash
    from told
    where name_en_key is not null and not is_apart
    union all
    select r, 'parts', hash(concat_ws('|', name_core, name_industry_word, name_branch)), true, named_hash, code_hash
    from told
    where length(name_core) > 1 and not is_apart
    union all
    select r, 'phone', hash(unnest(phones)), true, named_hash, code_hash from told where len(phones) > 0 and not is_apart
    union all
    select r, 'email', hash(unnest(emails)), true, named_hash, code_hash from told where len(emails) > 0 and not is_apart
    union all
    select r, 'domain', hash(domain), true, named_hash, code_hash
    from (
        select r, domain, named_hash, code_hash from told where domain_kind = 'own' and not is_apart
        union
        select r, domain, named_hash, code_hash from mail_domain
    )
    union all
    select r, 'address', hash(address), true, named_hash, code_hash from addressed where length(address) >= 8
    union all
    select r, 'person', hash(legal_representative || '|' || said), true, named_hash, code_hash
    from (
        select r, legal_representative, unnest([province_code, founded_on::varchar]) as said, named_hash, code_hash
        from told
        where legal_representative is not null and not is_apart
    )
    where said is not null
)
select r, kind, key_hash, is_present, named_hash, code_hash
from claims
