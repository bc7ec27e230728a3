-- One row per person: how well they fit by seniority, department and buying role. Criteria count in their order up to
-- 100, those that take points away last, down to 0; what each gave sums to the fit. Without criteria nobody is graded.
-- grain: person_id
-- check: fit_points between 0 and 100
-- column: person_id | the person
-- column: fit_points | 0 to 100
-- column: grade | A to D
-- column: criteria | the criteria that counted
-- column: criterion_points | what each of them gave
with taken as (
    select person_id, list(role) as roles from scored.buying_roles group by person_id
),
holding as (
    select persons.person_id, person_icp.criterion_id, person_icp.position, person_icp.points
    from matched.persons
    left join taken using (person_id)
    join rules.person_icp
        on (len(seniorities) = 0 or list_contains(seniorities, persons.seniority))
        and (len(departments) = 0
             or list_contains(departments, lower(trim(persons.department)))
             or len(list_filter(departments, lambda word:
                    not regexp_full_match(word, '[ -~]*') and contains(lower(persons.department), word))) > 0)
        and (len(person_icp.roles) = 0 or list_has_any(person_icp.roles, taken.roles))
),
-- The sum so far, kept between 0 and 100: it first only rises, then only falls.
running as (
    select *, sum(greatest(points, 0)) over earlier as risen, sum(least(points, 0)) over earlier as fallen,
           sum(greatest(points, 0)) over (partition by person_id) as highest
    from holding
    window earlier as (partition by person_id order by position rows between unbounded preceding and 1 preceding)
),
counted as (
    select person_id, criterion_id, position,
           case when points >= 0 then least(points, greatest(100 - coalesce(risen, 0), 0))
                else greatest(points, -greatest(least(highest, 100) + coalesce(fallen, 0), 0))
           end as given
    from running
),
total as (
    select person_id, sum(given) as fit_points,
           list(criterion_id order by position) filter (given <> 0) as criteria,
           list(given order by position) filter (given <> 0) as criterion_points
    from counted
    group by person_id
),
graded as (
    select persons.person_id, coalesce(total.fit_points, 0) as fit_points, coalesce(total.criteria, []) as criteria,
           coalesce(total.criterion_points, []) as criterion_points
    from matched.persons
    left join total using (person_id)
    where (select count(*) from rules.person_icp) > 0
)
select graded.person_id, graded.fit_points, arg_max(fit_grades.grade, fit_grades.from_points) as grade,
       graded.criteria, graded.criterion_points
from graded
join rules.fit_grades on graded.fit_points >= fit_grades.from_points
group by all
