"""Reading the two files that attribution works on without a workspace, touches and deals, and writing its tables."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from abmloop.errors import AbmError, BadFile, BadUsage
from abmloop.messages import said
from scoring.attribution.columns import microseconds
from scoring.attribution.windows import Windows
from scoring.policies.attribution import DealStages
from tasks.land.encodings import BOMS, SAMPLE_BYTES, decode
from tasks.land.faults import Refused

TOUCH_COLUMNS = ("touch_id", "account_id", "campaign_id", "channel", "occurred_at")
DEAL_COLUMNS = ("deal_id", "account_id", "amount", "created_at", "closed_at", "status")
_READ_BYTES = 1 << 20  # so much of a column chunk at a time, not the whole
_FEW = ("campaign_id", "channel", "type")  # columns of few different texts
_TOUCHES_AT_ONCE = 1 << 18
_LOOKED_AT_FIRST = 1_000
_THOUSANDS = r"^\s*-?\d{1,3}(,\d{3})+(\.\d+)?\s*$"
_STATUSES = DealStages(
    won=("won", "true", "closed won", "赢单", "成交"), lost=("lost", "false", "closed lost", "输单", "丢单")
)
_REACHABLE = """
select {columns} from read_parquet($path) as touches
join windows on windows.key = touches.account_id and touches.occurred_at between windows.first_at and windows.last_at
"""


def read_touches(path: Path, windows: Windows | None = None, leave_out: tuple[str, ...] = ()) -> pa.Table:
    """The touches with typed times, `account_id` as party_id: all, or only those that the windows can hold.

    `leave_out` names columns that are not wanted. Ids that are all whole numbers (of the touches that are read) are
    numbers, so that 9 stands before 10.
    """
    needed = tuple(name for name in TOUCH_COLUMNS if name not in leave_out)
    others = tuple(name for name in ("person_id", "type") if name not in leave_out)
    if windows is None:
        rows = read_columns(path, needed, others)
        rows = _with(rows, "occurred_at", times(rows["occurred_at"], "occurred_at", path))
    else:
        rows = _reachable(path, needed, others, windows)
    if "touch_id" in needed:
        ids = rows["touch_id"]
        rows = _with(rows, "touch_id", pc.cast(ids, pa.int64()) if _all_whole_numbers(ids) else ids)
    return rows.rename_columns(["party_id" if name == "account_id" else name for name in rows.column_names])


def _reachable(path: Path, needed: tuple[str, ...], others: tuple[str, ...], windows: Windows) -> pa.Table:
    """The rows of the file between the earliest start and the latest end of their account's windows."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        schema = pq.read_schema(path)
        wanted = _wanted(path, schema.names, needed, others)
        is_naive = schema.field("occurred_at").type == pa.timestamp("us")
        if is_naive and windows.index.table is None and schema.field("account_id").type == windows.index.keys.type:
            return _joined(path, wanted, windows)
    parts, line = [], 0
    for batch in column_batches(path, needed, others, _TOUCHES_AT_ONCE):
        at = times(batch["occurred_at"], "occurred_at", path, line)
        line += batch.num_rows
        key = windows.index.numbers(batch["account_id"])
        row = np.flatnonzero(key >= 0)
        row = row[windows.reachable(key[row], microseconds(pc.take(at, pa.array(row))))]
        part = _with(pa.Table.from_batches([batch]), "occurred_at", at)
        parts.append(part.take(pa.array(row)))
    return pa.concat_tables(parts).unify_dictionaries()


def _joined(path: Path, wanted: list[str], windows: Windows) -> pa.Table:
    """The same by DuckDB, which does not even decode what the join leaves out."""
    import duckdb  # here: only large files need it

    first, last = windows.bounds
    bounds = {"key": windows.index.keys, "first_at": first[:-1], "last_at": last[:-1]}
    bounds |= {name: pa.array(bounds[name]).cast(pa.timestamp("us")) for name in ("first_at", "last_at")}
    columns = ", ".join(f'touches."{name}"' for name in wanted)
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.register("windows", pa.table(bounds))
        return con.sql(_REACHABLE.format(columns=columns), params={"path": str(path)}).to_arrow_table()


def _all_whole_numbers(ids: Any) -> bool:
    """Whether every id is a plain number, so that 9 stands before 10."""
    if not pa.types.is_string(ids.type):
        return bool(pa.types.is_integer(ids.type))
    some, form = ids.slice(0, _LOOKED_AT_FIRST), r"^(0|[1-9]\d{0,17})$"
    return all(bool(pc.all(pc.match_substring_regex(part, form)).as_py()) for part in (some, ids))


