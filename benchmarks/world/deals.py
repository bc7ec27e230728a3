"""Deals that grow from qualified leads, with their stages, contacts, orders, invoices and payments."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .campaigns import yuan_cents
from .common import DAY_SECONDS, WorldSize, pad, stream
from .leads import POINTS
from .touches import COLD_FIT

STAGES = ["初步接洽", "需求确认", "方案报价", "商务谈判"]
WON, LOST = "赢单", "输单"
PROBABILITIES = dict(zip([*STAGES, WON, LOST], [10, 30, 50, 80, 100, 0], strict=True))
LOOKBACK_DAYS = 180
TRIAL_DAYS, YEAR_DAYS = 90, 365
EXPANSION_SHARE, UNTOUCHED_SHARE, EARLY_SHARE = 0.05, 0.02, 0.01


@dataclass(frozen=True)
class Business:
    """What the CRM knows of sales. Amounts are cents of the deal's currency, times epoch seconds (0 = not yet)."""

    deals: pd.DataFrame
    stages: pd.DataFrame
    contacts: pd.DataFrame
    orders: pd.DataFrame
    invoices: pd.DataFrame
    payments: pd.DataFrame
    causes: pd.DataFrame


def make_business(
    size: WorldSize,
    seed: int,
    companies: pd.DataFrame,
    leads: pd.DataFrame,
    touches: pd.DataFrame,
    tables: dict[str, pd.DataFrame],
) -> Business:
    """All of it; `tables` holds people, campaigns and fx_rates. Exactly `size.deals` deals."""
    rng = stream(seed, "deals")
    people, campaigns = tables["people"], tables["campaigns"]
    contacts_of = people[people["entity"] >= 0]
    touched = touches.assign(entity=people["entity"].to_numpy()[touches["person"]])
    deals = _plan(rng, size, companies, leads, _heat(touched, campaigns), touched)
    deals = _close(rng, size, companies, deals)
    deals = _expand_won(rng, size, companies, deals)
    deals["amount_cny_cents"] = yuan_cents(
        tables["fx_rates"],
        deals["amount_cents"],
        deals["currency"],
        deals["closed_at"].where(deals["closed_at"] > 0, size.last_second),
    )
    deals["deal_id"] = "D" + pad(np.arange(1, len(deals) + 1), 6)
    orders = _orders(rng, size, deals)
    return Business(
        deals=deals,
        stages=_stages(rng, deals, size),
        contacts=_contacts(rng, deals, contacts_of),
        orders=orders,
        invoices=_instalments(rng, size, orders, "invoice", "V", 25),
        payments=_refund(rng, size, _instalments(rng, size, orders, "payment", "Z", 45)),
        causes=_causes(rng, deals, touched, campaigns),
    )


def _heat(touched: pd.DataFrame, campaigns: pd.DataFrame) -> pd.Series:
    """How much each company was moved: points × pull of the campaign, nothing by cold ones, summed."""
    pull = np.append(np.where(campaigns["is_cold"], 0.0, campaigns["pull"]), 0.5)  # the last is -1: direct
    points = touched["type"].map(POINTS).clip(lower=0).to_numpy() * pull[touched["campaign"].to_numpy()]
    known = touched["entity"].to_numpy() >= 0
    return pd.Series(points[known]).groupby(touched["entity"].to_numpy()[known]).sum()


