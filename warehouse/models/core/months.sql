-- One row per month: the quarter and the year of the workspace's calendar that it belongs to. Every figure of a quarter
-- or a year goes by this table; the month in which the year begins is `fiscal_year_starts_in` in abmloop.yaml.
-- grain: month
-- column: month | first day of the month
-- column: quarter_starts_on | first day of its quarter
-- column: year_starts_on | first day of its year
-- column: quarter | 1 to 4, its quarter within that year
select month::date as month,
       (month - to_months(((month(month) - $fiscal_month + 12) % 3)::integer))::date as quarter_starts_on,
       (month - to_months(((month(month) - $fiscal_month + 12) % 12)::integer))::date as year_starts_on,
       ((month(month) - $fiscal_month + 12) % 12)::integer // 3 + 1 as quarter
from generate_series(timestamp '1900-01-01', timestamp '2199-12-01', interval 1 month) as months(month)
