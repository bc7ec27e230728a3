-- One row per account and criterion of the ideal customer profile that counted; the fit is their sum.
-- Written out on demand from resolved.account_fit, the criteria and the account's fields.
-- kind: view
-- published: view
-- grain: account_id, criterion_id
-- column: account_id | the account
-- column: criterion_id | the criterion (rules.icp)
-- column: points | points after the caps of group and total
-- column: evidence | field and value; for keywords the first one found
with counted as (
    select account_id, unnest(criteria) as position, unnest(criterion_points) as points from resolved.account_fit
),
asked as (
    select counted.account_id, criterion_id, counted.points, asks, words, name_key,
           case asks
               when 'name' then name
               when 'name_form' then name_form
               when 'status' then status
               when 'industry' then industry
               when 'industry_section' then industry_section
               when 'industry_division' then industry_division
               when 'company_type' then company_type
               when 'country' then country
               when 'uscc' then uscc
               when 'employees_band' then employees_band
               when 'revenue_band' then revenue_band
               when 'registered_capital_currency' then registered_capital_currency
               when 'scope' then scope
               when 'website' then website
               when 'domain' then domain
               when 'phone' then phone
               when 'email' then email
               when 'employees' then employees::varchar
               when 'revenue' then revenue::varchar
               when 'registered_capital' then registered_capital::varchar
               when 'member_count' then member_count::varchar
               when 'is_branch' then is_branch::varchar
               when 'region' then coalesce(district_code, city_code, province_code)
           end as value
    from counted
    join rules.icp using (position)
    join resolved.accounts on accounts.account_id = counted.account_id
)
select account_id, criterion_id, points,
       case when asks = 'tag' then 'tag ' || array_to_string(words, ', ')
            when len(words) > 0
                then asks || ' '
                     || list_filter(words, lambda word: contains(lower(concat_ws(' ', value, name_key)), lower(word)))[1]
            else asks || ' ' || coalesce(value, 'unknown')
       end as evidence
from asked
