-- One row per account: for each field the row it was taken from, or pin:<decision> where a person has fixed it.
-- kind: view
-- published: view
-- grain: account_id
-- column: account_id | the account
-- column: name_row_id | row of the name and its parts
-- column: uscc_row_id | row of the code
-- column: registration_no_row_id | row of the registration number
-- column: name_en_row_id | row of the English name
-- column: short_name_row_id | row of the short name
-- column: status_row_id | row of the status
-- column: founded_on_row_id | row of the day of foundation
-- column: registered_capital_row_id | row of the capital and its currency
-- column: address_row_id | row of address, province, city and district
-- column: country_row_id | row of the country
-- column: industry_row_id | row of the industry and its codes
-- column: company_type_row_id | row of the type
-- column: employees_row_id | row of the number of people and its band
-- column: revenue_row_id | row of the revenue and its band
-- column: phone_row_id | row of the first telephone number
-- column: email_row_id | row of the mail address
-- column: website_row_id | row of web address and domain
-- column: scope_row_id | row of the business scope
-- column: parent_row_id | row that names the parent
-- column: crm_account_id_row_id | row of the CRM's id
select account_id,
       name_row_id, uscc_row_id, registration_no_row_id, name_en_row_id, short_name_row_id, status_row_id,
       founded_on_row_id, registered_capital_row_id, address_row_id, country_row_id, industry_row_id,
       company_type_row_id, employees_row_id, revenue_row_id, phone_row_id, email_row_id, website_row_id, scope_row_id,
       parent_row_id, crm_account_id_row_id
from resolved.merged_accounts
union all
select account_id,
       case when name is not null then row_id end,
       case when uscc is not null then row_id end,
       case when registration_no is not null then row_id end,
       case when name_en is not null then row_id end,
       case when short_name is not null then row_id end,
       case when status is not null then row_id end,
       case when founded_on is not null then row_id end,
       case when registered_capital is not null then row_id end,
       case when coalesce(province_code, city_code, province, city, address) is not null then row_id end,
       case when country is not null then row_id end,
       case when coalesce(industry, industry_section) is not null then row_id end,
       case when company_type is not null then row_id end,
       case when coalesce(employees::varchar, employees_band) is not null then row_id end,
       case when coalesce(revenue::varchar, revenue_band) is not null then row_id end,
       case when phone is not null then row_id end,
       case when email is not null then row_id end,
       case when coalesce(website, domain) is not null then row_id end,
       case when scope is not null then row_id end,
       case when hierarchy.evidence like 'parent%' then row_id end,
       case when crm_account_id is not null then row_id end
from resolved.accounts
join resolved.account_members using (account_id)
left join resolved.hierarchy using (account_id)
anti join resolved.merged_accounts using (account_id)
