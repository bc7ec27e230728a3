"""Money that a source no longer tells: many records whose newest version has no amount hold the publish.

A key that lost the permission to a field, or a field that was emptied over there, must not turn revenue into nothing.
Source: spec 11-faults B02 (missing is not zero).
"""

from typing import Any

from tasks.quality.holds import Accepted, name_hold
from tasks.quality.rows import typed_rows
from warehouse.steps import Work

KIND = "amounts_lost"
# Fewer are corrections by hand, which are told and published.
LEAST_LOST = 3
MOST_SHARE = 0.2

_LOST = """
with told as (
    select entity, row_id, landed_on, amount, lag(amount) over version as amount_before,
           lead(landed_on) over version is null as is_latest
    from staging.money_versions
    window version as (partition by entity, row_id order by landed_on)
),
origin as (
    select 'deals' as entity, row_id, source, file_sha from staging.deals
    union all select 'orders', row_id, source, file_sha from staging.orders
    union all select 'invoices', row_id, source, file_sha from staging.invoices
    union all select 'payments', row_id, source, file_sha from staging.payments
),
news as (
    select told.entity, origin.source, told.landed_on, count(*) as told,
           count(*) filter (told.amount is null) as lost,
           max(origin.file_sha) filter (told.amount is null) as file_sha,
           min(told.row_id) filter (told.amount is null) as example,
           md5(string_agg(told.row_id, ',' order by told.row_id) filter (told.amount is null)) as content
    from told
    join origin using (entity, row_id)
    where told.is_latest and told.amount_before <> 0
    group by all
)
select news.*, files.file_name
from news
left join (select file_sha, entity, min(file_name) as file_name from ops.files group by all) as files
    using (file_sha, entity)
where news.lost > 0
order by news.entity, news.source, news.landed_on
"""


def note_lost_amounts(work: Work, accepted: Accepted) -> None:
    """Bring the rows of kind `amounts_lost` in quality.differences up to date, one per entity, source and day."""
    rows = [_row(found, accepted) for found in work.query(_LOST).to_pylist()]
    work.execute("delete from quality.differences where kind = $kind", {"kind": KIND})
    work.append("quality.differences", typed_rows("quality.differences", rows))


def _row(found: dict[str, Any], accepted: Accepted) -> dict[str, Any]:
    hold_id = name_hold(found["content"], KIND, found["entity"])
    is_beyond = found["lost"] >= LEAST_LOST and found["lost"] > MOST_SHARE * found["told"]
    decision = accepted.get(hold_id) if is_beyond else None
    return {
        "hold_id": hold_id,
        "landed_on": found["landed_on"],
        "entity": found["entity"],
        "source": found["source"],
        "file_name": found["file_name"],
        "file_sha": found["file_sha"],
        "kind": KIND,
        "subject": "amount",
        "before": float(found["told"]),
        "after": float(found["told"] - found["lost"]),
        "allowed": MOST_SHARE,
        "example": found["example"],
        "state": "accepted" if decision else "held" if is_beyond else "noted",
        "decision_id": decision,
    }
