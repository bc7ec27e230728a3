-- One row per lead that was ever handed over: what routing asks about it, as of today.
-- grain: lead_id
-- column: lead_id | the lead
-- column: account_id | its company; null where undecided
-- column: fit_grade | A to D, U unknown
-- column: engagement_band | 1 to 3
-- column: engagement_points | engagement on the day of the run
-- column: channel | channel of the first touch
-- column: provinces | names (short, lower case) and codes of its province and city
-- column: industries | section, division and name of its industry, lower case
-- column: sizes | band of employees
-- column: products | product lines of sales (owners file) named by campaigns and contents it was touched by; empty is unknown
-- column: languages | names of the language to speak: Chinese in China, English elsewhere; empty is unknown
with handed_over as (
    select distinct lead_stages.lead_id
    from scored.lead_stages
    join rules.stages using (stage)
    where stages.rank >= (select rank from rules.stages where is_handover)
),
product as (
    select distinct lower(trim(product)) as product
    from (select unnest(products) as product from core.owners_today)
    where trim(product) <> ''
),
touched as (
    select distinct leads.lead_id, touches.campaign_id, touches.content
    from handed_over
    join scored.leads using (lead_id)
    join core.touches using (person_id)
    where not touches.is_future
),
named as (
    select distinct touched.lead_id, lower(concat_ws(' ', campaigns.name, touched.content)) as words
    from touched
    left join core.campaigns using (campaign_id)
),
spoken_of as (
    select distinct words from named
),
wording as (
    -- A product's name counts as a word of its own: MES is no part of messages.
    select words, list(product order by product) as products
    from spoken_of
    join product on contains(words, product)
        and regexp_matches(words, '(^|[^a-z0-9])' || regexp_escape(product) || '($|[^a-z0-9])')
    group by words
),
lead_products as (
    select lead_id, list_sort(list_distinct(flatten(list(products)))) as products
    from named
    join wording using (words)
    group by lead_id
),
province as (
    select province_code, mode(province order by province) as name from resolved.accounts where province_code is not null group by all
),
city as (
    select city_code, mode(city order by city) as name from resolved.accounts where city_code is not null group by all
)
select leads.lead_id, leads.account_id, grades.fit_grade, grades.engagement_band,
       grades.engagement_points::double as engagement_points,
       leads.first_channel as channel,
       [regexp_replace(lower(name), '(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|省|市)$', '') for name in
           [coalesce(accounts.province, province.name), coalesce(accounts.province_code, persons.province_code),
            coalesce(accounts.city, city.name), coalesce(accounts.city_code, persons.city_code)]
           if name is not null] as provinces,
       [lower(name) for name in [accounts.industry_section, accounts.industry_division, accounts.industry]
           if name is not null] as industries,
       [lower(name) for name in [accounts.employees_band] if name is not null] as sizes,
       coalesce(lead_products.products, [])::varchar[] as products,
       case when coalesce(accounts.country, persons.country) = 'CN' then ['zh', '中文', 'chinese', '汉语', '普通话']
            when coalesce(accounts.country, persons.country) is not null then ['en', 'english', '英语', '英文']
            else [] end::varchar[] as languages
from handed_over
join scored.leads using (lead_id)
join scored.grades using (lead_id)
join matched.persons on persons.person_id = leads.person_id
left join resolved.accounts on accounts.account_id = leads.account_id
left join province on province.province_code = persons.province_code
left join city on city.city_code = persons.city_code
left join lead_products on lead_products.lead_id = leads.lead_id
