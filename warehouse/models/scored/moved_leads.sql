-- One row per strong key whose person bore another lead's id when stages were recorded: the person's lead of today.
-- Lines written before hashes were keyed bear the plain one.
-- published: no
-- grain: person_key
-- column: person_key | keyed hash of a strong key, as the ledger bears it
-- column: lead_id | today's lead of the person
with moved as (
    select distinct person_key
    from ops.ledger_stage_transitions
    anti join scored.leads using (lead_id)
    where person_key is not null and recorded_as_of <= $as_of
)
select keys.person_key, min(leads.lead_id) as lead_id
from (
    select person_id, unnest([key_hash, md5(key_kind || ':' || key_value)]) as person_key from matched.person_keys
) as keys
semi join moved using (person_key)
join scored.leads using (person_id)
group by all
