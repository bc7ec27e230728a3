"""The step that looks ahead: what open and coming deals will bring, and what was said of earlier months."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.calendar import month_of, quarter_of
from abmloop.messages import say
from abmloop.run import Run, StepCounts
from abmloop.settings import load_settings
from scoring.forecast.combining import (
    HORIZONS,
    LEAST_DAYS,
    LEAST_DECIDED,
    LEAST_WON,
    WAYS,
    Forecast,
    History,
    Teller,
    month_starts,
)
from scoring.forecast.spells import (
    NEVER,
    Days,
    Floats,
    Spells,
    last_period,
    pipeline_times_rate,
    seen_from,
    won_between,
)
from warehouse.steps import step
from warehouse.tables import declared_tables

BACK_TESTS = 12  # months' starts
_SPELLS = """
select spells.*, owners.team
from core.deal_spells as spells
left join core.owners_today as owners using (owner_id)
order by deal_id, told_on
"""
_OPEN = """
select deals.deal_id, deals.stage, owners.team, deals.amount_base, deals.probability
from core.deals
left join core.owners_today as owners using (owner_id)
where status = 'open'
order by deal_id
"""
_FORECASTS, _OF_DEALS, _BACK_TEST = "scored.forecasts", "scored.deal_forecasts", "scored.forecast_backtest"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Stretch:
    """Days that are looked ahead at, from the day after the run's; a month or quarter may have begun before."""

    horizon: str
    starts_on: date
    ends_on: date

    def days_after(self, day: date) -> int:
        """How many of its days come after that one."""
        return (self.ends_on - day).days


def forecast(run: Run) -> StepCounts:
    """Say what open and coming deals will bring, or plainly that too few were closed to say it."""
    year_starts_in = load_settings(run.root).fiscal_year_starts_in
    tomorrow = run.as_of + timedelta(days=1)
    with step(run, "forecast") as work:
        rows, open_deals = work.query(_SPELLS), work.query(_OPEN)
        spells, probability = read_spells(rows)
        teller = Teller(spells, year_starts_in)
        stretches = _stretches(tomorrow, year_starts_in)
        ahead = tuple(stretch.days_after(run.as_of) for stretch in stretches)
        ids, at_today = _at_today(rows["deal_id"], spells, open_deals, _day(tomorrow))
        told = teller.forecasts(_day(tomorrow), ahead, at_today)
        of_deals = _of_deals(open_deals, ids, stretches, told)
        said = [
            _row(stretch, None if told is None else told[place], at_today, run.as_of)
            for place, stretch in enumerate(stretches)
        ]
        note = "" if told is not None else _why_naive(at_today, _day(tomorrow), run.language)
        tested = _back_test(teller, probability, _day(tomorrow))
        work.replace(_OF_DEALS, of_deals)
        work.replace(_FORECASTS, _table(_FORECASTS, [{**row, "note": note} for row in said]))
        work.replace(_BACK_TEST, _table(_BACK_TEST, tested))
        work.count(open_deals=open_deals.num_rows, months_checked=len({row["forecast_on"] for row in tested}))
    return work.counts


def read_spells(rows: pa.Table) -> tuple[Spells, Floats]:
    """Rows of core.deal_spells with the owner's team as columns of numbers; and the CRM's own probability."""
    number = {name: _codes(rows[name]) for name in ("deal_id", "stage", "team")}
    spells = Spells(
        deal=number["deal_id"], born=_days(rows["opened_on"]), begins=_days(rows["begins_on"]),
        told=_days(rows["told_on"]), ends=_days(rows["ends_on"]), ended_told=_days(rows["ended_told_on"]),
        outcome=rows["outcome"].to_numpy().astype(np.int64), undone=_days(rows["undone_on"]),
        stage=number["stage"], team=number["team"],
        amount=_floats(rows["amount_base"]), closing=_floats(rows["closing_amount_base"]),
    )  # fmt: skip
    return spells, _floats(rows["probability"])


def _codes(column: pa.ChunkedArray) -> Days:
    """Each value's number in the order of the values; a missing one has a number too."""
    values = pc.fill_null(column.cast(pa.string()), "")
    order = pc.sort_indices(pc.unique(values))
    return np.asarray(pc.index_in(values, pc.take(pc.unique(values), order)).to_numpy()).astype(np.int64)


def _days(column: pa.ChunkedArray) -> Days:
    return np.asarray(pc.fill_null(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), NEVER).to_numpy())


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy())


def _day(day: date) -> int:
    return (day - _EPOCH).days


def _stretches(tomorrow: date, year_starts_in: int) -> list[Stretch]:
    """What is looked ahead at."""
    found = [Stretch(f"next_{days}_days", tomorrow, tomorrow + timedelta(days=days - 1)) for days in HORIZONS]
    found.append(Stretch("this_month", *month_of(tomorrow)))
    return [*found, Stretch("this_quarter", *quarter_of(tomorrow, year_starts_in))]


