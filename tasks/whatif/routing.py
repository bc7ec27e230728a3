"""What if leads were given out by other rules: who would have had which, how evenly, how much late or taken back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from abmloop.calendar import end_of_local_day
from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.routing import ReclaimRule, RoutingPolicy
from scoring.routing.days import Days, Period, simulate
from scoring.routing.measures import gini, received, told
from tasks.route.step import OWNERS
from tasks.whatif.history import History

# Without sales activities nobody is known to have done nothing.
_NO_TIMERS = ReclaimRule(default_days=3650, max_days=3650)

# Every cycle of a lead is a lead of its own here. What was known by its arrival decides who held the company then.
_LEADS = """
with workable as (
    select lead_stages.lead_id, lead_stages.cycle, min(entered_at) as arrived_at
    from scored.lead_stages
    join rules.stages using (stage)
    where stages.rank >= (select rank from rules.stages where is_handover)
      and stages.rank < (select rank from rules.stages where stage = 'opportunity')
    group by all
),
closing as (
    select workable.lead_id, workable.cycle, min(lead_stages.entered_at) as closed_at
    from workable
    join scored.lead_stages on lead_stages.lead_id = workable.lead_id and lead_stages.cycle = workable.cycle
        and lead_stages.entered_at >= workable.arrived_at
    join rules.stages using (stage)
    where not stages.is_open or stages.rank >= (select rank from rules.stages where stage = 'opportunity')
    group by all
),
asked as (
    select workable.*, closing.closed_at, facts.* exclude (lead_id),
           workable.lead_id || case when cycle > 1 then '/' || cycle else '' end as key
    from workable
    join scored.routing_facts as facts using (lead_id)
    left join closing using (lead_id, cycle)
    left join scored.held_leads using (lead_id)
    where workable.arrived_at <= $until and coalesce(closing.closed_at >= $since, true) and held_leads.lead_id is null
),
deal as (
    select asked.key, deals.owner_id, deals.deal_id, deals.created_at,
           case when deals.status = 'won' and deals.closed_at <= asked.arrived_at then 2 else 1 end as preference
    from asked
    join core.deals using (account_id)
    where deals.owner_id is not null and deals.created_at <= asked.arrived_at
      and (coalesce(deals.closed_at > asked.arrived_at, true) or deals.status = 'won')
),
holder as (
    select * from deal
    qualify row_number() over (partition by key order by preference, created_at desc, deal_id, owner_id) = 1
),
valid as (
    select account_id, list, min(owner_id) as owner_id
    from resolved.target_accounts
    where owner_id is not null and coalesce(valid_from, $as_of) <= $as_of and coalesce(valid_to, $as_of) >= $as_of
    group by all
),
standing as (
    select asked.key, assignments.owner_id, assignments.assigned_at
    from asked
    join scored.assignments using (lead_id)
    where assignments.owner_id is not null and assignments.assigned_at < $since
      and asked.arrived_at < $since and assignments.assigned_at >= asked.arrived_at
      and (assignments.ended_at is null or assignments.ended_at >= $since)
)
select asked.key as lead_id, asked.lead_id as of_lead_id, asked.account_id, fit_grade, engagement_band,
       engagement_points, channel, provinces, industries, sizes, products, languages,
       epoch_us(asked.arrived_at) as arrived_at, epoch_us(closed_at) as closed_at,
       coalesce(holder.owner_id, target.owner_id) as holder_id,
       case when holder.preference = 1 then 'open_deal' when holder.preference = 2 then 'customer'
            when target.owner_id is not null then 'target_list' end as holder_rule,
       coalesce(holder.deal_id, case when target.owner_id is not null then 'target' end) as holder_evidence,
       reserved.owner_id as reserved_owner_id,
       standing.owner_id as start_owner_id, epoch_us(standing.assigned_at) as start_at