def read_deals(path: Path) -> pa.Table:
    """The deals with typed times, `status` one of won, lost, open, and the amount as `cents` (null = unknown)."""
    rows = read_columns(path, DEAL_COLUMNS, ("lead_created_at", "currency"))
    for name in ("created_at", "closed_at", "lead_created_at"):
        if name in rows.column_names:
            rows = _with(rows, name, times(rows[name], name, path))
    if rows["deal_id"].null_count:
        line = int(np.argmax(pc.is_null(rows["deal_id"]).to_numpy())) + 2
        raise BadFile(said("attribute_nameless_deal", file=path, line=line))
    counted = rows.group_by("deal_id").aggregate([([], "count_all")])
    if twice := counted.filter(pc.greater(counted["count_all"], 1)).to_pylist():
        deal, number = twice[0]["deal_id"], twice[0]["count_all"]
        raise BadFile(said("attribute_deal_twice", file=path, deal=deal, rows=number))
    rows = _with(rows, "status", _statuses(rows["status"], path))
    rows = rows.append_column("cents", _cents(rows["amount"], path))
    return rows.rename_columns(["party_id" if name == "account_id" else name for name in rows.column_names])


def _with(rows: pa.Table, name: str, column: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)


def read_columns(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pa.Table:
    """The named columns of a CSV or Parquet file; text as it stands, empty cells null. Raises BadFile."""
    return pa.Table.from_batches(list(column_batches(path, needed, optional)))


def column_batches(
    path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = (), rows: int = 50_000
) -> Iterator[pa.RecordBatch]:
    """The named columns as `read_columns` gives them, in parts, of which there is one at least.

    Parts of a Parquet file have so many rows, those of a CSV file about a megabyte.
    """
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            few = [field.name for field in pq.read_schema(path) if field.name in _FEW and field.type == pa.string()]
            with pq.ParquetFile(path, read_dictionary=few, buffer_size=_READ_BYTES, pre_buffer=False) as file:
                wanted = _wanted(path, file.schema_arrow.names, needed, optional)
                schema = pa.schema([file.schema_arrow.field(name) for name in wanted])
                batches: Iterable[pa.RecordBatch] = file.iter_batches(rows, columns=wanted)
                yield from _at_least_one(batches, schema)
        else:
            encoding, delimiter = dialect(path)
            read = pacsv.ReadOptions(encoding=encoding)
            parse = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
            with pacsv.open_csv(path, read_options=read, parse_options=parse) as reader:
                wanted = _wanted(path, reader.schema.names, needed, optional)
            kinds = dict.fromkeys(wanted, pa.string())
            convert = pacsv.ConvertOptions(
                column_types=kinds, include_columns=wanted, strings_can_be_null=True, null_values=[""]
            )
            with pacsv.open_csv(path, read, parse, convert) as reader:
                yield from _at_least_one(reader, pa.schema(kinds))
    except (pa.ArrowInvalid, OSError, UnicodeError, Refused) as error:
        raise BadFile(
            said("attribute_not_readable", file=path, problem=error.message if isinstance(error, AbmError) else error)
        ) from error


@lru_cache(maxsize=8)
def _dialect(path: Path, changed_ns: int, size: int) -> tuple[str, str]:
    """`changed_ns` and `size` tell one state of the file from another."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        whole = head.rpartition(b"\n")[0] or head
        encoding = next((name for bom, name in BOMS if head.startswith(bom)), None) or decode(whole).encoding
        if encoding in ("utf-8", "utf-8-sig") and not _is_utf_8(file):
            encoding = "gb18030"
    first_line = whole.decode(encoding, errors="ignore").partition("\n")[0]
    delimiter = max((",", "\t", ";"), key=first_line.count)
    return ("utf8" if encoding in ("utf-8", "utf-8-sig") else encoding), delimiter


def dialect(path: Path) -> tuple[str, str]:
    """A CSV file's encoding (UTF-8, else GB18030, UTF-16 by its mark) and the character between its cells."""
    status = path.stat()
    return _dialect(path, status.st_mtime_ns, status.st_size)


def _is_utf_8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = getincrementaldecoder("utf-8")()
    try:
        for block in iter(lambda: file.read(1 << 22), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _at_least_one(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches with the schema's columns in its order; one without rows where there are none."""
    none = True
    for batch in batches:
        none = False
        yield batch.select(schema.names)
    if none:
        yield pa.RecordBatch.from_pylist([], schema=schema)


def _wanted(path: Path, found: list[str], needed: tuple[str, ...], optional: tuple[str, ...]) -> list[str]:
    """The columns to read. Raises BadFile for one that is missing or stands twice."""
    if missing := [name for name in needed if name not in found]:
        named = {"missing": missing, "needed": needed, "optional": optional or "-", "found": found}
        lists = {name: ", ".join(one) for name, one in named.items()}
        raise BadFile(said("attribute_missing_column", file=path, **lists))
    wanted = [name for name in (*needed, *optional) if name in found]
    if twice := [name for name in wanted if found.count(name) > 1]:
        raise BadFile(said("attribute_column_twice", file=path, names=", ".join(twice)))
    return wanted


def times(column: Any, name: str, path: Path, rows_before: int = 0) -> Any:
    """UTC times to the microsecond; text is ISO 8601, with or without an offset (without: taken as it stands)."""
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.timestamp("us"), safe=False)
    is_offset = pc.fill_null(pc.match_substring_regex(column, r"[T ].*(Z|[+-]\d\d:?\d\d)$"), False)
    plain = parsed(pc.if_else(is_offset, None, column), pa.timestamp("ns"), name, path, rows_before)
    zoned = parsed(pc.if_else(is_offset, column, None), pa.timestamp("ns", tz="UTC"), name, path, rows_before)
    return pc.cast(pc.coalesce(plain, pc.cast(zoned, pa.timestamp("ns"))), pa.timestamp("us"), safe=False)


def parsed(column: Any, kind: Any, name: str, path: Path, rows_before: int = 0) -> Any:
    """The text column as that type, numbers with or without thousands set apart by commas; the first value that is
    none is named with its line."""
    if not pa.types.is_timestamp(kind):
        apart = pc.fill_null(pc.match_substring_regex(column, _THOUSANDS), False)
        column = pc.if_else(apart, pc.replace_substring(column, ",", ""), column) if pc.any(apart).as_py() else column
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid as error:
        for line, value in enumerate(column, start=rows_before + 2):
            try:
                pc.cast(value, kind)
            except pa.ArrowInvalid:
                like = "2026-03-31 12:00:00" if pa.types.is_timestamp(kind) else "1234.50"
                found = {"file": path, "line": line, "name": name, "value": value}
                raise BadFile(said("attribute_not_understood", like=like, **found)) from error
        raise BadFile(said("attribute_column_problem", file=path, name=name, problem=error)) from error


def _statuses(column: Any, path: Path) -> Any:
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(column, pa.string())))
    known = {**dict.fromkeys(_STATUSES.won, "won"), **dict.fromkeys(_STATUSES.lost, "lost"), "open": "open"}
    place = pc.index_in(text, value_set=pa.array(list(known)))
    if place.null_count:
        line = int(np.flatnonzero(pc.is_null(place).to_numpy())[0])
        raise BadFile(said("attribute_no_status", file=path, line=line + 2, value=column[line]))
    return pc.take(pa.array(list(known.values())), place)