def _at_today(
    deal_ids: pa.ChunkedArray, spells: Spells, open_deals: pa.Table, today: int
) -> tuple[pa.ChunkedArray, Spells]:
    """The deals that stand open, in the order of their stretches; all stretches with amounts at today's rates."""
    rows = np.flatnonzero(spells.told < today)
    rows = rows[seen_from(spells, today).is_open]
    ids = deal_ids.take(pa.array(rows))
    place = pc.index_in(ids, value_set=open_deals["deal_id"].combine_chunks())
    amount = spells.amount.copy()
    amount[rows] = np.where(
        pc.is_valid(place).to_numpy(), _floats(pc.take(open_deals["amount_base"], place)), spells.amount[rows]
    )
    return ids, replace(spells, amount=amount)


def _of_deals(
    open_deals: pa.Table, ids: pa.ChunkedArray, stretches: list[Stretch], told: list[Forecast] | None
) -> pa.Table:
    """The open deals' rows, one for each stretch, with their chances where there are any."""
    place = pc.index_in(open_deals["deal_id"], value_set=ids.combine_chunks())
    parts = []
    for number, stretch in enumerate(stretches):
        nothing = pa.nulls(open_deals.num_rows, pa.float64())
        chance = expected = nothing
        if told is not None:
            chance = pc.take(pa.array(told[number].open_chance), place)
            expected = pc.round(pc.take(pa.array(told[number].open_chance * told[number].open_amount), place), 2)
        parts.append(
            pa.table(
                {
                    "deal_id": open_deals["deal_id"],
                    "horizon": pa.repeat(stretch.horizon, open_deals.num_rows),
                    "stage": open_deals["stage"],
                    "team": open_deals["team"],
                    "amount_base": open_deals["amount_base"],
                    "crm_probability": open_deals["probability"],
                    "chance": chance,
                    "expected_amount": expected,
                }
            )
        )
    return pa.concat_tables(parts)


def _row(stretch: Stretch, told: Forecast | None, spells: Spells, as_of: date) -> dict[str, Any]:
    """What is said of one stretch, beside what was won in it so far and what simple rules say."""
    starts, today, days = _day(stretch.starts_on), _day(as_of) + 1, stretch.days_after(as_of)
    seen = seen_from(spells, today)
    so_far = won_between(seen, starts, max(today - starts, 0))
    row = {
        "horizon": stretch.horizon, "starts_on": stretch.starts_on, "ends_on": stretch.ends_on, "days_ahead": days,
        "method": "naive_only" if told is None else "model", "won_so_far": so_far, "from_new": None, "low": None,
        "high": None, "weights": None, "last_period": last_period(seen, today, days),
        "pipeline_rate": _pipeline_rate(seen),
    }  # fmt: skip
    if told is not None:
        weights = dict(zip(WAYS, np.round(told.weights, 4).tolist(), strict=True))
        row |= {"from_new": told.from_new, "low": so_far + told.low, "high": so_far + told.high}
        row["weights"] = json.dumps(weights)
    return row


def _pipeline_rate(seen: Spells) -> float | None:
    return pipeline_times_rate(seen) if (seen.outcome != 0).any() else None


def _why_naive(spells: Spells, today: int, language: str) -> str:
    history = History.of(seen_from(spells, today), today)
    return say(
        "forecast.naive_only", language, decided=history.decided, won=history.won, days=history.days,
        least_decided=LEAST_DECIDED, least_won=LEAST_WON, least_days=LEAST_DAYS,
    )  # fmt: skip


def _back_test(teller: Teller, probability: Floats, today: int) -> list[dict[str, Any]]:
    """What each method said at the last months' starts, where deals were known, of stretches that have passed."""
    spells = teller.spells
    known = int(spells.told.min(initial=today))
    now = seen_from(spells, today)
    rows: list[dict[str, Any]] = []
    for start in month_starts(today, BACK_TESTS + 1):
        passed = [days for days in HORIZONS if start + days <= today and start > known]
        if not passed:
            continue
        told, seen = teller.forecasts(start), seen_from(spells, start)
        for days in passed:
            one = told[HORIZONS.index(days)] if told is not None else None
            methods = {
                "forecast": None if one is None else one.total,
                "last_period": last_period(seen, start, days),
                "pipeline_rate": _pipeline_rate(seen),
                "crm_probability": _crm(spells, probability, start),
            }
            shared = {
                "horizon": f"next_{days}_days", "forecast_on": _EPOCH + timedelta(days=start),
                "actual": won_between(now, start, days),
            }  # fmt: skip
            rows += [
                {**shared, "method": method, "said": value, "low": one and one.low if method == "forecast" else None,
                 "high": one and one.high if method == "forecast" else None}
                for method, value in methods.items()
            ]  # fmt: skip
    return rows


def _crm(spells: Spells, probability: Floats, start: int) -> float | None:
    """The open pipeline by the CRM's own probabilities of then; None where it gave none."""
    stood = (spells.told < start) & (spells.ended_told >= start) & np.isfinite(probability)
    return float(np.nansum(spells.amount[stood] * probability[stood])) if stood.any() else None


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    kinds = {"varchar": pa.string(), "bigint": pa.int64(), "date": pa.date32()}
    columns = declared_tables()[name].columns
    return pa.Table.from_pylist(
        rows, pa.schema([(column, kinds.get(kind, pa.float64())) for column, (kind, _) in columns.items()])
    )