from asked
left join holder using (key)
left join valid as target on target.account_id = asked.account_id and target.list = 'target'
left join valid as reserved on reserved.account_id = asked.account_id and reserved.list = 'reserved'
left join standing using (key)
order by lead_id
"""

# What sales did is taken as it was, whoever has the lead under other rules: they would have worked it as much.
_DEEDS = """
with act as (
    select leads.lead_id, activities.occurred_at
    from core.activities join scored.leads using (person_id)
    union all
    select leads.lead_id, activities.occurred_at
    from core.activities join scored.leads using (account_id)
    where activities.person_id is null
),
line as (
    select lead_id, assigned_at, path, owner_id from scored.assignments where path in ('claim', 'transfer', 'release')
),
deed as (
    select asked.lead_id, epoch_us(act.occurred_at) as done_at, 'activity' as kind, null as owner_id, null as to_id
    from asked join act on act.lead_id = asked.of_lead_id
    union all
    select asked.lead_id, epoch_us(line.assigned_at), line.path, case when line.path = 'claim' then line.owner_id end,
           case when line.path = 'transfer' then line.owner_id end
    from asked join line on line.lead_id = asked.of_lead_id
    where line.assigned_at >= $since
    union all
    -- Sales took it on, by their word or by what came of it; the moment it was handed over where that was before.
    select asked.lead_id, epoch_us(min(lead_stages.entered_at)), 'accept', null, null
    from asked
    join scored.lead_stages on lead_stages.lead_id = asked.of_lead_id
    join rules.stages using (stage)
    where stages.is_open and stages.rank >= (select rank from rules.stages where stage = 'sal')
      and epoch_us(lead_stages.entered_at) >= asked.arrived_at
    group by all
    union all
    select lead_id, closed_at, 'close', null, null from asked where closed_at is not null
)
select deed.done_at as "at", deed.kind, deed.lead_id, deed.owner_id, deed.to_id
from deed
join asked using (lead_id)
where deed.done_at between asked.arrived_at and epoch_us($until) and coalesce(deed.done_at <= asked.closed_at, true)
order by deed.done_at, deed.lead_id, deed.kind, deed.owner_id, deed.to_id
"""

_DESCRIBED = """
with lines as (
    select *, row_number() over (partition by rules, lead_id order by place) as number from told
),
ending as (
    select rules, lead_id, arg_max(owner_id, place) filter (owner_id is not null) as last_owner,
           arg_min(owner_id, place) filter (owner_id is not null and path <> 'start') as first_owner,
           count(*) filter (path = 'reclaim') as reclaims
    from lines
    group by all
)
select asked.lead_id, asked.account_id, accounts.name as account, asked.fit_grade,
       before.first_owner as first_before, after.first_owner as first_after,
       before.last_owner as last_before, after.last_owner as last_after,
       coalesce(before.reclaims, 0) as reclaims_before, coalesce(after.reclaims, 0) as reclaims_after
from asked
left join ending as before on before.lead_id = asked.lead_id and before.rules = 'before'
left join ending as after on after.lead_id = asked.lead_id and after.rules = 'after'
left join resolved.accounts on accounts.account_id = asked.account_id
where (before.first_owner, before.last_owner) is distinct from (after.first_owner, after.last_owner)
order by asked.lead_id
"""


@dataclass(frozen=True)
class RoutingMeasures:
    """What a period of routing came to. Overdue counts deadlines that passed while somebody had the lead."""

    given: int
    claimed: int
    without_owner: int
    gini: float
    busiest: int
    most_held: int
    accept_overdue: int
    first_touch_overdue: int
    follow_up_overdue: int
    no_follow_up: int
    no_deal: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, by name."""
        return asdict(self)


@dataclass(frozen=True)
class RoutingAnswer:
    """What other rules would have come to. `owners`: loads before and after; `changes`: leads with another owner."""

    since: date
    until: date
    leads: int
    before: RoutingMeasures
    after: RoutingMeasures
    owners: pa.Table
    changes: pa.Table

    def to_json(self) -> dict[str, Any]:
        """Plain values, for scripts."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "leads": self.leads,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "owners": self.owners.to_pylist(),
            "changes": self.changes.to_pylist(),
        }


def whatif_routing(history: History, policy: RoutingPolicy, since: date | None, until: date | None) -> RoutingAnswer:
    """Live through the days from `since` to `until` under the rules of the last run and under `policy`.

    Both are replays from the same start, with what sales did then. Sales people are those of today: who has left since
    gets nothing, and today's absences count from today. Raises BadUsage for an empty period.
    """
    last = min(until or history.as_of, history.as_of)
    first = since or _first_day(history, last)
    if first > last:
        raise BadUsage(said("whatif_empty_period", since=first, last=last))
    period = Period(first, last, history.settings.timezone)
    leads, deeds = _gather(history, period)
    owners = _owners(history)
    lived = {
        name: _live(history, rules, (leads, owners, deeds), period)
        for name, rules in (("before", history.policy(RoutingPolicy)), ("after", policy))
    }
    (before, measured_before), (after, measured_after) = lived["before"], lived["after"]
    changes = _changes(history, leads, before, after)
    loads = _loads(owners, before, after)
    return RoutingAnswer(first, last, leads.num_rows, measured_before, measured_after, loads, changes)


def _first_day(history: History, last: date) -> date:
    found = history.query("select min(entered_at)::date as day from scored.lead_stages")["day"][0].as_py()
    return found or last


def _gather(history: History, period: Period) -> tuple[pa.Table, pa.Table]:
    """The leads in sales' hands during the period, and what sales did with them."""
    begin = _utc(end_of_local_day(period.first - timedelta(days=1), period.timezone)) + timedelta(seconds=1)
    end = _utc(end_of_local_day(period.last, period.timezone))
    leads = history.query(_LEADS, since=begin, until=end, as_of=history.as_of)
    history.con.register("asked", leads)
    try:
        return leads, history.query(_DEEDS, since=begin, until=end)
    finally:
        history.con.unregister("asked")


