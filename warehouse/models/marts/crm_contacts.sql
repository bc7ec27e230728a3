-- One row per person whose lead was handed over: the contact the CRM is to hold. crm.yaml says which columns leave.
-- grain: abm_key
-- column: abm_key | our stable id, the person's
-- column: person_id | the person; the gate asks for their word
-- column: region | where the person is for the consent rules, as marts.person_regions has it; null is unknown
-- column: hold | why it is not sent whatever the consent; null otherwise
-- column: send_order | best leads sort first
-- column: company_key | our key of the company; null where the match is undecided
-- column: name | name
-- column: title | title
-- column: department | department
-- column: seniority | c_level, vp, director, manager, staff, unknown
-- column: email | mail address
-- column: mobile | mobile number, E.164
-- column: province | GB/T 2260 code of the province
-- column: city | GB/T 2260 code of the city
with contact as (
    select person_id, min(send_order) as send_order, min(region) as region, min(hold) as hold,
           min(company_key) as company_key
    from marts.crm_leads
    group by all
)
select contact.person_id as abm_key,
       contact.person_id,
       contact.region,
       contact.hold,
       contact.send_order,
       contact.company_key,
       persons.name,
       persons.title,
       persons.department,
       persons.seniority,
       persons.email,
       persons.mobile,
       persons.province_code as province,
       persons.city_code as city
from contact
join matched.persons using (person_id)
