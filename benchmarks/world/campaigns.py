"""Campaigns in eight channels with what they cost, day by day."""

from datetime import date

import numpy as np
import pandas as pd

from .common import AS_OF, DAY_SECONDS, WorldSize, epoch, local_day, pad, stream, take

# channel: (share of all touch chains, length in days, cost of one campaign in yuan, kinds of cost)
CHANNELS = {
    "edm": (0.40, 21, 150_000, ["vendor", "people"]),
    "sms": (0.07, 5, 60_000, ["vendor"]),
    "ad": (0.11, 60, 420_000, ["media"]),
    "webinar": (0.12, 16, 200_000, ["vendor", "people"]),
    "event": (0.05, 4, 600_000, ["vendor", "travel", "people"]),
    "wechat": (0.09, 40, 120_000, ["media", "people"]),
    "website": (0.09, 80, 150_000, ["vendor"]),
    "referral": (0.01, 110, 60_000, ["people", "travel"]),
}
THEMES = {
    "edm": "数字化工厂白皮书邮件",
    "sms": "限时试用短信",
    "ad": "信息流广告",
    "webinar": "智能制造直播课",
    "event": "工业博览会",
    "wechat": "公众号案例专栏",
    "website": "官网产品专题",
    "referral": "老客户推荐计划",
}
PER_CHANNEL = 4
COLD = 3  # campaigns bought for an audience that never buys


def make_campaigns(size: WorldSize, seed: int) -> pd.DataFrame:
    """One row per campaign, its number being its position: channel, dates (epoch seconds), budget, cost, pull and aim.

    `pull` is how strongly a touch of it moves a buyer; `aim` is how sharply it prefers fitting companies; a cold one
    reaches only companies that never buy, so that its true return is nothing. Costs are in cents of `currency`.
    """
    rng = stream(seed, "campaigns")
    channel = np.repeat(np.array(list(CHANNELS)), PER_CHANNEL)
    turn = np.tile(np.arange(PER_CHANNEL), len(CHANNELS))
    count, span = len(channel), (AS_OF - size.starts_on).days
    share, length, cost = (np.array([CHANNELS[name][place] for name in channel], dtype=float) for place in range(3))
    begin = (turn + rng.random(count)) / PER_CHANNEL * np.maximum(span - length, 1)
    starts_at = size.first_second + begin.astype(int) * DAY_SECONDS
    cold = rng.permutation(np.flatnonzero(np.isin(channel, ["ad", "sms", "event", "edm"])))[:COLD]
    factor = rng.lognormal(0.0, 0.45, count)
    campaigns = pd.DataFrame(
        {
            "campaign": np.arange(count),
            "channel": channel,
            "starts_at": starts_at,
            "ends_at": starts_at + length.astype(int) * DAY_SECONDS,
            "share": share / PER_CHANNEL * rng.uniform(0.6, 1.4, count),
            "pull": rng.lognormal(0.0, 0.6, count),
            "aim": rng.uniform(0.0, 2.5, count),
            "is_cold": np.isin(np.arange(count), cold),
            "cost_cents": (cost * factor * size.deals / 300 / 10).astype(np.int64) * 1000,
        }
    )
    campaigns["currency"] = _currencies(channel, turn)
    campaigns.loc[campaigns["currency"] != "CNY", "cost_cents"] //= 7
    campaigns["budget_cents"] = (campaigns["cost_cents"] * rng.uniform(0.9, 1.25, count) / 100_000).astype(
        np.int64
    ) * 100_000 + 100_000
    campaigns["is_costed"] = (turn != 2) | ~np.isin(channel, ["wechat", "referral"])
    return _name(campaigns, turn)


def _currencies(channel: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """One advertising campaign is billed in dollars, one fair in euros."""
    dollars, euros = (channel == "ad") & (turn == 1), (channel == "event") & (turn == 2)
    return np.where(dollars, "USD", np.where(euros, "EUR", "CNY"))


def _name(campaigns: pd.DataFrame, turn: np.ndarray) -> pd.DataFrame:
    """Ids and names as a team gives them; the parent is the quarter's programme."""
    day = local_day(campaigns["starts_at"].to_numpy())
    quarter = ((day.str.slice(5, 7).astype(int) + 2) // 3).astype("str")
    parent = "P" + day.str.slice(0, 4) + "Q" + quarter
    theme = take(list(THEMES.values()), pd.Categorical(campaigns["channel"], list(THEMES)).codes)
    name = day.str.slice(0, 4) + "Q" + quarter + " " + theme + " 第" + pad(turn + 1, 1) + "期"
    return campaigns.assign(campaign_id="C" + pad(campaigns["campaign"] + 1, 3), name=name, parent_campaign_id=parent)


def make_costs(size: WorldSize, seed: int, campaigns: pd.DataFrame) -> pd.DataFrame:
    """One row per spending on a campaign, together its cost to the cent; campaigns that are not costed have none."""
    rng = stream(seed, "costs")
    costed = campaigns[campaigns["is_costed"]]
    parts = rng.integers(2, 7, len(costed))
    rows = costed.loc[costed.index.repeat(parts)].reset_index(drop=True)
    part = rows.groupby("campaign").cumcount().to_numpy()
    of = np.repeat(parts, parts)
    share = rows["cost_cents"].to_numpy() // of
    amount = np.where(part == 0, rows["cost_cents"] - share * (of - 1), share)
    length = rows["ends_at"] - rows["starts_at"]
    spent = np.minimum(rows["starts_at"] + length * part // of, size.last_second)
    kinds = [CHANNELS[channel][3] for channel in rows["channel"]]
    return pd.DataFrame(
        {
            "cost_id": "K" + pad(np.arange(1, len(rows) + 1), 5),
            "campaign": rows["campaign"],
            "campaign_id": rows["campaign_id"],
            "spent_at": spent,
            "amount_cents": amount,
            "currency": rows["currency"],
            "kind": [kind[place % len(kind)] for kind, place in zip(kinds, part, strict=True)],
        }
    )


def make_fx_rates(size: WorldSize, seed: int) -> pd.DataFrame:
    """One row per currency and day, from 40 days before the world: yuan for one unit, a slow random walk."""
    rng = stream(seed, "fx")
    first = epoch(size.starts_on) - 40 * DAY_SECONDS
    days = np.arange((epoch(AS_OF) - first) // DAY_SECONDS + 1)
    tables = []
    for currency, start in (("USD", 7.12), ("EUR", 7.78)):
        walk = start * np.exp(np.cumsum(rng.normal(0, 0.0015, len(days))))
        tables.append(
            pd.DataFrame({"currency": currency, "valid_at": first + days * DAY_SECONDS, "rate": np.round(walk, 4)})
        )
    return pd.concat(tables, ignore_index=True)


def yuan_cents(fx_rates: pd.DataFrame, cents: np.ndarray, currency: pd.Series, seconds: np.ndarray) -> np.ndarray:
    """Amounts in yuan at the rate of their Shanghai day, rounded half up to the cent."""
    day = (np.asarray(seconds) - epoch(date(1970, 1, 1))) // DAY_SECONDS
    rate = np.ones(len(cents))
    for code, table in fx_rates.groupby("currency"):
        first = (int(table["valid_at"].iloc[0]) - epoch(date(1970, 1, 1))) // DAY_SECONDS
        position = (day - first).clip(0, len(table) - 1).astype(int)
        rate = np.where(currency == code, table["rate"].to_numpy()[position], rate)
    return np.floor(np.asarray(cents) * rate + 0.5).astype(np.int64)