def _owners(history: History) -> pa.Table:
    """Sales people as of the last run."""
    told = history.query(OWNERS, timezone=history.settings.timezone, as_of=history.as_of, at=history.parameters["at"])
    nobody = pa.nulls(told.num_rows, pa.date32())
    today = pa.array([history.as_of] * told.num_rows, pa.date32())
    return told.append_column("gone_on", nobody).append_column("away_from", today)


def _live(
    history: History, policy: RoutingPolicy, given: tuple[pa.Table, pa.Table, pa.Table], period: Period
) -> tuple[Days, RoutingMeasures]:
    leads, owners, deeds = given
    if not history.query("select exists (from core.activities) as found")["found"][0].as_py():
        policy = policy.model_copy(update={"reclaim": _NO_TIMERS})
    days = simulate(leads, owners, deeds, policy, period)
    until = round(end_of_local_day(period.last, period.timezone).timestamp() * 1_000_000)
    kinds = told(days, deeds, policy, until, period.timezone)["kind"].to_pylist()
    return days, _measure(days, kinds)


def _measure(days: Days, kinds: list[str]) -> RoutingMeasures:
    lines = days.log.to_pylist()
    newest = {row["lead_id"]: row["owner_id"] for row in lines}
    loads = received(days)
    return RoutingMeasures(
        given=sum(row["path"] == "assigned" and row["owner_id"] is not None for row in lines),
        claimed=sum(row["path"] == "claim" for row in lines),
        without_owner=sum(owner is None for owner in newest.values()),
        gini=round(gini(list(loads.values())), 4),
        busiest=max(loads.values(), default=0),
        most_held=max(days.loads["held"].to_pylist(), default=0),
        accept_overdue=kinds.count("accept_overdue"),
        first_touch_overdue=kinds.count("first_touch_overdue"),
        follow_up_overdue=kinds.count("follow_up_overdue"),
        no_follow_up=sum(row["reason"] == "no_follow_up" for row in lines),
        no_deal=sum(row["reason"] == "no_deal" for row in lines),
    )


def _changes(history: History, leads: pa.Table, before: Days, after: Days) -> pa.Table:
    """Leads whose first or last owner would have been another."""
    parts = [
        days.log.append_column("rules", pa.array([name] * days.log.num_rows, pa.string())).append_column(
            "place", pa.array(range(days.log.num_rows), pa.int64())
        )
        for name, days in (("before", before), ("after", after))
    ]
    history.con.register("told", pa.concat_tables(parts))
    history.con.register("asked", leads)
    try:
        return history.query(_DESCRIBED)
    finally:
        history.con.unregister("told")
        history.con.unregister("asked")


def _loads(owners: pa.Table, before: Days, after: Days) -> pa.Table:
    """One row per sales person: leads received and held at the end, before and after; the busiest after first."""
    columns: dict[str, dict[str, int]] = {}
    for name, days in (("before", before), ("after", after)):
        columns[f"received_{name}"] = received(days)
        # The last day comes last, and so is what stays.
        columns[f"held_{name}"] = dict(
            zip(days.loads["owner_id"].to_pylist(), days.loads["held"].to_pylist(), strict=True)
        )
    rows = [
        {"owner_id": owner, **{name: found.get(owner, 0) for name, found in columns.items()}}
        for owner in owners["owner_id"].to_pylist()
    ]
    rows.sort(key=lambda row: (-row["received_after"], row["owner_id"]))
    kinds = [("owner_id", pa.string()), *((name, pa.int64()) for name in columns)]
    return pa.Table.from_pylist(rows, pa.schema(kinds))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
