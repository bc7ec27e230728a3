"""What the amounts and credits of the worlds of money must be, in whole cents and fractions, one deal after the other.

Written from the specification (07-attribution, 01-inputs), in another way than the product: no columns, no floats.
Credits are told to the cent for the models whose weights are fractions; of the others (time decay, Markov) the sums.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.faults.money_worlds import AS_OF, Row, Settings

LOCAL = timedelta(hours=8)
END = datetime(AS_OF.year, AS_OF.month, AS_OF.day) + timedelta(days=1) - LOCAL - timedelta(microseconds=1)
STATUS = {"won": "won", "赢单": "won", "lost": "lost"}
NO_DEAL = "(no deal)"
ANCHORS: dict[str, dict[str, Fraction]] = {
    "first_touch": {"first": Fraction(1)},
    "last_touch": {"last": Fraction(1)},
    "lead_creation": {"lead": Fraction(1)},
    "position_based": {"first": Fraction(2, 5), "last": Fraction(2, 5)},
    "u_shaped": {"first": Fraction(2, 5), "lead": Fraction(2, 5)},
    "w_shaped": dict.fromkeys(("first", "lead", "opportunity"), Fraction(3, 10)),
    "full_path": dict.fromkeys(("first", "lead", "opportunity", "close"), Fraction(9, 40)),
}
EXACT = {*ANCHORS, "linear", "linear_campaign"}
_KEYS = (
    ("orders", "order_id", "signed_on"), ("invoices", "invoice_id", "issued_on"), ("payments", "payment_id", "paid_on"),
)  # fmt: skip
Amounts = dict[tuple[str, str], int | None]
Shares = dict[str | None, int]


@dataclass
class Oracle:
    """The truth about one state of the worlds' tables under one attribution.yaml."""

    tables: dict[str, list[Row]]
    settings: Settings

    def __post_init__(self) -> None:
        """What is looked up again and again."""
        self.rates = sorted((row["currency"], row["valid_on"], row["rate"]) for row in self.tables["staging.fx_rates"])
        self.redirects = {row["old_account_id"]: row["account_id"] for row in self._rows("resolved.account_redirects")}
        self.deals = self._chosen("deals", "deal_id")
        self.orders = self._chosen("orders", "order_id")
        self.party: dict[str, str] = {}
        for row in self._rows("resolved.deal_accounts"):
            self.party[row["deal_id"]] = self.redirects.get(row["account_id"], row["account_id"])
        self.touches = self._touches()
        self.splits = {axis: self._splits(axis) for axis in ("account", "owner")}

    def _rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def _chosen(self, entity: str, key: str) -> dict[str, Row]:
        """Of several rows of one id that of the most trusted source."""
        rows = sorted(self._rows(f"staging.{entity}"), key=lambda row: -row["source_rank"])
        return {row[key]: row for row in rows}

    def _touches(self) -> dict[str, list[Row]]:
        """The touches that may earn, by company, in order."""
        people = {row["person_id"]: row for row in self._rows("matched.persons")}
        employer = {row["person_id"]: row["account_id"] for row in self._rows("matched.person_accounts")}
        who = {row["row_id"]: row["person_id"] for row in self._rows("matched.person_rows")}
        found = defaultdict(list)
        for touch in self._rows("staging.touches"):
            person = who[touch["row_id"]]
            future = (touch["occurred_at"] + LOCAL).date() > AS_OF
            if touch["type"] != "open" and not future and not people[person]["is_excluded"]:
                account = employer[person]
                found[self.redirects.get(account, account)].append(touch)
        for rows in found.values():
            rows.sort(key=lambda row: (row["occurred_at"], row["touch_id"]))
        return found

    def _splits(self, axis: str) -> dict[str, dict[str | None, Decimal]]:
        """Deal → member → percent, by the newest file."""
        accounts = {row["row_id"]: row["account_id"] for row in self._rows("resolved.company_mentions")}
        told = [row for row in self._rows("staging.split_tellings") if row["axis"] == axis]
        newest: dict[str, date] = {}
        for row in told:
            newest[row["deal_id"]] = max(newest.get(row["deal_id"], row["landed_on"]), row["landed_on"])
        found: dict[str, dict[str | None, Decimal]] = defaultdict(dict)
        for row in told:
            if row["landed_on"] == newest[row["deal_id"]]:
                member = row["owner_id"] if axis == "owner" else accounts.get(row["row_id"])
                member = self.redirects.get(member, member)
                found[row["deal_id"]][member] = found[row["deal_id"]].get(member, Decimal(0)) + row["percent"]
        return found

    def parts(self, deal: str, axis: str, cents: int) -> Shares:
        """Member of the split → cents of the deal's amount, by largest remainder; the whole where it is not split."""
        split = self.splits[axis].get(deal) if deal in self.deals else None
        if not split:
            return {self.party.get(deal) if axis == "account" else None: cents}
        members = sorted(split, key=lambda member: (member is None, member or ""))
        return _shared({member: Fraction(split[member]) for member in members}, cents)

    def status(self, deal: Row) -> str:
        """won, lost or open."""
        return STATUS.get(deal["stage"], "open")

    def cents(self, row: Row, day: date) -> int | None:
        """The amount in the workspace's currency at the rate of that day; None where either is not known."""
        amount, currency = row["amount"], (row["currency"] or "CNY").upper()
        if amount is None:
            return None
        if currency != "CNY":
            valid = [rate for code, since, rate in self.rates if code == currency and since <= day]
            if not valid:
                return None
            amount = (amount * valid[-1]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return int(amount * 100)

    def deal_cents(self, deal: Row) -> int | None:
        """The deal's own amount, at the rate of its closing, an open one's of today."""
        is_open = self.status(deal) == "open"
        return self.cents(deal, AS_OF if is_open else (deal["closed_at"] + LOCAL).date())

    def amounts(self) -> Amounts:
        """(deal, basis) → cents; what hangs on no known deal under `(no deal)`."""
        entries: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        for name, deal in self.deals.items():
            if self.status(deal) != "lost":
                entries[name, "pipeline"].append(self.deal_cents(deal))
        ordered = set()
        for order in self.orders.values():
            if order["signed_on"] <= AS_OF:
                ordered.add(order["deal_id"])
                entries[self._deal(order), "signed"].append(self.cents(order, order["signed_on"]))
        if {"always": True, "never": False}.get(self.settings.signed_without_orders, not self.orders):
            for name in [name for name in self.deals if name not in ordered]:
                if self.status(self.deals[name]) == "won":
                    entries[name, "signed"].append(self.deal_cents(self.deals[name]))
        self._invoiced_and_paid(entries)
        return {
            key: sum(cents for cents in found if cents is not None) if set(found) != {None} else None
            for key, found in entries.items()
        }

    def _invoiced_and_paid(self, entries: dict[tuple[str, str], list[int | None]]) -> None:
        for invoice in self._chosen("invoices", "invoice_id").values():
            if invoice["issued_on"] <= AS_OF:
                deal = self._deal(self.orders.get(invoice["order_id"], {}))
                entries[deal, "invoiced"].append(self.cents(invoice, invoice["issued_on"]))
        for payment in self._chosen("payments", "payment_id").values():
            if payment["paid_on"] <= AS_OF:
                own = payment if payment["deal_id"] in self.deals else self.orders.get(payment["order_id"], {})
                entries[self._deal(own), "cash"].append(self.cents(payment, payment["paid_on"]))

    def _deal(self, row: Row) -> str:
        return row["deal_id"] if row.get("deal_id") in self.deals else NO_DEAL

    def counted(self) -> dict[str, int]:
        """Id of a deal, order, invoice or payment → the cents that it adds to the total of its basis."""
        found = {}
        for entity, key, day in (("deals", "deal_id", ""), *_KEYS):
            for name, row in self._chosen(entity, key).items():
                is_out = self.status(row) == "lost" if not day else row[day] > AS_OF
                cents = self.deal_cents(row) if not day else self.cents(row, row[day])
                found[name] = 0 if is_out else cents or 0
        return found

    def credits(self, deal: str, model: str, cents: int) -> Shares:
        """Touch → cents of the deal's amount, part by part; None is what no touch earned."""
        found: Shares = {}
        for party, part in self.parts(deal, "account", cents).items():
            weights = self._settled(deal, party, model) if deal in self.deals else {}
            for touch, share in (_shared(weights, part) if weights else {None: part}).items():
                found[touch] = found.get(touch, 0) + share
        return found

    def _settled(self, name: str, party: str | None, model: str) -> dict[str, Fraction]:
        """Touch → weight of the deal, by its own journey, that of the customer's first deal, or half and half."""
        own = self.deals[name]
        other = self._first_deal(name, party) if own["type"] in ("renewal", "expansion") else own
        mine, theirs = (self._weights(party, deal, model) for deal in (own, other))
        kind = self.settings.renewals
        parts = {"own": [mine], "inherit": [theirs], "split": [mine, theirs]}[kind]
        joined: dict[str, Fraction] = defaultdict(Fraction)
        for part in parts:
            for touch, weight in part.items():
                joined[touch] += weight
        order = {touch["touch_id"]: touch["occurred_at"] for touch in self.touches.get(party or "", [])}
        return {touch: joined[touch] for touch in sorted(joined, key=lambda touch: (order[touch], touch))}

    def _first_deal(self, name: str, party: str | None) -> Row:
        world = name.split("D")[0]
        won = [
            (deal["closed_at"], other) for n in range(3) if (deal := self.deals.get(other := f"{world}D{n}"))
            and self.status(deal) == "won" and party and party in self.parts(other, "account", 1)
        ]  # fmt: skip
        return self.deals[min(won)[1]] if won else self.deals[name]

    def _journey(self, party: str | None, deal: Row) -> list[Row]:
        closed = END if self.status(deal) == "open" else deal["closed_at"]
        anchor = closed if self.settings.anchor == "closed" else deal["created_at"]
        end = min(anchor, closed, END)
        if self.settings.until == "opened":
            end = min(end, deal["created_at"])
        days = self.settings.lookback_days
        start = anchor - timedelta(days=days) if days else datetime.min
        return [t for t in self.touches.get(party or "", []) if start <= t["occurred_at"] <= end]

    def _weights(self, party: str | None, deal: Row, model: str) -> dict[str, Fraction]:
        """Touch → weight, summing to 1; empty where nothing earns."""
        rows = self._journey(party, deal)
        ids = [row["touch_id"] for row in rows]
        if not rows or model not in ANCHORS:
            campaigns = [row["campaign_id"] if model == "linear_campaign" else n for n, row in enumerate(rows)]
            distinct = len(set(campaigns))
            return {touch: Fraction(1, distinct * campaigns.count(c)) for touch, c in zip(ids, campaigns, strict=True)}
        moments = {"lead": deal["lead_created_at"], "opportunity": deal["created_at"]}
        if self.status(deal) == "won":
            moments["close"] = deal["closed_at"]
        place: dict[str, int | None] = {"first": 0, "last": len(rows) - 1}
        for anchor in ("lead", "opportunity", "close"):
            before = [n for n, row in enumerate(rows) if anchor in moments and row["occurred_at"] <= moments[anchor]]
            place[anchor] = before[-1] if before else None
        anchored = {anchor: place[anchor] for anchor in ANCHORS[model]}
        if len(anchored) == 1 and None in anchored.values():
            return {}
        weight = [Fraction(0)] * len(rows)
        for anchor, row_number in anchored.items():
            if row_number is not None:
                weight[row_number] += ANCHORS[model][anchor]
        others, rest = [n for n in range(len(rows)) if n not in anchored.values()], 1 - sum(weight)
        for n in others:
            weight[n] = rest / len(others)
        whole = sum(weight)
        return {touch: part / whole for touch, part in zip(ids, weight, strict=True) if part}


def _shared(weights: dict[Any, Fraction], cents: int) -> Shares:
    """Key → cents in proportion to the weights, by largest remainder, ties to the earlier key."""
    whole = sum(weights.values())
    exact = {key: weight / whole * abs(cents) for key, weight in weights.items()}
    share = {key: int(part) for key, part in exact.items()}
    behind = sorted(exact, key=lambda key: share[key] - exact[key])  # stable
    for key in behind[: abs(cents) - sum(share.values())]:
        share[key] += 1
    return {key: part if cents >= 0 else -part for key, part in share.items()}
