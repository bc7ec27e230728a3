-- One row per directory row that can be told apart by a valid code, a registration number or a name.
-- Accounts are named after the row that was landed first, and `n` counts in that order.
-- grain: n
-- published: no
-- check: code is not null or registration_no is not null or name_key is not null
-- column: n | place in the order that names accounts: landing day, source rank, source, source key
-- column: row_id | source and source key
-- column: own_account_id | the account's id if this row names it
-- column: source | the row's source
-- column: source_key | the row's key in that source
-- column: landed_on | day the latest version of the row was landed
-- column: first_landed_on | day this source key was landed first
-- column: code | unified social credit code that counts: valid, or repaired with a second row of code and name to support it
-- column: registration_no | 15-digit registration number
-- column: name_key | comparison key of the whole name, of the English name where there is no other
-- column: stem | the name's key without its legal form, where more than a proper name is left; null for branches
-- column: has_form | the name says its legal form
-- column: parts_key | core, trade, form and branch of the name, for evidence that the place is left out of
-- column: is_local_form | shops and traders: their names repeat from town to town and say nothing without the place
-- column: place | province code, abroad the country
-- column: city | city code, abroad the city's name; a municipality is its own city
-- column: other_name_keys | comparison keys of former names and of the English name
-- column: own_domain | web or mail domain, if the company's own
-- column: phones | telephone numbers, E.164
with supported_codes as (
    -- A letter O read as 0 may be wrong twice: only another row with the same code and name makes it count.
    select distinct one.row_id, one.uscc as code
    from staging.companies as one
    join staging.companies as other
        on one.uscc = other.uscc and one.name_key = other.name_key and one.row_id <> other.row_id
    where one.uscc_state = 'repaired' and other.uscc_state in ('valid', 'repaired')
),
numbered as (
    select rowid as stands_at,
           (row_number() over (order by first_landed_on, source_rank nulls last, source, source_key))::integer as n
    from staging.companies
),
keyed as (
    select n, row_id, source, source_key, landed_on, first_landed_on, registration_no,
           coalesce(name_key, name_en_key) as name_key,
           coalesce(case when uscc_state = 'valid' then uscc end, supported_codes.code) as code,
           case when name_branch is null and (name_industry_word is not null or contains(name_core, ' '))
                then left(name_key, length(name_key) - length(coalesce(replace(name_form, ' ', ''), ''))) end as stem,
           name_form is not null as has_form,
           name_core || '|' || coalesce(name_industry_word, '') || '|' || coalesce(name_form, '') || '|'
               || coalesce(name_branch, '') as parts_key,
           coalesce(name_form in ('个体工商户', '经营部', '商行', '店', '工作室', '场', '超市', '部', '馆', '站', '社'), false)
               as is_local_form,
           coalesce(province_code, nullif(country, 'CN')) as place,
           case when left(province_code, 2) in ('11', '12', '31', '50') then province_code
                when province_code is not null then city_code
                when country <> 'CN' then lower(city) end as city,
           list_distinct(coalesce(former_name_keys, []::varchar[]) || [name_en_key]) as other_name_keys,
           case when domain_kind = 'own' then domain end as own_domain,
           phones
    from staging.companies as company
    join numbered on numbered.stands_at = company.rowid
    left join supported_codes using (row_id)
)
select n, row_id,
       'A' || left(md5(row_id), 16) as own_account_id,
       source, source_key, landed_on, first_landed_on, code, registration_no, name_key, stem, has_form, parts_key,
       is_local_form, place, city, other_name_keys, own_domain, phones
from keyed
where code is not null or registration_no is not null or name_key is not null
