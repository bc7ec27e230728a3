-- One row per lead: the channel, region, industry, grade and team under which the funnel's figures count it, and when it
-- was last an inquiry, MQL and SQL.
-- grain: lead_id
-- column: lead_id | the lead
-- column: person_id | the person
-- column: account_id | their company, where the match is decided; null otherwise
-- column: channel | channel of the first touch, else lead source; '(blank)' where there is none
-- column: region | province of the company, else of the person; '(unknown)'
-- column: industry | GB/T 4754 section of the company; '(unknown)'
-- column: grade | fit of the company, A to D; U unknown
-- column: team | team of the owner; '(none)' without one
-- column: last_inquiry_at | its latest inquiry, of whichever cycle, UTC
-- column: last_mql_at | its latest entry into MQL, UTC; null where it never was
-- column: last_sql_at | its latest entry into SQL, UTC; null where it never was
with place as (
    select province_code, mode(province order by province) as province
    from resolved.accounts
    where province_code in (select province_code from matched.persons)
    group by all
),
stage as (
    select lead_id, max(entered_at) filter (stage = 'inquiry') as last_inquiry_at,
           max(entered_at) filter (stage = 'mql') as last_mql_at, max(entered_at) filter (stage = 'sql') as last_sql_at
    from scored.lead_stages
    where stage in ('inquiry', 'mql', 'sql')
    group by lead_id
)
select leads.lead_id, leads.person_id, leads.account_id,
       coalesce(nullif(trim(leads.first_channel), ''), '(blank)') as channel,
       coalesce(accounts.province, place.province, '(unknown)') as region,
       coalesce(accounts.industry_section, '(unknown)') as industry,
       coalesce(account_fit.grade, 'U') as grade,
       coalesce(owners.team, '(none)') as team, stage.last_inquiry_at, stage.last_mql_at, stage.last_sql_at
from scored.leads
join matched.persons using (person_id)
left join stage on stage.lead_id = leads.lead_id
left join resolved.accounts on accounts.account_id = leads.account_id
left join resolved.account_fit on account_fit.account_id = leads.account_id
left join place on place.province_code = persons.province_code
left join scored.assignments on assignments.lead_id = leads.lead_id and assignments.is_current
left join core.owners_today as owners on owners.owner_id = assignments.owner_id
