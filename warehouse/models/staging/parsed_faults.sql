-- One row per kind of column and value that its parser mended, emptied or flagged.
-- grain: kind, value, rule
-- column: kind | how the column is read
-- column: value | as received
-- column: repaired | what it became; null where it was emptied
-- column: rule | the rule
select 'text' as kind, value, text as repaired, rule from staging.parsed_texts where rule is not null
union all
select 'id' as kind, value, id as repaired, rule from staging.parsed_ids where rule is not null
union all
select 'name_list' as kind, value, array_to_string(names, ', ') as repaired, rule from staging.parsed_name_lists where rule is not null
union all
select 'name' as kind, value, name as repaired, rule from staging.parsed_names where rule is not null
union all
select 'code' as kind, value, coalesce(uscc, registration_no, organisation_code) as repaired, rule from staging.parsed_codes where rule is not null
union all
select 'phone' as kind, value, any_value(nullif(array_to_string(e164s, ', '), '')) as repaired, rule from staging.parsed_phones where rule is not null group by value, rule
union all
select 'email' as kind, value, coalesce(nullif(array_to_string(emails, ', '), ''), suggestion) as repaired, rule from staging.parsed_emails where rule is not null
union all
select 'domain' as kind, value, website as repaired, rule from staging.parsed_domains where rule is not null
union all
select 'date' as kind, value, day::varchar as repaired, rule from staging.parsed_times where rule is not null
union all
select 'time' as kind, value, occurred_at::varchar as repaired, rule from staging.parsed_times where rule is not null
union all
select 'amount' as kind, value, amount::varchar as repaired, rule from staging.parsed_amounts where rule is not null
union all
select 'currency' as kind, value, currency as repaired, rule from staging.parsed_currencies where rule is not null
union all
select 'number' as kind, value, number::varchar as repaired, rule from staging.parsed_numbers where rule is not null
union all
select 'share' as kind, value, share::varchar as repaired, rule from staging.parsed_shares where rule is not null
union all
select 'boolean' as kind, value, flag::varchar as repaired, rule from staging.parsed_booleans where rule is not null
union all
select 'employees' as kind, value, employees::varchar as repaired, rule from staging.parsed_employees where rule is not null
union all
select 'revenue' as kind, value, revenue::varchar as repaired, rule from staging.parsed_revenues where rule is not null
union all
select 'status' as kind, value, status as repaired, rule from staging.parsed_statuses where rule is not null
union all
select 'title' as kind, value, title as repaired, rule from staging.parsed_titles where rule is not null
union all
select 'industry' as kind, value, industry as repaired, rule from staging.parsed_industries where rule is not null
union all
select 'address' as kind, value, address as repaired, rule from staging.parsed_addresses where rule is not null
union all
select 'country' as kind, value, country as repaired, rule from staging.parsed_countries where rule is not null
union all
select vocabulary as kind, value, word as repaired, rule from staging.parsed_words where rule is not null
