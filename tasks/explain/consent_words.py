"""By which rules on consent a person is judged, and whether they stand on the suppression list, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from abmloop.messages import say

# Columns of a person for `told_consent`: beside marts.person_regions, the marks of the suppression list.
MARKS = """(select list(distinct coalesce(channel, 'any') order by coalesce(channel, 'any'))
        from matched.suppressed_persons where suppressed_persons.person_id = persons.person_id) as suppressed_for,
       (select min(suppressed_at) from matched.suppressed_persons
        where suppressed_persons.person_id = persons.person_id) as suppressed_at"""


def told_consent(row: Mapping[str, Any], language: str) -> Iterator[str]:
    """The lines from the columns of `marts.person_regions` (null where nothing says where they are) and `MARKS`."""
    if row["suppressed_for"]:
        since = f"{row['suppressed_at']:%Y-%m-%d}"
        yield say("person_suppressed", language, channels=", ".join(row["suppressed_for"]), since=since)
    if not row["region"]:
        yield say("region_unknown", language)
        return
    said = ", ".join(row["indications"])
    yield say("region_disputed" if row["is_disputed"] else "region_told", language, said=said)
