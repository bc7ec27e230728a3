-- One row per id that a person could have borne: what each of their keys would have named them, had it been landed first.
-- grain: old_person_id
-- column: old_person_id | the id that the key would have given
-- column: person_id | the person it leads to
select 'P' || left(key_hash, 16) as old_person_id, min(person_id) as person_id
from matched.person_keys
where 'P' || left(key_hash, 16) not in (select person_id from matched.person_keys)
group by old_person_id
having count(distinct person_id) = 1
