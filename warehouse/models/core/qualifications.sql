-- One row per answer of a person to a qualifying question.
-- grain: row_id
-- column: person_id | who answered
-- column: question | the question
-- column: answer | the answer
-- column: answered_at | UTC
-- column: row_id | the row in staging.qualifications
select person_rows.person_id, qualifications.question, qualifications.answer, qualifications.answered_at,
       qualifications.row_id
from staging.qualifications
join matched.person_rows on person_rows.entity = 'qualifications' and person_rows.row_id = qualifications.row_id
