"""Renewals over random customers against a plain walk through each customer's orders."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.models.skeleton import Skeleton

AS_OF = date(2026, 10, 31)
GRACE = timedelta(days=60)
DAY = timedelta(days=1)


def customers(seed: int) -> list[dict[str, Any]]:
    """Orders of 60 customers who renew early, late, too late, for more or less, or two terms by one order."""
    dice = random.Random(seed)
    orders: list[dict[str, Any]] = []

    def order(customer: int, signed: date, amount: int, starts: date, ends: date) -> None:
        orders.append(
            {
                "order_id": f"o{len(orders):05}", "account_id": f"A{customer}", "signed_on": signed, "is_future": False,
                "amount_base": Decimal(amount), "term_starts_on": starts, "term_ends_on": ends,
            }
        )  # fmt: skip

    for customer in range(60):
        starts = date(2022, 1, 1) + timedelta(days=dice.randrange(700))
        amount = dice.randrange(100, 1000)
        parts = dice.choice([1, 1, 2])
        while starts < AS_OF:
            ends = starts + timedelta(days=dice.choice([180, 365, 730]))
            for _ in range(parts):
                order(customer, starts - timedelta(days=dice.randrange(5)), amount, starts, ends)
            gap = dice.choice([-20, 0, 1, 30, 59, 75, 400])  # days from the end to the next term
            starts, parts = ends + timedelta(days=gap), 1
            amount = max(50, amount + dice.randrange(-300, 300))
    return [row for row in orders if row["signed_on"] <= AS_OF]


def walked(orders: list[dict[str, Any]]) -> dict[str, tuple[str, Decimal, Decimal]]:
    """Order → (status, what is kept of it, what comes on top): customer by customer, term by term."""
    told: dict[str, tuple[str, Decimal, Decimal]] = {}
    for customer in sorted({row["account_id"] for row in orders}):
        own = sorted((row for row in orders if row["account_id"] == customer), key=lambda row: row["order_id"])
        for ends in sorted({row["term_ends_on"] for row in own}):
            due = [row for row in own if row["term_ends_on"] == ends]
            fresh = [
                row
                for row in own
                if row["term_ends_on"] > ends
                and ends - GRACE <= row["term_starts_on"]
                and row["term_starts_on"] > due[0]["term_starts_on"]
                and row["signed_on"] <= ends + GRACE
            ]
            money = sum((row["amount_base"] for row in fresh), Decimal(0))
            for number, row in enumerate(due, 1):
                kept = min(money, row["amount_base"])
                money -= kept
                lapsed = "to_come" if ends >= AS_OF else "open" if ends + GRACE >= AS_OF else "lost"
                state = ("renewed" if kept == row["amount_base"] else "partly") if fresh else lapsed
                told[row["order_id"]] = state, kept, money if number == len(due) else Decimal(0)
    return told


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    """An empty warehouse with the grace of 60 days."""
    made = Skeleton()
    made.fill("rules.attribution_settings", [{"renewal_grace_days": 60}])
    made.ensure("core.orders")
    return made


def signed(skeleton: Skeleton, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mart's rows for just these orders."""
    skeleton.con.execute("delete from core.orders")
    skeleton.fill("core.orders", orders)
    return skeleton.build("marts.renewals", {})


@pytest.mark.parametrize("seed", range(3))
def test_renewals_of_random_customers_are_those_of_a_plain_walk(skeleton: Skeleton, seed: int) -> None:
    orders = customers(seed)
    found = signed(skeleton, orders)
    expected = walked(orders)
    assert {row["status"] for row in found} == {"renewed", "partly", "lost", "open", "to_come"}
    # Where two terms end together the surplus may stand on either.
    assert {row["order_id"]: (row["status"], row["retained_amount"]) for row in found} == {
        order: (state, kept) for order, (state, kept, _) in expected.items()
    }
    assert sum(row["expansion_amount"] for row in found) == sum(more for _, _, more in expected.values())
    # Every new order's amount stands on one line: finance, summed over the lines, is what was signed anew.
    renewing = {order for row in found for order in row["renewed_by"]}
    brought = sum(row["amount_base"] for row in orders if row["order_id"] in renewing)
    assert sum(row["renewed_amount"] for row in found) == brought
    # Business, counted by hand: accounts with a term that ends in the month, and those of them with a new order.
    due = {(row["account_id"], row["month"]) for row in found}
    kept = {(row["account_id"], row["month"]) for row in found if row["status"] in ("renewed", "partly")}
    assert (sum(row["business_due"] for row in found), sum(row["business_renewed"] for row in found)) == (
        len(due), len(kept),
    )  # fmt: skip


def test_retention_over_a_year_is_what_the_same_accounts_pay_at_its_end(skeleton: Skeleton) -> None:
    lines = signed(skeleton, customers(7))
    rates = {row["month"]: row for row in skeleton.build("marts.renewal_rates", {})}
    month = date(2025, 12, 1)

    def paid(account: str, day: date) -> float:
        """A year's value of the account's terms on the day; a renewed or open one lasts until the next begins."""
        total = 0.0
        for row in lines:
            last = row["term_ends_on"]
            if row["status"] in ("open", "to_come"):
                last = row["grace_ends_on"]
            elif row["next_starts_on"]:
                last = row["next_starts_on"] - DAY
            if row["account_id"] == account and row["term_starts_on"] <= day <= last:
                total += float(row["due_amount"]) * 365 / ((row["term_ends_on"] - row["term_starts_on"]).days + 1)
        return total

    before = {account: paid(account, date(2024, 12, 31)) for account in {row["account_id"] for row in lines}}
    after = {account: paid(account, date(2025, 12, 31)) for account, value in before.items() if value > 0}
    start = sum(before.values())
    assert rates[month]["nrr"] == pytest.approx(sum(after.values()) / start, abs=1e-4)
    assert rates[month]["grr"] == pytest.approx(
        sum(min(value, before[account]) for account, value in after.items()) / start, abs=1e-4
    )
