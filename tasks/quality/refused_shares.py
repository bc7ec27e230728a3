"""How much of each file is refused: beside the holds of snapshots, since a person may let it go on as well."""

from typing import Any

from abmloop.settings import Settings
from tasks.quality.holds import Accepted, name_hold
from tasks.quality.rows import typed_rows
from warehouse.steps import Work

KIND = "refused_share"

# Rows still open; what was corrected since no longer counts against its file.
_REFUSED = """
with refused as (
    select file_sha, entity, count(distinct (coalesce(sheet, ''), coalesce(record, line))) as refused,
           any_value(rule order by rule) as example
    from quality.quarantine
    group by all
)
select file_sha, entity, file_name, source, landed_on, refused, refused / rows_in::double as share, example
from ops.files
join refused using (file_sha, entity)
where status = 'loaded' and rows_in > 0 and refused > $least
order by file_name, entity
"""


def note_refused_shares(work: Work, settings: Settings, accepted: Accepted) -> None:
    """Bring the rows of kind `refused_share` in quality.differences up to date: files with many refused rows."""
    found = work.query(_REFUSED, least=settings.quarantine_hold_rows).to_pylist()
    rows = [_row(file, settings.quarantine_hold_share, accepted) for file in found]
    work.execute("delete from quality.differences where kind = $kind", {"kind": KIND})
    work.append("quality.differences", typed_rows("quality.differences", rows))


def _row(file: dict[str, Any], limit: float, accepted: Accepted) -> dict[str, Any]:
    hold_id = name_hold(file["file_sha"], KIND, file["entity"])
    is_beyond = file["share"] > limit
    decision = accepted.get(hold_id) if is_beyond else None
    return {
        "hold_id": hold_id,
        "landed_on": file["landed_on"],
        "entity": file["entity"],
        "source": file["source"],
        "file_name": file["file_name"],
        "file_sha": file["file_sha"],
        "kind": KIND,
        "subject": "",
        "before": 0.0,
        "after": file["share"],
        "allowed": limit,
        "example": f"{file['example']} ({file['refused']})",
        "state": "accepted" if decision else "held" if is_beyond else "noted",
        "decision_id": decision,
    }
