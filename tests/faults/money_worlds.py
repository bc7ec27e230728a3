"""Thousands of small worlds of money in one warehouse: deals, orders, invoices, payments, merges, amendments.

Every id begins with its world's number, so that one sync carries a thousand worlds. `MoneyWorlds` makes the rows from a
seed, in two states: as first told, and as amended (other amounts and splits, reopened and lost deals, companies merged
and split in two, more refunds). What the amounts and credits must be is told by tests/faults/money_oracle.py.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
AS_OF = date(2026, 10, 31)
FIRST_DAY = date(2026, 1, 1)
CURRENCIES = (None, "CNY", "cny", "USD", "EUR", "XXX")  # none has a rate to XXX
# Entity → its day, and what it may hang on.
VERSIONED = {
    "deals": ("closed_at",), "orders": ("signed_on", "deal_id"), "invoices": ("issued_on", "order_id"),
    "payments": ("paid_on", "order_id", "deal_id"),
}  # fmt: skip
STAGES = ("won", "won", "won", "赢单", "negotiation", "lost")
MODELS = (
    "linear", "first_touch", "last_touch", "position_based", "u_shaped", "w_shaped", "linear_campaign", "full_path",
    "lead_creation", "time_decay", "markov",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """One attribution.yaml, as the oracle reads it."""

    models: tuple[str, ...]
    lookback_days: int
    anchor: str
    until: str
    renewals: str
    signed_without_orders: str

    @classmethod
    def drawn(cls, rng: random.Random) -> "Settings":
        """Three models and every setting by chance."""
        return cls(
            tuple(sorted(rng.sample(MODELS, 3))),
            rng.choice((0, 30, 60, 180)),
            rng.choice(("closed", "closed", "created")),
            rng.choice(("closed", "closed", "opened")),
            rng.choice(("own", "inherit", "split")),
            rng.choice(("never", "when_no_orders", "always")),
        )

    def text(self) -> str:
        """The file."""
        told = {name: value for name, value in vars(self).items() if name != "models"}
        lines = [f"{name}: {value}" for name, value in told.items()]
        return "\n".join(
            [f"models: [{', '.join(self.models)}]", "repeats: every_touch", "excluded_types: [open]", *lines]
        )


@dataclass
class MoneyWorlds:
    """The rows of `count` worlds by table; `amend` changes them as life does."""

    seed: int
    count: int
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The first state."""
        self.mentions: dict[str, Row] = {}
        self.rng = random.Random(self.seed)
        for currency in ("USD", "EUR"):
            for day in self.rng.sample(range(320), 6):
                rate = Decimal(self.rng.randrange(10**7, 10**9)) / 10**8
                since = FIRST_DAY + timedelta(days=day)
                self._add("staging.fx_rates", f"{currency}{day}", currency=currency, valid_on=since, rate=rate)
        for number in range(self.count):
            self._world(f"w{number}")
        self._tell(date(2026, 10, 1))
        self.tables["resolved.company_mentions"] = list(self.mentions.values())
        self.employed = {row["person_id"]: row for row in self.tables["matched.person_accounts"]}

    def _add(self, table: str, key: str, **row: Any) -> None:
        named = {"row_id": f"crm:{key}", "row_hash": key} if table.startswith("staging.") else {}
        self.tables.setdefault(table, []).append({**row, **named})

    def _day(self) -> date:
        return FIRST_DAY + timedelta(days=self.rng.randrange(320))  # some after the day of the run

    def _moment(self) -> datetime:
        # Few different seconds, so that touches fall together, and on the edges of windows.
        return datetime(2026, 1, 1, 4) + timedelta(
            days=self.rng.randrange(320), seconds=self.rng.choice((0, 0, 1, 43_200))
        )

    def _amount(self) -> Decimal | None:
        if self.rng.random() < 0.05:
            return None
        size = self.rng.choice((1, 100, 10**4, 10**7, 10**12))
        return Decimal(self.rng.randrange(-size // 4, size * 100)) / 100

    def _world(self, name: str) -> None:
        rng = self.rng
        people = [f"{name}P{n}" for n in range(rng.randrange(1, 5))]
        accounts = [f"{name}A{n}" for n in range(rng.randrange(1, 4))]
        for person in people:
            self._add("matched.persons", person, person_id=person, name=person, is_excluded=rng.random() < 0.05)
            self._add(
                "matched.person_accounts", person, person_id=person, account_id=rng.choice(accounts), decision="auto"
            )
        for account in accounts:
            self._add("resolved.accounts", account, account_id=account, name=account)
        for number in range(rng.randrange(0, 9)):
            self._touch(f"{name}T{number}", name, rng.choice(people))
        deals = [f"{name}D{n}" for n in range(rng.randrange(1, 4))]
        for deal in deals:
            self._deal(deal, rng.choice([*accounts, None]))
            if rng.random() < 0.4:
                self._split(deal, accounts, date(2026, 10, 1))
        orders = [f"{name}O{n}" for n in range(rng.randrange(0, 5))]
        for order in orders:
            row = {"order_id": order, "deal_id": rng.choice([*deals, *deals, f"{name}nobody", None])}
            self._money("orders", order, signed_on=self._day(), **row)
        for number in range(rng.randrange(0, 3)):
            key = f"{name}I{number}"
            order = rng.choice([*orders, f"{name}nothing"])
            self._money("invoices", key, invoice_id=key, order_id=order, issued_on=self._day())
        for number in range(rng.randrange(0, 6)):
            self._payment(f"{name}Y{number}", orders, deals)

    def _touch(self, touch: str, world: str, person: str) -> None:
        at, campaign = self._moment(), f"{world}c{self.rng.randrange(3)}"
        kind = self.rng.choice(("form", "visit", "open"))  # an opening earns nothing
        self._add("staging.touches", touch, touch_id=touch, occurred_at=at, campaign_id=campaign, type=kind,
                  channel=self.rng.choice(("ad", "event", "direct")), source="s")  # fmt: skip
        self._add("matched.person_rows", touch, entity="touches", row_id=f"crm:{touch}", person_id=person)

    def _deal(self, deal: str, account: str | None) -> None:
        created, closed = sorted((self._moment(), self._moment()))
        row = {
            "deal_id": deal, "stage": self.rng.choice(STAGES), "amount": self._amount(), "created_at": created,
            "currency": self.rng.choice(CURRENCIES), "closed_at": closed, "lead_created_at": self._moment(),
            "type": self.rng.choice(("new", "new", "renewal", "expansion")),
        }  # fmt: skip
        self._add("staging.deals", deal, source_rank=1, **row)
        if self.rng.random() < 0.1:  # the same deal in an older system, which says something else
            self._add("staging.deals", f"old{deal}", source_rank=2, **{**row, "amount": self._amount()})
        if account:
            self._add("resolved.deal_accounts", deal, deal_row_id=f"crm:{deal}", deal_id=deal, account_id=account)

    def _split(self, deal: str, accounts: list[str], landed_on: date) -> None:
        """One file's split of the deal over companies, one of which may be unknown, or sales people, or both."""
        for axis, members in (("account", [*accounts, None]), ("owner", ["O1", "O2", "O3", "O4"])):
            chosen = self.rng.sample(members, self.rng.randrange(min(4, len(members)) + 1))
            cuts = sorted(self.rng.sample(range(1, 10_000), len(chosen[1:])))
            shares = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
            if len(chosen) == 3 and self.rng.random() < 0.5:
                shares = [3333, 3333, 3333]
            for member, share in zip(chosen, shares, strict=False):
                key = f"{deal}|{member}"
                self._add("staging.split_tellings", key, axis=axis, deal_id=deal, file_sha=f"{deal}{landed_on}",
                          percent=Decimal(share) / 100, is_whole=True, landed_on=landed_on, source_rank=1,
                          owner_id=member if axis == "owner" else None)  # fmt: skip
                if axis == "account" and member:
                    told = {"entity": "deal_splits", "row_id": f"crm:{key}", "account_id": member}
                    self.mentions[key] = told

    def _money(self, entity: str, key: str, **row: Any) -> None:
        amount, currency = self._amount(), self.rng.choice(CURRENCIES)
        self._add(f"staging.{entity}", key, amount=amount, currency=currency, source_rank=1, **row)
        if self.rng.random() < 0.05:
            self._add(f"staging.{entity}", f"old{key}", amount=self._amount(), currency=currency, source_rank=2, **row)

    def _payment(self, key: str, orders: list[str], deals: list[str]) -> None:
        order = self.rng.choice([*orders, *orders, "lost", None])
        deal = self.rng.choice([*deals, None, None, None, "gone"])
        self._money("payments", key, payment_id=key, order_id=order, deal_id=deal, paid_on=self._day())

    def _tell(self, landed_on: date) -> None:
        """Each record's version of that day, as staging keeps what was told more than once."""
        for entity, (day, *parents) in VERSIONED.items():
            for row in self.tables.get(f"staging.{entity}", []):
                if row["source_rank"] == 1:
                    when = row[day] if entity != "deals" else (row[day] + timedelta(hours=8)).date()
                    told = {name: row.get(name) for name in ("row_id", "stage", "amount", "currency")}
                    parent = next((row[name] for name in parents if row[name]), None)
                    version = {"entity": entity, "landed_on": landed_on, "day": when, "parent_id": parent, **told}
                    self.tables.setdefault("staging.money_versions", []).append(version)

    def amend(self) -> None:
        """The second state of the same worlds."""
        rng = self.rng
        for entity in ("deals", "orders", "invoices", "payments"):
            for row in self.tables.get(f"staging.{entity}", []):
                if rng.random() < 0.25:
                    row["amount"] = self._amount()
                if rng.random() < 0.1:
                    row["currency"] = rng.choice(CURRENCIES)
                if entity == "deals" and rng.random() < 0.25:
                    row["stage"] = rng.choice(STAGES)
        self._tell(date(2026, 10, 20))
        for number in range(self.count):
            self._amend_world(f"w{number}")
        self.tables["resolved.company_mentions"] = list(self.mentions.values())

    def _amend_world(self, name: str) -> None:
        rng = self.rng
        if rng.random() < 0.4:  # A0 and A1 are the same company: the rows still name the old one
            self._add("resolved.account_redirects", name, old_account_id=f"{name}A1", account_id=f"{name}A0")
        if rng.random() < 0.3:  # the first person's company was two
            self.employed[f"{name}P0"]["account_id"] = f"{name}A2"
        if rng.random() < 0.4:
            self._split(f"{name}D0", [f"{name}A0", f"{name}A1"], date(2026, 10, 20))
        if rng.random() < 0.5:  # everything comes back
            deal = rng.choice([f"{name}D0", None])
            self._money(
                "payments", f"{name}R", payment_id=f"{name}R", order_id=f"{name}O0", deal_id=deal, paid_on=self._day()
            )
