-- One row per company that is worked and is no person: what a list of companies is chosen by and made of.
-- grain: account_id
-- kind: view
-- published: no
-- column: account_id | the company
-- column: hold | why it is on no list: excluded, company_closed; null otherwise
-- column: name | registered name
-- column: name_en | English name
-- column: uscc | unified social credit code
-- column: domain | its own domain
-- column: domains | all domains of its own, by which it may ask to be left alone
-- column: industry | industry as given
-- column: industry_section | section of GB/T 4754
-- column: city | city
-- column: province | province
-- column: country | ISO 3166
-- column: place_code | GB/T 2260 code of its place
-- column: tags | its tags
-- column: tier | on the target list
-- column: is_customer | it has a deal won
-- column: fit_grade | A to D
-- column: last_touch_on | day of the last touch of its people, UTC
select account.account_id,
       case when list_contains(account.lists, 'exclusion') then 'excluded'
            when account.status in ('revoked', 'cancelled') then 'company_closed'
       end as hold,
       account.name,
       accounts.name_en,
       account.uscc,
       accounts.domain,
       accounts.domains,
       account.industry,
       account.industry_section,
       account.city,
       account.province,
       coalesce(accounts.country, case when account.uscc is not null then 'CN' end) as country,
       coalesce(accounts.district_code, accounts.city_code, accounts.province_code) as place_code,
       account.tags,
       account.tier,
       account.won_deals > 0 as is_customer,
       account.grade as fit_grade,
       account.last_touch_at::date as last_touch_on
from marts.account_360 as account
join resolved.accounts using (account_id)
-- A trader in their own name (个体工商户, codes beginning with 92) is a person; lists of companies hold none.
where not coalesce(starts_with(account.uscc, '92'), false)
  and coalesce(accounts.name_form, '') <> '个体工商户'
  and coalesce(accounts.company_type, '') not like '%个体%'
