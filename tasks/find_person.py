"""Which person is meant: by id (a former one is followed), a contact's id in its source, or a row."""

import duckdb

from abmloop.errors import BadUsage
from abmloop.messages import said
from tasks.summary import rows_of

_WAYS = (
    "select person_id from matched.persons where person_id = $key",
    "select person_id from matched.person_redirects where old_person_id = $key",
    "select person_id from matched.person_rows where row_id = $key",
    "select person_id from matched.person_rows where entity = 'contacts' and ends_with(row_id, ':' || $key)",
)


def find_person(con: duckdb.DuckDBPyConnection, key: str) -> str:
    """The id of the person of that key; the surest kind of key that finds one decides. `con` is the published file.

    Raises BadUsage where nobody bears the key, or several do.
    """
    for way in _WAYS:
        found = sorted({str(row["person_id"]) for row in rows_of(con, way, key=key.strip())})
        if len(found) > 1:
            raise BadUsage(said("match_several_persons", key=key, persons=", ".join(found[:5])))
        if found:
            return found[0]
    raise BadUsage(said("match_no_person", key=key))
