"""Touches: what people do with a campaign, as short chains (open, click, form …) spread over the campaign's days."""

import numpy as np
import pandas as pd

from .common import DAY_SECONDS, SHANGHAI_OFFSET_SECONDS, WorldSize, draw, draw_index, stream
from .people import primary_email

# channel: first step, then (step, what it follows, how often, median minutes later, where it is recorded)
FIRST_STEP = {
    "edm": ("open", "edm"),
    "sms": ("click", "sms"),
    "ad": ("click", "web"),
    "webinar": ("registration", "webinar"),
    "event": ("attendance", "event"),
    "wechat": ("visit", "wechat"),
    "website": ("visit", "web"),
    "referral": ("reply", "sales"),
    "direct": ("visit", "web"),
}
NEXT_STEPS = {
    "edm": [
        ("click", "open", 0.26, 2, "edm"),
        ("form", "click", 0.10, 6, "forms"),
        ("unsubscribe", "open", 0.006, 1, "edm"),
    ],
    "sms": [("form", "click", 0.06, 10, "forms"), ("unsubscribe", "click", 0.02, 3, "sms")],
    "ad": [("visit", "click", 0.55, 1, "web"), ("form", "visit", 0.09, 9, "forms")],
    "webinar": [("attendance", "registration", 0.6, 0, "webinar"), ("demo_request", "attendance", 0.05, 600, "forms")],
    "event": [("form", "attendance", 0.25, 20, "forms"), ("meeting", "attendance", 0.15, 4000, "sales")],
    "wechat": [("reply", "visit", 0.10, 3, "wechat"), ("form", "visit", 0.04, 5, "forms")],
    "website": [
        ("form", "visit", 0.07, 8, "forms"),
        ("demo_request", "visit", 0.03, 12, "forms"),
        ("visit", "visit", 0.35, 2, "web"),
    ],
    "referral": [("meeting", "reply", 0.6, 3000, "sales"), ("demo_request", "reply", 0.25, 900, "forms")],
    "direct": [("visit", "visit", 0.3, 2, "web")],
}
NEEDS = {"edm": "email", "sms": "mobile", "wechat": "wechat_unionid", "event": "mobile"}
PAGES = ["/", "/products/mes", "/products/scada", "/pricing", "/cases", "/download/whitepaper", "/about"]
CONTENT = {"form": "/download/whitepaper", "demo_request": "/demo", "attendance": "签到", "meeting": "拜访"}
DIRECT_SHARE = 0.06
HOURS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 9, 14, 15, 12, 7, 10, 14, 14, 12, 8, 5, 6, 8, 8, 5, 2])  # of the local day


def make_touches(
    size: WorldSize, seed: int, people: pd.DataFrame, campaigns: pd.DataFrame, fit: np.ndarray
) -> pd.DataFrame:
    """Exactly `size.touches` rows in order of time, numbered by position: person, campaign (-1 direct), channel, type,
    second, minutes attended, content, and the tool that recorded it. `fit` is that of each person's company.
    """
    rng = stream(seed, "touches")
    chains, table = size.touches, pd.DataFrame()
    while len(table) < size.touches:  # expected once; a chain has some 1.4 touches
        chains = int(chains * 1.1)
        table = _expand(rng, size, _chains(rng, size, chains, people, campaigns, fit))
    keep = np.sort(rng.permutation(len(table))[: size.touches])
    table = table.take(keep).sort_values(["second", "person", "type"], kind="stable").reset_index(drop=True)
    return table.assign(touch=np.arange(len(table)))


