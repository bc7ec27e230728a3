-- One row per directory row: what the judge of pairs looks at in it.
-- published: no
-- kind: view
-- grain: r
-- column: r | the row: hash of its row_id
-- column: stem | the name without its legal form, where it ends in it
-- column: bare | the name without its legal form
-- column: place | province code, abroad the country
-- column: city | city code, abroad the city's name; a municipality is its own city
-- column: name_key | comparison key of the whole name, of the English one where there is no other
-- column: english | comparison key of the English name, also where it is the only one
-- column: core | proper name
-- column: word | trade
-- column: form | legal form
-- column: branch | branch part
-- column: region_code | code of the place in the name
-- column: registration_no | registration number
-- column: organisation_code | organisation code, given or inside the valid code
-- column: legal_representative | legal representative
-- column: founded_on | day of foundation
-- column: capital | registered capital
-- column: domain | web domain of its own
-- column: label | the first part of the domain
-- column: is_repaired | the code was mended
-- column: is_local_form | shops and traders: their names repeat from town to town and say nothing without the place
select hash(row_id) as r,
       coalesce(name_key, name_en_key) as name_key,
       coalesce(name_en_key, case when not regexp_matches(name_key, '\p{Han}') then name_key end) as english,
       name_core as core,
       name_industry_word as word,
       name_form as form,
       name_branch as branch,
       case when ends_with(name_key, replace(name_form, ' ', '')) and name_branch is null
            then left(name_key, length(name_key) - length(replace(name_form, ' ', ''))) end as stem,
       case when ends_with(name_key, replace(name_form, ' ', '')) and name_branch is null
            then left(name_key, length(name_key) - length(replace(name_form, ' ', ''))) else name_key end as bare,
       name_region_code as region_code,
       coalesce(name_form in ('个体工商户', '经营部', '商行', '店', '工作室', '场', '超市', '部', '馆', '站', '社'), false)
           as is_local_form,
       coalesce(province_code, nullif(country, 'CN')) as place,
       case when left(province_code, 2) in ('11', '12', '31', '50') then province_code
            when province_code is not null then city_code
            when country <> 'CN' then lower(city) end as city,
       registration_no,
       case when coalesce(uscc_state, '') <> 'repaired' then coalesce(organisation_code, case when uscc_state = 'valid' then substr(uscc, 9, 9) end) end as organisation_code,
       legal_representative,
       founded_on::varchar as founded_on,
       registered_capital::varchar as capital,
       case when domain_kind = 'own' then domain end as domain,
       split_part(domain, '.', 1) as label,
       uscc_state = 'repaired' as is_repaired
from staging.companies