def _cents(column: Any, path: Path) -> Any:
    """Amounts as whole cents, halves rounded away from zero; null where no amount is given."""
    exact = pa.decimal128(30, 10)
    amount = parsed(column, exact, "amount", path) if pa.types.is_string(column.type) else pc.cast(column, exact)
    rounded = pc.round(amount, 2, "half_towards_infinity")
    return pc.cast(pc.multiply(pc.cast(rounded, pa.decimal128(20, 2)), pa.scalar(100, pa.decimal128(3, 0))), pa.int64())


def check_touches(path: Path) -> None:
    """Look at the header alone. Raises BadFile for a column that is missing or stands twice."""
    next(iter(column_batches(path, TOUCH_COLUMNS, ("person_id", "type"), 1)))


def latest_time(touches: Path, deals: pa.Table) -> int:
    """The latest time in the two files, in microseconds, as far as a window can depend on it.

    Only a deal that is open, or closed without a time, has a window that ends there; else the deals' times are enough.
    """
    columns = [deals["created_at"], deals["closed_at"]]
    latest = max(int(microseconds(column).max(initial=0)) for column in columns)
    if not pc.any(pc.or_(pc.equal(deals["status"], "open"), pc.is_null(deals["closed_at"]))).as_py():
        return latest
    line = 0
    for batch in column_batches(touches, ("occurred_at",), rows=_TOUCHES_AT_ONCE):
        at = times(batch["occurred_at"], "occurred_at", touches, line)
        line += batch.num_rows
        latest = max(latest, int(microseconds(at).max(initial=0)))
    return latest


def write_table(rows: pa.Table, out: Path) -> None:
    """The table as Parquet (`.parquet`) or CSV, floats in full precision. Raises BadUsage without its folder."""
    if not out.parent.is_dir():
        raise BadUsage(said("attribute_no_out_folder", out=out, folder=out.parent))
    if out.suffix.lower() in {".parquet", ".pq"}:
        pq.write_table(rows, out)
    else:
        plain = pa.schema(
            [(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema]
        )
        pacsv.write_csv(rows.cast(plain), out, write_options=pacsv.WriteOptions(quoting_style="needed"))