def _chains(
    rng: np.random.Generator,
    size: WorldSize,
    count: int,
    people: pd.DataFrame,
    campaigns: pd.DataFrame,
    fit: np.ndarray,
) -> pd.DataFrame:
    """One row per person in a campaign: when it begins."""
    share = np.append(campaigns["share"] / campaigns["share"].sum() * (1 - DIRECT_SHARE), DIRECT_SHARE)
    sizes = rng.multinomial(count, share)
    channels = [*campaigns["channel"], "direct"]
    parts = []
    for number, (channel, chain_count) in enumerate(zip(channels, sizes, strict=True)):
        weights = people["activity"].to_numpy() * _can_be_reached(people, channel)
        if channel != "direct":
            campaign = campaigns.iloc[number]
            weights = weights * (fit < COLD_FIT) if campaign["is_cold"] else weights * (0.1 + fit) ** campaign["aim"]
            begin, end = int(campaign["starts_at"]), int(campaign["ends_at"])
        else:
            begin, end = size.first_second, size.last_second
        who = draw_index(rng, len(people), chain_count if weights.sum() else 0, weights)
        parts.append(_when(rng, channel, begin, end, len(who)).assign(person=who, campaign=number, channel=channel))
    chains = pd.concat(parts, ignore_index=True)
    chains.loc[chains["channel"] == "direct", "campaign"] = -1
    return chains[chains["second"] >= people["since"].to_numpy()[chains["person"]]].reset_index(drop=True)


COLD_FIT = 0.4  # companies below never buy


def _can_be_reached(people: pd.DataFrame, channel: str) -> np.ndarray:
    """1 where the person has the key the channel needs; every person has an e-mail or a mobile."""
    key = NEEDS.get(channel)
    if key is None:
        return np.ones(len(people))
    return np.asarray(people.assign(email=primary_email(people))[key].notna(), dtype=float)


def _when(rng: np.random.Generator, channel: str, begin: int, end: int, count: int) -> pd.DataFrame:
    """Mail and messages are answered early, the rest evenly, by day more than by night. A webinar opens at its end."""
    lateness = rng.beta(1, 6, count) if channel in {"edm", "sms"} else rng.random(count)
    day = (begin + SHANGHAI_OFFSET_SECONDS + lateness * (end - begin)).astype(np.int64) // DAY_SECONDS
    hours = np.where(np.abs(np.arange(24) - 13) <= 3, HOURS, 0) if channel == "event" else HOURS
    second = draw_index(rng, 24, count, hours) * 3600 + rng.integers(0, 3600, count)
    opens_at = end - 10 * 3600  # two in the afternoon of the last day
    return pd.DataFrame({"second": day * DAY_SECONDS - SHANGHAI_OFFSET_SECONDS + second, "opens_at": opens_at})


def _expand(rng: np.random.Generator, size: WorldSize, chains: pd.DataFrame) -> pd.DataFrame:
    """Every step of every chain as a touch."""
    done = []
    for channel, (step, tool) in FIRST_STEP.items():
        rows = chains[chains["channel"] == channel].assign(type=step, tool=tool)
        made = {step: rows}
        done.append(rows)
        for name, after, rate, median_minutes, recorded in NEXT_STEPS[channel]:
            rows = made[after][rng.random(len(made[after])) < rate].assign(type=name, tool=recorded)
            if (channel, name) == ("webinar", "attendance"):
                rows["second"] = rows["opens_at"] + rng.integers(-300, 1500, len(rows))
            else:
                rows["second"] += (rng.lognormal(np.log(median_minutes), 0.7, len(rows)) * 60).astype(np.int64) + 1
            made[name] = rows
            done.append(rows)
    touches = pd.concat(done, ignore_index=True)
    touches = touches[touches["second"] <= size.last_second].reset_index(drop=True)
    return _add_details(rng, touches.drop(columns="opens_at"))


def _add_details(rng: np.random.Generator, touches: pd.DataFrame) -> pd.DataFrame:
    count = len(touches)
    page = draw(rng, PAGES, count, [5, 6, 4, 2, 3, 2, 1])
    content = touches["type"].map(CONTENT).astype("str").where(touches["type"].isin(list(CONTENT)))
    minutes = rng.normal(42, 22, count).clip(1, 95).round()
    at_webinar = (touches["channel"] == "webinar") & (touches["type"] == "attendance")
    return touches.assign(
        content=content.where(~at_webinar).where(touches["type"] != "visit", page),
        minutes=pd.Series(minutes).where(at_webinar),
    )
