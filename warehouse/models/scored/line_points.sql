-- One row per line of a person's log with its rule, and what is left of it on the day of the run. Points are cut at four
-- decimals, so that sums are exact and do not depend on the order of adding.
-- kind: view
-- published: view
-- grain: event_id
-- column: person_id | who
-- column: account_id | the company for which it counts; null where undecided
-- column: event_id | the touch
-- column: rule_id | the rule that gave the points
-- column: rule_group | the group whose cap it shares
-- column: event_at | time of the event, UTC
-- column: event_on | its day in the workspace's time zone
-- column: raw_points | points of the rule; 0 where the event does not count
-- column: capped_points | what is left of them after the caps
-- column: points | what the line counts on the day of the run
-- column: half_life_days | days after which it weighs half
-- column: percent_per_month | per cent lost in 30 days
-- column: window_days | days for which it counts, then not at all
-- column: note | why it does not count in full
select lines.person_id, lines.account_id, lines.event_id, rules.rule_id, rules.rule_group, lines.event_at, lines.event_on,
       lines.raw_points, lines.capped_points,
       cast(lines.capped_points * case
           when lines.event_on > score_day.as_of then 0.0
           when rules.half_life_days is not null
               then power(0.5, (score_day.as_of - lines.event_on) / rules.half_life_days::double)
           when rules.percent_per_month is not null
               then greatest(0.0, 1 - rules.percent_per_month / 100 * (score_day.as_of - lines.event_on) / 30.0)
           when rules.window_days is not null
               then case when score_day.as_of - lines.event_on < rules.window_days then 1.0 else 0.0 end
           else 1.0
       end as decimal(18, 4)) as points,
       rules.half_life_days, rules.percent_per_month, rules.window_days, lines.note
from scored.score_lines as lines
join rules.engagement as rules using (position)
cross join scored.score_day
