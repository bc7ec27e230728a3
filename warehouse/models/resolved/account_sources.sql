-- One row per account: for each field the row it was taken from, or pin:<decision> where a person has fixed it.
-- kind: view
-- grain: account_id
-- column: account_id | the account
-- column: name_row_id | row of the name and its parts
-- column: uscc_row_id | row of the code; the first that bears it
-- column: registration_no_row_id | row of the registration number
-- column: name_en_row_id | row of the English name
-- column: short_name_row_id | row of the short name
-- column: status_row_id | row of the status
-- column: founded_on_row_id | row of the day of foundation
-- column: registered_capital_row_id | row of the capital and its currency
-- column: address_row_id | row of address, province, city and district
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
with codes as (
    select account_id, arg_min(row_id, position) as row_id from resolved.merged_rows where code is not null group by account_id
)
select account_id,
       coalesce(pin_ids['name'], name.row_id) as name_row_id,
       codes.row_id as uscc_row_id,
       coalesce(pin_ids['registration_no'], registration_no.row_id) as registration_no_row_id,
       coalesce(pin_ids['name_en'], name_en.row_id) as name_en_row_id,
       coalesce(pin_ids['short_name'], short_name.row_id) as short_name_row_id,
       coalesce(pin_ids['status'], status.row_id) as status_row_id,
       coalesce(pin_ids['founded_on'], founded_on.row_id) as founded_on_row_id,
       coalesce(pin_ids['registered_capital'], capital.row_id) as registered_capital_row_id,
       coalesce(pin_ids['address'], pin_ids['province'], pin_ids['city'], place.row_id) as address_row_id,
       coalesce(pin_ids['industry'], pin_ids['industry_section'], industry.row_id) as industry_row_id,
       coalesce(pin_ids['company_type'], company_type.row_id) as company_type_row_id,
       coalesce(pin_ids['employees'], employees.row_id) as employees_row_id,
       coalesce(pin_ids['revenue'], revenue.row_id) as revenue_row_id,
       coalesce(pin_ids['phone'], phone.row_id) as phone_row_id,
       coalesce(pin_ids['email'], email.row_id) as email_row_id,
       coalesce(pin_ids['website'], pin_ids['domain'], website.row_id) as website_row_id,
       coalesce(pin_ids['scope'], scope.row_id) as scope_row_id,
       coalesce(pin_ids['parent'], parent.row_id) as parent_row_id,
       coalesce(pin_ids['crm_account_id'], crm_account_id.row_id) as crm_account_id_row_id
from resolved.merged_accounts
left join codes using (account_id)
union all
select account_id,
       case when account.name is not null then row_id end,
       case when account.uscc is not null then row_id end,
       case when account.registration_no is not null then row_id end,
       case when account.name_en is not null then row_id end,
       case when account.short_name is not null then row_id end,
       case when account.status is not null then row_id end,
       case when account.founded_on is not null then row_id end,
       case when account.registered_capital is not null then row_id end,
       case when coalesce(account.province_code, account.province, account.city_code, account.city, account.address) is not null
            then row_id end,
       case when coalesce(account.industry, account.industry_section) is not null then row_id end,
       case when account.company_type is not null then row_id end,
       case when coalesce(account.employees::varchar, account.employees_band) is not null then row_id end,
       case when coalesce(account.revenue::varchar, account.revenue_band) is not null then row_id end,
       case when account.phone is not null then row_id end,
       case when account.email is not null then row_id end,
       case when coalesce(account.website, account.domain) is not null then row_id end,
       case when account.scope is not null then row_id end,
       null,
       case when account.crm_account_id is not null then row_id end
from resolved.accounts as account
join resolved.account_members using (account_id)
anti join resolved.merged_accounts using (account_id)
