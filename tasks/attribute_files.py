"""Attribution on two files, or on a file of paths, without a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pydantic import ValidationError

from abmloop.errors import BadFile, BadUsage
from scoring.attribution.columns import Ints, decimal_cents, microseconds
from scoring.attribution.credits import split_amounts, unattributed_deals
from scoring.attribution.journeys import Journeys, build_journeys
from scoring.attribution.paths import journey_paths, weigh_paths
from scoring.attribution.rules import Weights, weigh
from scoring.policies.attribution import PARTICIPATION, PATH_MODELS, RULE_MODELS, AttributionPolicy, DealStages

TOUCH_COLUMNS = ("touch_id", "account_id", "campaign_id", "channel", "occurred_at")
DEAL_COLUMNS = ("deal_id", "account_id", "amount", "created_at", "closed_at", "status")
_STATUSES = DealStages(
    won=("won", "true", "closed won", "赢单", "成交"), lost=("lost", "false", "closed lost", "输单", "丢单")
)


def attribute_files(  # noqa: PLR0913 - one argument per option of the command
    touches: Path,
    deals: Path,
    model: str,
    anchor: str = "closed",
    lookback_days: float = 180,
    repeats: str = "one_per_campaign_person_day",
    out: Path | None = None,
) -> dict[str, Any]:
    """Share the amounts of won and open deals among their touches by one model; lost deals are left out.

    Writes `deal_id, touch_id, campaign_id, channel, model, weight, credit` (CSV, or Parquet by the name of `out`):
    weights in full precision summing to 1 per deal, credits in cents summing to its amount; a deal without eligible
    touch has one row of campaign `(unattributed)`. An open deal's window ends at the latest time in the two files.
    Returns a summary. Raises BadFile with file, line and column, or BadUsage for an unknown model.
    """
    policy = _window(anchor, lookback_days, repeats)
    known = (*RULE_MODELS, *PATH_MODELS, PARTICIPATION)
    if model not in known:
        raise BadUsage(f"attribute: there is no model {model!r}; there are {', '.join(known)}")
    touch_rows = _read_touches(touches)
    deal_rows = _read_deals(deals)
    journeys = build_journeys(touch_rows, deal_rows, policy, _latest(touch_rows, deal_rows))
    status = np.asarray(deal_rows["status"].to_pylist(), dtype=object)
    weights = _weigh(journeys, model, policy, status)
    rows = _credit_rows(journeys, weights, touch_rows, deal_rows, model)
    if out is not None:
        write_table(rows, out)
    missing = pc.equal(rows["campaign_id"], "(unattributed)")
    return {
        "deals": int((status != "lost").sum()),
        "lost_deals_left_out": int((status == "lost").sum()),
        "touches": touch_rows.num_rows,
        "eligible_touches": len(journeys.deal),
        "credit_rows": rows.num_rows,
        "credited": _sum(rows.filter(pc.invert(missing))),
        "unattributed": _sum(rows.filter(missing)),
        "unattributed_deals": int(pc.sum(missing).as_py() or 0),
        "out": str(out) if out else None,
    }


def _window(anchor: str, lookback_days: float, repeats: str) -> AttributionPolicy:
    """The bare policy with these three; BadUsage names what is wrong with one of them."""
    try:
        return AttributionPolicy.model_validate({"anchor": anchor, "lookback_days": lookback_days, "repeats": repeats})
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']} (found {fault['input']!r})" for fault in error.errors())
        raise BadUsage(f"attribute: {faults}") from error


def _sum(rows: pa.Table) -> str:
    return str(pc.sum(rows["credit"]).as_py() or "0.00")


def _weigh(journeys: Journeys, model: str, policy: AttributionPolicy, status: Any) -> Weights:
    if model not in PATH_MODELS:
        return weigh(journeys, model, policy)
    paths = journey_paths(journeys, status == "won", status == "lost", policy.path_by)
    return weigh_paths(journeys, paths, model, policy.markov_order, policy.path_by)


def _credit_rows(journeys: Journeys, weights: Weights, touches: pa.Table, deals: pa.Table, model: str) -> pa.Table:
    """The credited rows of won and open deals, and one row for each of them that no touch earned."""
    is_counted = np.asarray(pc.not_equal(deals["status"], "lost").to_numpy())
    kept = np.flatnonzero((weights.weight > 0) & is_counted[journeys.deal])
    deal, touch, weight = journeys.deal[kept], journeys.touch[kept], weights.weight[kept]
    known = np.asarray(pc.is_valid(deals["cents"]).to_numpy())
    cents = np.asarray(pc.fill_null(deals["cents"], 0).to_numpy())
    alone = np.flatnonzero(unattributed_deals(journeys, weights.weight) & is_counted)
    is_participation = model == PARTICIPATION
    credit = cents[deal] if is_participation else split_amounts(deal, weight, cents)
    rows = pa.table(
        {
            "deal_id": pc.take(deals["deal_id"], pa.array(np.concatenate([deal, alone]))),
            "touch_id": _taken(touches["touch_id"], touch, len(alone), None),
            "campaign_id": _taken(touches["campaign_id"], touch, len(alone), "(unattributed)"),
            "channel": _taken(touches["channel"], touch, len(alone), None),
            "model": pa.array([model] * (len(deal) + len(alone))),
            "weight": np.concatenate([weight, np.ones(len(alone))]),
            "credit": decimal_cents(np.concatenate([credit, cents[alone]]), known[np.concatenate([deal, alone])]),
        }
    )
    place = np.argsort(np.concatenate([deal, alone]), kind="stable")
    return rows.take(pa.array(place))


def _taken(column: Any, rows: Ints, missing: int, filler: str | None) -> Any:
    taken = pc.cast(pc.take(column, pa.array(rows)), pa.string())
    chunks = taken.chunks if isinstance(taken, pa.ChunkedArray) else [taken]
    return pa.chunked_array([*chunks, pa.array([filler] * missing, pa.string())])


def _read_touches(path: Path) -> pa.Table:
    rows = read_columns(path, TOUCH_COLUMNS, ("person_id", "type"))
    ids = rows["touch_id"]
    numbers = pc.cast(ids, pa.int64()) if _all_whole_numbers(ids) else ids
    rows = _with(rows, "touch_id", numbers)
    return _with(rows, "occurred_at", times(rows["occurred_at"], "occurred_at", path)).rename_columns(
        ["party_id" if name == "account_id" else name for name in rows.column_names]
    )


def _all_whole_numbers(ids: Any) -> bool:
    """Whether every id is a plain number, so that 9 stands before 10."""
    if not pa.types.is_string(ids.type):
        return bool(pa.types.is_integer(ids.type))
    return bool(pc.all(pc.match_substring_regex(ids, r"^(0|[1-9]\d{0,17})$")).as_py())


def _read_deals(path: Path) -> pa.Table:
    """The deals with typed times, `status` one of won, lost, open, and the amount as `cents` (null = unknown)."""
    rows = read_columns(path, DEAL_COLUMNS, ("lead_created_at", "currency"))
    for name in ("created_at", "closed_at", "lead_created_at"):
        if name in rows.column_names:
            rows = _with(rows, name, times(rows[name], name, path))
    counted = rows.group_by("deal_id").aggregate([([], "count_all")])
    if twice := counted.filter(pc.greater(counted["count_all"], 1)).to_pylist():
        raise BadFile(f"{path}: deal_id '{twice[0]['deal_id']}' stands on {twice[0]['count_all']} rows; keep one.")
    rows = _with(rows, "status", _statuses(rows["status"], path))
    rows = rows.append_column("cents", _cents(rows["amount"], path))
    return rows.rename_columns(["party_id" if name == "account_id" else name for name in rows.column_names])


def _with(rows: pa.Table, name: str, column: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)


def read_columns(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pa.Table:
    """The named columns of a CSV or Parquet file; text as it stands, empty cells null. Raises BadFile."""
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            rows = pq.read_table(path)
        else:
            header = pacsv.open_csv(path).schema.names
            convert = pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=[""]
            )
            rows = pacsv.read_csv(
                path, convert_options=convert, parse_options=pacsv.ParseOptions(newlines_in_values=True)
            )
    except (pa.ArrowInvalid, OSError) as error:
        raise BadFile(f"{path}: not readable: {error}") from error
    if missing := [name for name in needed if name not in rows.column_names]:
        raise BadFile(
            f"{path}: column {', '.join(missing)} is missing. Needed: {', '.join(needed)}; "
            f"optional: {', '.join(optional) or 'none'}; found: {', '.join(rows.column_names)}."
        )
    wanted = [name for name in (*needed, *optional) if name in rows.column_names]
    if twice := [name for name in wanted if rows.column_names.count(name) > 1]:
        raise BadFile(f"{path}: column {', '.join(twice)} stands twice in the header; rename or remove one.")
    return rows.select(wanted)


def times(column: Any, name: str, path: Path) -> Any:
    """UTC times to the microsecond; text is ISO 8601, with or without an offset (without: taken as it stands)."""
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.timestamp("us"), safe=False)
    is_offset = pc.fill_null(pc.match_substring_regex(column, r"[T ].*(Z|[+-]\d\d:?\d\d)$"), False)
    plain = parsed(pc.if_else(is_offset, None, column), pa.timestamp("ns"), name, path)
    zoned = parsed(pc.if_else(is_offset, column, None), pa.timestamp("ns", tz="UTC"), name, path)
    return pc.cast(pc.coalesce(plain, pc.cast(zoned, pa.timestamp("ns"))), pa.timestamp("us"), safe=False)


def parsed(column: Any, kind: Any, name: str, path: Path) -> Any:
    """The text column as that type; the first value that is none is named with its line."""
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid as error:
        for line, value in enumerate(column, start=2):
            try:
                pc.cast(value, kind)
            except pa.ArrowInvalid:
                like = "2026-03-31 12:00:00" if pa.types.is_timestamp(kind) else "1234.50"
                raise BadFile(
                    f"{path}, line {line}, column {name}: '{value}' is not understood; write it like {like}."
                ) from error
        raise BadFile(f"{path}, column {name}: {error}") from error


def _statuses(column: Any, path: Path) -> Any:
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(column, pa.string())))
    known = {**dict.fromkeys(_STATUSES.won, "won"), **dict.fromkeys(_STATUSES.lost, "lost"), "open": "open"}
    place = pc.index_in(text, value_set=pa.array(list(known)))
    if place.null_count:
        line = int(np.flatnonzero(pc.is_null(place).to_numpy())[0])
        raise BadFile(f"{path}, line {line + 2}, column status: '{column[line]}' is none of won, lost, open.")
    return pc.take(pa.array(list(known.values())), place)


def _cents(column: Any, path: Path) -> Any:
    """Amounts as whole cents, halves rounded away from zero; null where no amount is given."""
    exact = pa.decimal128(30, 10)
    amount = parsed(column, exact, "amount", path) if pa.types.is_string(column.type) else pc.cast(column, exact)
    rounded = pc.round(amount, 2, "half_towards_infinity")
    return pc.cast(pc.multiply(pc.cast(rounded, pa.decimal128(20, 2)), pa.scalar(100, pa.decimal128(3, 0))), pa.int64())


def _latest(touches: pa.Table, deals: pa.Table) -> int:
    columns = [touches["occurred_at"], deals["created_at"], deals["closed_at"]]
    return max((int(microseconds(column).max(initial=0)) for column in columns), default=0)


def write_table(rows: pa.Table, out: Path) -> None:
    """The table as Parquet (`.parquet`) or CSV; floats in full precision."""
    if out.suffix.lower() in {".parquet", ".pq"}:
        pq.write_table(rows, out)
    else:
        pacsv.write_csv(rows, out, write_options=pacsv.WriteOptions(quoting_style="needed"))
