-- One row per decision and method of matching: how many persons, and how sure.
-- grain: decision, method
-- column: decision | auto, review, manual or none
-- column: method | what decided, or why nothing did
-- column: persons | persons
-- column: persons_share | share of all persons, 0..1
-- column: mean_confidence | mean probability that the match is right
-- column: least_confidence | the least of them
select decision, method, count(*) as persons, count(*) / sum(count(*)) over () as persons_share,
       -- A sum of doubles hangs on their order.
       (sum(confidence::decimal(18, 9)) / count(*))::double as mean_confidence, min(confidence) as least_confidence
from matched.person_accounts
group by all
