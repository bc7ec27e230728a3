-- One row per company that people name and the directory lacks: an account of its own until a directory row confirms it.
-- grain: account_id
-- column: account_id | N and 16 hexadecimal digits of the hash of the comparison key
-- column: name | company as most people write it
-- column: name_key | its comparison key
-- column: province_code | GB/T 2260 code, where its people agree
-- column: city_code | GB/T 2260 code, where its people agree
-- column: city | city, where its people agree
-- column: domain | domain, where its people agree
-- column: people | persons who name it
-- column: made_by | person: somebody decided that it is a company of its own; rule: the name is that of a company
-- column: known_since | day from which it is known
-- column: is_from_lead | made from leads, not from a directory; true here
select employments.new_account_id as account_id,
       mode(claims.company_name order by claims.company_name) as name,
       employments.employer_key as name_key,
       case when count(distinct claims.province_code) = 1 then min(claims.province_code) end as province_code,
       case when count(distinct claims.city_code) = 1 then min(claims.city_code) end as city_code,
       case when count(distinct claims.city) = 1 then min(claims.city) end as city,
       case when count(distinct claims.company_domain) = 1 then min(claims.company_domain) end as domain,
       count(distinct employments.person_id) as people,
       case when bool_or(employments.method = 'new_account') then 'person' else 'rule' end as made_by,
       min(employments.known_since) as known_since,
       true as is_from_lead
from matched.employments
join matched.employer_claims as claims using (person_id, employer_key)
where employments.new_account_id is not null
group by employments.new_account_id, employments.employer_key