def _plan(
    rng: np.random.Generator,
    size: WorldSize,
    companies: pd.DataFrame,
    leads: pd.DataFrame,
    heat: pd.Series,
    touched: pd.DataFrame,
) -> pd.DataFrame:
    """Who gets a deal and when: hot leads by fit × heat, a few companies nobody touched, a few before any touch."""
    fit = companies["fit"].to_numpy()
    ready = leads[(leads["sql_at"] > 0) & (leads["entity"] >= 0)].sort_values(["sql_at", "person"])
    ready = ready.drop_duplicates("entity")
    if len(ready) < size.deals // 2:
        ready = leads[leads["entity"] >= 0].sort_values(["mql_at", "person"]).drop_duplicates("entity")
    expansion_count, early_count = int(size.deals * EXPANSION_SHARE), max(1, int(size.deals * EARLY_SHARE))
    wanted = size.deals - max(1, int(size.deals * UNTOUCHED_SHARE)) - early_count - expansion_count
    wanted = min(wanted, len(ready) - early_count)
    suits = fit[ready["entity"]]
    weights = suits**1.5 * (1 + heat.reindex(ready["entity"]).fillna(0).to_numpy()) * (suits >= COLD_FIT)
    order = np.argsort(-np.log(rng.random(len(ready)) + 1e-12) / np.maximum(weights, 1e-9), kind="stable")
    planned = [
        _grown(rng, size, ready.iloc[order[:wanted]]),
        _early(rng, ready.iloc[order[wanted:]], touched, early_count),
    ]
    missing = size.deals - expansion_count - sum(len(part) for part in planned)
    return pd.concat([*planned, _untouched(rng, size, companies, touched, missing)], ignore_index=True)


def _grown(rng: np.random.Generator, size: WorldSize, leads: pd.DataFrame) -> pd.DataFrame:
    """Deals that open some days after their lead was qualified, and before AS_OF ends."""
    qualified_at = leads["sql_at"].where(leads["sql_at"] > 0, leads["mql_at"]).to_numpy()
    lag = (rng.lognormal(np.log(4), 0.8, len(leads)) * DAY_SECONDS).astype(np.int64) + 3600
    room = ((size.last_second - qualified_at) * rng.random(len(leads))).astype(np.int64)
    grown = leads[["entity", "person", "mql_at", "cause_touch"]].rename(columns={"mql_at": "lead_at"})
    return grown.assign(created_at=qualified_at + np.minimum(lag, room), kind="grown")


def _early(rng: np.random.Generator, ready: pd.DataFrame, touched: pd.DataFrame, count: int) -> pd.DataFrame:
    """Deals that sales opened before marketing ever touched the company."""
    some = ready.head(count)
    first = touched.drop_duplicates("entity").set_index("entity")["second"].reindex(some["entity"]).to_numpy()
    created = first - rng.integers(5, 40, len(some)) * DAY_SECONDS
    return pd.DataFrame(
        {
            "entity": some["entity"],
            "person": some["person"],
            "lead_at": 0,
            "cause_touch": -1,
            "created_at": created,
            "kind": "before_first_touch",
        }
    )


def _untouched(
    rng: np.random.Generator, size: WorldSize, companies: pd.DataFrame, touched: pd.DataFrame, count: int
) -> pd.DataFrame:
    """Deals of companies that no touch reached: nothing to attribute to."""
    free = np.setdiff1d(np.flatnonzero(companies["fit"] >= COLD_FIT), touched["entity"])
    entity = rng.choice(free, count, replace=False)
    created = rng.integers(size.first_second, size.last_second, count)
    return pd.DataFrame(
        {"entity": entity, "person": -1, "lead_at": 0, "cause_touch": -1, "created_at": created, "kind": "untouched"}
    )


def _close(rng: np.random.Generator, size: WorldSize, companies: pd.DataFrame, deals: pd.DataFrame) -> pd.DataFrame:
    """Amount, currency, and how it ended; what would end after AS_OF is open."""
    count, company = len(deals), companies.take(deals["entity"])
    cycle = (rng.lognormal(np.log(45), 0.55, count) * DAY_SECONDS).astype(np.int64)
    closed_at = deals["created_at"].to_numpy() + cycle
    is_open = closed_at > size.last_second
    is_won = rng.random(count) < 0.12 + 0.33 * company["fit"].to_numpy()
    currency = company["currency"].fillna("CNY").reset_index(drop=True)
    typical = np.log(150_000) + 0.22 * np.log(company["employees"].to_numpy() / 100)
    yuan = rng.lognormal(typical, 0.75, count) / np.where(currency == "CNY", 1, 7)
    return deals.assign(
        amount_cents=np.maximum(1, yuan / 100).astype(np.int64) * 10_000,
        currency=currency,
        closed_at=np.where(is_open, 0, closed_at),
        status=np.where(is_open, "open", np.where(is_won, "won", "lost")),
        type="new",
        cycle=cycle,
    )


