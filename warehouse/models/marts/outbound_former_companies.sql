-- One row per id that a company could have borne before its rows came to stand together, as the row of that id names it:
-- a platform knows a company by what was sent then.
-- grain: account_id
-- kind: view
-- published: no
-- column: account_id | the former id
-- column: became | the company it leads to today
-- column: name | name
-- column: name_en | English name
-- column: uscc | unified social credit code
-- column: domain | domain of its website, where that is its own
-- column: industry | industry as given
-- column: city | city
-- column: province | province
-- column: country | ISO 3166
select redirects.old_account_id as account_id,
       redirects.account_id as became,
       companies.name,
       companies.name_en,
       members.code as uscc,
       case when companies.domain_kind = 'own' then companies.domain end as domain,
       companies.industry,
       companies.city,
       companies.province,
       coalesce(companies.country, case when members.code is not null then 'CN' end) as country
from resolved.account_redirects as redirects
join resolved.account_members as members on members.own_account_id = redirects.old_account_id
join staging.companies using (row_id)
