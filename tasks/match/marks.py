"""Who stands on the suppression list is marked as soon as their rows are known: importing them anew revives nobody."""

from typing import Any

import pyarrow as pa

from warehouse.secret import suppression_parameters
from warehouse.steps import Work

# The keyed hash of every key, as `suppression_hash` makes it; only asked for where somebody is on the list.
_MARKED = """
select distinct person_id, channel, suppression_id, suppressed_at
from matched.person_keys
join suppression_entries
    on key_hash_listed = sha256($outer_pad::blob || unhex(sha256($inner_pad::blob || encode(key_value))))
where key_kind in ('email', 'mobile', 'phone')
order by all
"""
_ENTRIES = pa.schema(
    [("key_hash_listed", pa.string()), ("channel", pa.string()), ("suppression_id", pa.string()),
     ("suppressed_at", pa.timestamp("us"))]
)  # fmt: skip


def mark_suppressed(work: Work) -> int:
    """Fill matched.suppressed_persons with who is on the list by what the run knows; gives how many persons.

    The mark is for who looks; what leaves is judged again in the moment it leaves. Source: spec 13-privacy P16.
    """
    entries = _standing(work)
    if not entries:
        work.execute("delete from matched.suppressed_persons")
        return 0
    work.con.register("suppression_entries", pa.Table.from_pylist(entries, _ENTRIES))
    work.replace("matched.suppressed_persons", work.query(_MARKED, **suppression_parameters(work.run.root)))
    work.con.unregister("suppression_entries")
    return int(work.execute("select count(distinct person_id) from matched.suppressed_persons").fetchall()[0][0])


def _standing(work: Work) -> list[dict[str, Any]]:
    """The entries that nothing took back."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in work.ledger.read("suppressions", work.run).to_pylist():
        entry = (row["key_hash"], row["channel"])
        if row["active"]:
            told = {"suppression_id": row["suppression_id"], "suppressed_at": row["recorded_at"]}
            found[entry] = {"key_hash_listed": row["key_hash"], "channel": row["channel"], **told}
        else:
            found.pop(entry, None)
    return list(found.values())