def _expand_won(
    rng: np.random.Generator, size: WorldSize, companies: pd.DataFrame, deals: pd.DataFrame
) -> pd.DataFrame:
    """Second deals of customers won early; where too few were won, of any company with a deal."""
    count = size.deals - len(deals)
    order = np.argsort(
        np.where(deals["status"] == "won", 0, 1) * 1e12
        + deals["closed_at"].where(deals["closed_at"] > 0, size.last_second)
    )
    again = deals.iloc[np.resize(order, count)].reset_index(drop=True)
    since = again["closed_at"].where(again["closed_at"] > 0, again["created_at"]).to_numpy()
    created = since + ((size.last_second - since) * rng.uniform(0.1, 0.9, count)).astype(np.int64)
    again = again[["entity", "person"]].assign(lead_at=0, cause_touch=-1, created_at=created, kind="expansion")
    again = _close(rng, size, companies, again)
    again["type"] = np.where(np.arange(count) % 3 == 2, "renewal", "expansion")
    return (
        pd.concat([deals, again], ignore_index=True)
        .sort_values(["created_at", "entity"], kind="stable")
        .reset_index(drop=True)
    )


def _stages(rng: np.random.Generator, deals: pd.DataFrame, size: WorldSize) -> pd.DataFrame:
    """One row per deal and stage entered, in order; adds the current stage to `deals`."""
    end = deals["created_at"] + deals["cycle"]
    steps = np.sort(rng.random((len(deals), len(STAGES) - 1)), axis=1)
    entered = np.column_stack(
        [
            deals["created_at"],
            *(deals["created_at"] + (deals["cycle"] * steps[:, k]).astype(np.int64) for k in range(steps.shape[1])),
        ]
    )
    reached = entered <= np.where(deals["status"] == "open", size.last_second, end).reshape(-1, 1)
    deal, stage = np.nonzero(reached)
    rows = pd.DataFrame({"deal": deal, "stage": np.array(STAGES)[stage], "entered_at": entered[deal, stage]})
    closed = np.flatnonzero(deals["status"] != "open")
    last = np.where(deals["status"].to_numpy()[closed] == "won", WON, LOST)
    rows = pd.concat(
        [rows, pd.DataFrame({"deal": closed, "stage": last, "entered_at": deals["closed_at"].to_numpy()[closed]})]
    )
    rows = rows.sort_values(["deal", "entered_at"], kind="stable").reset_index(drop=True)
    deals["stage"] = (
        rows.drop_duplicates("deal", keep="last").set_index("deal")["stage"].reindex(np.arange(len(deals))).to_numpy()
    )
    return rows.assign(deal_id=deals["deal_id"].to_numpy()[rows["deal"]])


