"""What is stuck on its way to the CRM, and since when: what waits for an answer or another try, and dead letters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, or_, select

from abmloop.messages import Said, said
from tasks.outbound.push.outbox import OPEN, Journal, RecordKey
from warehouse.ledger import Ledger
from warehouse.ledger_tables import deliveries, outbox

_SETTLED = ("done", "cancelled")


@dataclass(frozen=True)
class Stuck:
    """How many records wait, how many are dead letters, and since when the oldest of each is on its way (UTC)."""

    waiting: int = 0
    dead: int = 0
    waiting_since: datetime | None = None
    dead_since: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.waiting or self.dead)


def find_stuck(ledger: Ledger, instance: str) -> Stuck:
    """What is stuck on its way to that CRM."""
    journal = Journal(ledger, instance)
    rows = journal.queued((*OPEN, "dead"))
    if not rows:
        return Stuck()
    begun = wanted_since(journal)
    ages = {name: [begun[row.object, row.key] for row in rows if (row.state == "dead") == (name == "dead")]
            for name in ("waiting", "dead")}  # fmt: skip
    oldest = {f"{name}_since": min(of, default=None) for name, of in ages.items()}
    return Stuck(len(ages["waiting"]), len(ages["dead"]), **oldest)


def wanted_since(journal: Journal) -> dict[RecordKey, datetime]:
    """Per record that is not settled: when the first version after the last settled one was decided.

    A record whose data changes every day and which never arrives is as old as its first try.
    """
    ended = select(outbox.c.object, outbox.c.external_key, func.max(outbox.c.version).label("version"))
    ended = ended.outerjoin(deliveries, deliveries.c.outbox_id == outbox.c.outbox_id)
    ended = ended.where(journal.is_ours(), or_(deliveries.c.state.in_(_SETTLED), outbox.c.state == "held"))
    last = ended.group_by(outbox.c.object, outbox.c.external_key).subquery("last")
    same = and_(last.c.object == outbox.c.object, last.c.external_key == outbox.c.external_key)
    query = select(outbox.c.object, outbox.c.external_key, func.min(outbox.c.recorded_at)).outerjoin(last, same)
    query = query.where(journal.is_ours(), outbox.c.version > func.coalesce(last.c.version, 0))
    with journal.reading() as connection:
        found = connection.execute(query.group_by(outbox.c.object, outbox.c.external_key)).all()
    return {(name, key): at for name, key, at in found}


def stuck_said(stuck: Stuck, now: datetime | None = None) -> Said:
    """One sentence: how many wait and how many are dead, and how old the oldest of each is."""
    at = now or datetime.now(UTC).replace(tzinfo=None)
    parts = {}
    if stuck.waiting_since:
        age = age_said(at - stuck.waiting_since)
        parts["waiting"] = said("crm_stuck_waiting", number=f"{stuck.waiting:,}", age=age)
    if stuck.dead_since:
        parts["dead"] = said("crm_stuck_dead", number=f"{stuck.dead:,}", age=age_said(at - stuck.dead_since))
    if len(parts) == 2:
        return said("crm_stuck_both", **parts)
    return next(iter(parts.values()), said("crm_stuck_nothing"))


def age_said(age: timedelta) -> Said:
    """An age as people say it: minutes, hours or days."""
    seconds = max(age.total_seconds(), 0.0)
    if seconds < 3600:
        return said("crm_age_minutes", number=int(seconds // 60))
    if seconds < 48 * 3600:
        return said("crm_age_hours", number=f"{seconds / 3600:.1f}")
    return said("crm_age_days", number=int(seconds // 86400))
