-- One row per sales person who may own leads, as of the run's day.
-- grain: owner_id
-- column: owner_id | the person in the CRM
-- column: name | name
-- column: email | mail address
-- column: team | team
-- column: provinces | territory by province
-- column: industries | territory by industry
-- column: sizes | territory by company size
-- column: products | product lines
-- column: languages | languages
-- column: skills | skills
-- column: daily_capacity | new leads a day; null is without limit
-- column: holding_limit | leads held at once; null is without limit
-- column: is_active | still with us; whether away, says away_until
-- column: away_until | last day of absence
-- column: manager_id | owner they report to; told what is overdue
select owner_id, name, email, team, provinces, industries, sizes, products, languages, skills, daily_capacity,
       holding_limit, is_active, away_until, manager_id
from staging.owners
where owner_id is not null
qualify row_number() over (
    partition by owner_id order by source_rank nulls last, source_date desc nulls last, landed_on desc, row_hash
) = 1