def _contacts(rng: np.random.Generator, deals: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One row per deal and person of its buying group: the lead first, then some of its colleagues."""
    pairs = (
        deals[["deal_id", "entity", "person"]]
        .rename(columns={"person": "lead"})
        .merge(people[["person", "entity", "seniority"]], on="entity")
    )
    pairs = pairs[(pairs["person"] == pairs["lead"]) | (rng.random(len(pairs)) < 0.45)]
    role = (
        pairs["seniority"]
        .map({"c_level": "决策人", "vp": "决策人", "director": "决策人", "manager": "影响者"})
        .fillna("使用者")
    )
    return pairs.assign(role=role, is_primary=np.where(pairs["person"] == pairs["lead"], "是", "否")).reset_index(
        drop=True
    )


def _orders(rng: np.random.Generator, size: WorldSize, deals: pd.DataFrame) -> pd.DataFrame:
    """One order per won deal, two for every tenth; together the deal's amount.

    Terms are a year; those of the first of two, and of every third of the others, are a trial of three months, which
    the second order follows.
    """
    won = deals[deals["status"] == "won"]
    parts = np.where(rng.random(len(won)) < 0.1, 2, 1)
    rows = won.loc[won.index.repeat(parts)].reset_index(drop=True)
    part = rows.groupby("deal_id").cumcount().to_numpy()
    of = np.repeat(parts, parts)
    first = rows["amount_cents"].to_numpy() * np.where(of == 2, 6, 10) // 10
    signed_at = np.minimum(rows["closed_at"] + part * 20 * DAY_SECONDS, size.last_second)
    is_trial = np.where(of == 2, part == 0, np.arange(len(rows)) % 3 == 0)
    starts_at = rows["closed_at"] + part * (TRIAL_DAYS + 1) * DAY_SECONDS
    return pd.DataFrame(
        {
            "order_id": "S" + pad(np.arange(1, len(rows) + 1), 6),
            "deal_id": rows["deal_id"],
            "signed_at": signed_at,
            "amount_cents": np.where(part == 0, first, rows["amount_cents"] - first),
            "currency": rows["currency"],
            "term_starts_at": starts_at,
            "term_ends_at": starts_at + np.where(is_trial, TRIAL_DAYS, YEAR_DAYS) * DAY_SECONDS,
        }
    )


def _instalments(
    rng: np.random.Generator, size: WorldSize, orders: pd.DataFrame, name: str, letter: str, gap_days: int
) -> pd.DataFrame:
    """One to three parts of each order, `gap_days` apart or so; parts that fall due after AS_OF are not there."""
    parts = rng.integers(1, 4, len(orders))
    rows = orders.loc[orders.index.repeat(parts)].reset_index(drop=True)
    part, of = rows.groupby("order_id").cumcount().to_numpy(), np.repeat(parts, parts)
    share = rows["amount_cents"].to_numpy() // of
    amount = np.where(part == of - 1, rows["amount_cents"] - share * (of - 1), share)
    when = rows["signed_at"] + ((part + 1) * gap_days + rng.integers(-10, 20, len(rows))) * DAY_SECONDS
    done = (
        rows[["order_id", "currency"]]
        .assign(amount_cents=amount, at=when)[when <= size.last_second]
        .reset_index(drop=True)
    )
    return done.assign(**{f"{name}_id": letter + pad(np.arange(1, len(done) + 1), 6)})


def _refund(rng: np.random.Generator, size: WorldSize, payments: pd.DataFrame) -> pd.DataFrame:
    """Every thirtieth payment is followed by a refund of a fifth; at least one is."""
    back = payments[(rng.random(len(payments)) < 0.03) | (payments.index == 0)].copy()
    back["amount_cents"] = -(back["amount_cents"] // 5)
    back["at"] = np.minimum(back["at"] + 12 * DAY_SECONDS, size.last_second)
    back["payment_id"] = back["payment_id"] + "R"
    return pd.concat([payments, back], ignore_index=True)


def _causes(
    rng: np.random.Generator, deals: pd.DataFrame, touched: pd.DataFrame, campaigns: pd.DataFrame
) -> pd.DataFrame:
    """One row per deal and touch that helped it: the one that made the lead, the last before it opened, and those that
    moved somebody on the way (the likelier the more points and pull), within LOOKBACK_DAYS before the opening."""
    grown = deals[deals["kind"] == "grown"][["deal_id", "entity", "created_at", "cause_touch"]]
    pairs = grown.merge(touched[["touch", "entity", "campaign", "type", "second"]], on="entity")
    pairs = pairs[
        (pairs["second"] <= pairs["created_at"]) & (pairs["second"] > pairs["created_at"] - LOOKBACK_DAYS * DAY_SECONDS)
    ]
    pull = np.append(np.where(campaigns["is_cold"], 0.0, campaigns["pull"]), 0.2)[pairs["campaign"].to_numpy()]
    moved = rng.random(len(pairs)) < 1 - np.exp(-pairs["type"].map(POINTS).clip(lower=0) / 15 * pull)
    is_last = ~pairs.sort_values(["second", "touch"]).duplicated("deal_id", keep="last").sort_index()
    cause = np.where(
        pairs["touch"] == pairs["cause_touch"], "lead", np.where(is_last, "opportunity", np.where(moved, "assist", ""))
    )
    return pairs.assign(cause=cause)[cause != ""][["deal_id", "touch", "campaign", "cause"]].reset_index(drop=True)
