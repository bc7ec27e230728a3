-- One row per distinct description of an employer, past or present: people who describe theirs alike are matched once.
-- grain: profile_id
-- column: profile_id | hash of the description
-- column: company_name | company as given
-- column: domain | domain of the company
-- column: phone | telephone number
-- column: uscc | code
-- column: crm_account_id | the CRM's account id
-- column: province_code | GB/T 2260 code
-- column: city_code | GB/T 2260 code
-- column: district_code | GB/T 2260 code
-- column: city | city, or as given abroad
-- column: people | persons who describe their employer so
select profile_id, company_name, company_domain as domain, phone, uscc, crm_account_id, province_code, city_code,
       district_code, city, count(*) as people
from matched.employer_claims
group by all
