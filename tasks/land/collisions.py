"""Two tools' files that number their people alike: told, for one would overwrite the other's records."""

from typing import Any

from abmloop.messages import say
from tasks.land.plans import INBOX_SOURCE
from warehouse.steps import Work

# Fewer shared numbers than this are chance or corrections.
LEAST_IDS = 3
# Of the ids two files share, the share under which they mean different people: no key and no name in common.
_COLLIDING = """
with people as (
    select distinct file_name, contact_id, lower(trim(name)) as name, lower(trim(email)) as email,
           right(regexp_replace(coalesce(mobile, phone), '\\D', '', 'g'), 11) as number
    from raw.contacts where source = $source and contact_id is not null
),
pairs as (
    select one.file_name as file, other.file_name as other_file, one.contact_id,
           not coalesce(one.name = other.name, false) and not coalesce(one.email = other.email, false)
           and not coalesce(one.number = other.number, false)
           and coalesce(one.name, one.email, one.number) is not null
           and coalesce(other.name, other.email, other.number) is not null as differs
    from people as one
    join people as other on other.contact_id = one.contact_id and other.file_name > one.file_name
)
select file, other_file, count(distinct contact_id) filter (differs) as ids, min(contact_id) filter (differs) as example
from pairs group by all
having ids >= $least and ids * 2 > count(distinct contact_id)
order by file, other_file
"""


def colliding_files(work: Work, language: str) -> list[str]:
    """A message for each two unmapped files of contacts whose common ids mostly mean different people."""
    rows: list[dict[str, Any]] = work.query(_COLLIDING, source=INBOX_SOURCE, least=LEAST_IDS).to_pylist()
    return [say("land_ids_collide", language, **row) for row in rows]
