"""The customer pool (客户公海): customers whose holder does nothing fall in at a day's end, and are claimed from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from scoring.policies.routing import CustomerPool, RoutingPolicy
from scoring.routing.desk import is_member, lasting_gate
from scoring.routing.timers import day_ends
from tasks.find_account import find_account
from tasks.route.sales_log import new_line, project_customers
from tasks.route.state import Now, Said, cooling_until, owner_state
from tasks.summary import Rows, rows_of
from warehouse.steps import Work

_RULES = pa.schema(
    [
        ("pool_id", pa.string()),
        *(
            (name, pa.int32())
            for name in ("follow_up_days", "deal_days", "warn_days", "protect_days", "cool_down_days")
        ),
    ]
)
_DUE = """
select account_id, holder_id, timer, date_diff('day', date '1970-01-01', due_on)::double as due_day, last_id
from scored.customer_holders
left join (select account_id, assignment_id as last_id from scored.customer_log where is_current) using (account_id)
where is_due
order by account_id
"""
_HOLDER = "select * from scored.customer_holders where account_id = $account_id"
_LINES = "select * from scored.customer_log where account_id = $account_id order by number"


def take_back_customers(work: Work, policy: RoutingPolicy) -> None:
    """Have the customers' holders as of the run; who did nothing in time loses the customer, as lines of the log."""
    pool = policy.customer_pool
    rules = [] if pool is None else [{"pool_id": pool.id, **pool.model_dump(include=set(_RULES.names))}]
    work.replace("rules.customer_pool", pa.Table.from_pylist(rules, _RULES))
    project_customers(work)
    due = work.query(_DUE)
    if pool is None or not due.num_rows:
        return
    ends = day_ends(due["due_day"].to_numpy(), work.run.timezone).to_pylist()
    lines = [
        new_line(
            row["account_id"],
            row["last_id"],
            pool_id=pool.id,
            path="reclaim",
            reason=row["timer"],
            details={"from": row["holder_id"]},
            assigned_at=end,
            actor="abmloop",
        )
        for row, end in zip(due.to_pylist(), ends, strict=True)
    ]
    work.count(customers_to_pool=work.ledger.append("assignments", lines, work.run))
    project_customers(work)


class CustomerDesk:
    """Where sales people claim customers and give them back. Raises BadUsage for what may not be done."""

    def __init__(self, now: Now, policy: RoutingPolicy, said: Said) -> None:
        self.now, self.said = now, said
        self.pool: CustomerPool | None = policy.customer_pool

    def claim(self, key: str, owner: str) -> str:
        """Take a customer out of the pool; gives its id."""
        account_id = find_account(self.now.con, key).account_id
        pool = self._pool()
        with self.now.ledger.alone() as connection:
            lines = self._lines(account_id)
            if not lines or lines[-1]["owner_id"] is not None or not self._is_in_pool(account_id, lines):
                held = lines[-1]["owner_id"] if lines else None
                self._refuse("customer_not_in_pool", account=account_id, owner=held or "-")
            state = owner_state(self.now, owner)
            gate = lasting_gate(state, self.now.today, is_limited=False)
            if gate is None and state is not None and not is_member(pool.teams, pool.owners, state):
                self._refuse("lead_not_member", owner=owner, pool=pool.id)
            if gate:
                told = said(f"gate_{gate}")
                self._refuse("customer_gate_closed", owner=owner, gate=told)
            until = cooling_until(lines, owner, pool.cool_down_days) or self._lost_until(lines, owner, pool)
            if until is not None and until > self.now.at:
                self._refuse("customer_cools_down", owner=owner, account=account_id, day=f"{until:%Y-%m-%d %H:%M UTC}")
            line = self._line(account_id, lines, owner, "claim", "claimed", {"pool": pool.id})
            self.now.ledger.append_in(connection, "assignments", [line], self.said.by)
        return account_id

    def release(self, key: str, owner: str | None = None) -> str:
        """Give a customer back to the pool; gives its id."""
        account_id = find_account(self.now.con, key).account_id
        self._pool()
        with self.now.ledger.alone() as connection:
            lines = self._lines(account_id)
            found = rows_of(self.now.con, _HOLDER, account_id=account_id)
            held = found[0]["holder_id"] if found else None
            if lines and (not found or lines[-1]["assigned_at"] >= (found[0]["since"] or lines[-1]["assigned_at"])):
                held = lines[-1]["owner_id"]
            if held is None or (owner is not None and owner != held):
                self._refuse("customer_not_theirs", account=account_id, owner=held or "-")
            line = self._line(account_id, lines, None, "release", "released", {"from": held})
            self.now.ledger.append_in(connection, "assignments", [line], self.said.by)
        return account_id

    def _pool(self) -> CustomerPool:
        if self.pool is None:
            self._refuse("customer_no_pool")
        assert self.pool is not None
        return self.pool

    def _refuse(self, code: str, **fields: Any) -> None:
        raise BadUsage(said(code, **fields))

    def _lines(self, account_id: str) -> Rows:
        published = rows_of(self.now.con, _LINES, account_id=account_id)
        known = {row["assignment_id"] for row in published}
        recorded = self.now.ledger.read("assignments", only={"lead_id": account_id}).to_pylist()
        return [*published, *(row for row in recorded if row["assignment_id"] not in known)]

    def _is_in_pool(self, account_id: str, lines: Rows) -> bool:
        """A deal won since the customer fell into the pool takes it out again."""
        found = rows_of(self.now.con, _HOLDER, account_id=account_id)
        since = found[0]["since"] if found else None
        return since is None or bool(lines[-1]["assigned_at"] >= since)

    @staticmethod
    def _lost_until(lines: Rows, owner: str, pool: CustomerPool) -> Any:
        """Who lost it without ever having claimed it (they won its deal) stands in the line itself."""
        lost = [row["assigned_at"] for row in lines if f'"from": "{owner}"' in (row["details"] or "")]
        return max(lost) + timedelta(days=pool.cool_down_days) if lost else None

    def _line(
        self, account_id: str, lines: Rows, owner: str | None, path: str, reason: str, details: dict[str, Any]
    ) -> dict[str, Any]:
        return new_line(
            account_id,
            lines[-1]["assignment_id"] if lines else None,
            owner_id=owner,
            pool_id=self._pool().id,
            path=path,
            reason=reason,
            details={**details, "note": self.said.reason},
            assigned_at=self.now.at,
            actor=self.said.actor,
        )
