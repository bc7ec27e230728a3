"""Reading the two files that attribution works on without a workspace, touches and deals, and writing its tables."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from abmloop.errors import AbmError, BadFile, BadUsage
from abmloop.messages import said
from scoring.attribution.columns import Ints, microseconds
from scoring.attribution.journeys import all_but_ids
from scoring.attribution.windows import Told, Windows
from scoring.policies.attribution import DealStages
from tasks.land.encodings import BOMS, SAMPLE_BYTES, decode
from tasks.land.faults import Refused

TOUCH_COLUMNS = ("touch_id", "account_id", "campaign_id", "channel", "occurred_at")
DEAL_COLUMNS = ("deal_id", "account_id", "amount", "created_at", "closed_at", "status")
_READ_BYTES = 1 << 20  # so much of a column chunk at a time, not the whole
_OF_SOME = ("person_id", "type")  # columns that touches may have
_PARQUET = {".parquet", ".pq"}
_TIME = pa.timestamp("us")
_EXACT = pa.decimal128(30, 10)
_FEW = ("campaign_id", "channel", "type")  # columns of few different texts
_TOUCHES_AT_ONCE = 1 << 18
_THOUSANDS = r"^\s*-?\d{1,3}(,\d{3})+(\.\d+)?\s*$"
_STATUSES = DealStages(
    won=("won", "true", "closed won", "赢单", "成交"), lost=("lost", "false", "closed lost", "输单", "丢单")
)
_REACHABLE = """
select windows.key, {columns}, touches.file_row_number as file_row
from read_parquet($path, file_row_number = true) as touches
join windows on windows.id = touches.account_id and touches.occurred_at between windows.first_at and windows.last_at
"""


def read_touches(path: Path) -> pa.Table:
    """All touches with typed times, `account_id` as party_id, and `touch_order`, by which ids are ordered."""
    rows = read_columns(path, TOUCH_COLUMNS, _OF_SOME)
    rows = _with(rows, "occurred_at", times(rows["occurred_at"], "occurred_at", path))
    rows = rows.append_column("touch_order", _by_size(rows["touch_id"]))
    return rows.rename_columns(["party_id" if name == "account_id" else name for name in rows.column_names])


def read_reachable(path: Path, windows: Windows, leave_out: tuple[str, ...] = ()) -> pa.Table:
    """The touches that lie between the earliest start and the latest end of their account's windows.

    Instead of the account they have its number, `key`; `leave_out` names columns that are not wanted. A touch whose id
    is not wanted has its row in the file instead (`file_row`), where that saves reading the ids.
    """
    needed = tuple(name for name in TOUCH_COLUMNS if name not in leave_out)
    others = tuple(name for name in _OF_SOME if name not in leave_out)
    if path.suffix.lower() in _PARQUET:
        schema = pq.read_schema(path)
        wanted = _wanted(path, schema.names, needed, others)
        ids = schema.field("account_id").type, windows.index.keys.type
        is_plain = ids[0] == ids[1] or all(pa.types.is_integer(each) for each in ids)
        if is_plain and schema.field("occurred_at").type == pa.timestamp("us"):
            return _joined(path, [name for name in wanted if name != "account_id"], windows)
    if "touch_id" not in needed:
        needed = ("touch_id", *needed)
    parts, line = [], 0
    for batch in column_batches(path, needed, others, _TOUCHES_AT_ONCE):
        at = times(batch["occurred_at"], "occurred_at", path, line)
        line += batch.num_rows
        key = windows.index.numbers(batch["account_id"])
        row = np.flatnonzero(key >= 0)
        row = row[windows.reachable(key[row], microseconds(pc.take(at, pa.array(row))))]
        part = _with(pa.Table.from_batches([batch]), "occurred_at", at).take(pa.array(row))
        parts.append(_with(part, "account_id", pa.array(key[row])).rename_columns({"account_id": "key"}))
    return pa.concat_tables(parts).unify_dictionaries()


def _joined(path: Path, wanted: list[str], windows: Windows) -> pa.Table:
    """The same by DuckDB, which does not even decode what the join leaves out."""
    import duckdb  # here: only large files need it

    first, last = windows.bounds
    bounds = {"id": windows.index.keys, "key": pa.array(np.arange(len(windows.index), dtype=np.int32))}
    bounds |= {"first_at": pa.array(first[:-1], _TIME), "last_at": pa.array(last[:-1], _TIME)}
    columns = ", ".join(f'touches."{name}"' for name in wanted)
    parts = []
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.register("windows", pa.table(bounds))
        found = con.sql(_REACHABLE.format(columns=columns), params={"path": str(path)})
        for batch in found.to_arrow_reader(_TOUCHES_AT_ONCE):
            few = [name for name in batch.schema.names if name in _FEW and pa.types.is_string(batch[name].type)]
            for name in few:
                batch = batch.set_column(batch.schema.names.index(name), name, batch[name].dictionary_encode())
            parts.append(batch)
        return pa.Table.from_batches(parts or [found.to_arrow_table()]).unify_dictionaries()


def told_in(path: Path, touches: pa.Table) -> Told:
    """What the touches tell of themselves, ids so that whole numbers stand by size, before others.

    Ids that were not read with the touches are fetched from the file, which pays as long as few are asked for.
    """

    def ids(rows: Ints) -> Any:
        if "touch_id" in touches.column_names:
            return _by_size(pc.take(touches["touch_id"], pa.array(rows)))
        return _by_size(_ids_at(path, touches["file_row"].to_numpy()[rows]))

    return Told(ids, partial(all_but_ids, touches))


def _ids_at(path: Path, rows: Ints) -> Any:
    """The touch ids on these rows of a Parquet file; only groups of rows that hold any are read."""
    order = np.argsort(rows)
    found, begin = [], 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(rows[order], (begin, end))
            if high > low:
                ids = file.read_row_group(group, columns=["touch_id"])["touch_id"]
                found.append(ids.take(pa.array(rows[order[low:high]] - begin)))
            begin = end
    return pa.chunked_array([chunk for ids in found for chunk in ids.chunks]).take(pa.array(np.argsort(order)))


def _by_size(ids: Any) -> Any:
    """Ids so that their order as text is that of whole numbers by size, then of all others as text."""
    if pa.types.is_integer(ids.type):
        return ids
    ids = pc.cast(ids, pa.string())
    whole = pc.match_substring_regex(ids, r"^(0|[1-9]\d{0,17})$")
    return pc.if_else(whole, pc.binary_join_element_wise("0", pc.utf8_lpad(ids, 18, "0"), ""),
                      pc.binary_join_element_wise("1", ids, ""))  # fmt: skip


def read_deals(path: Path) -> pa.Table:
    """The deals with typed times, `status` one of won, lost, open, and the amount as `cents` (null = unknown)."""
    rows = read_columns(path, DEAL_COLUMNS, ("lead_created_at", "currency"))
    for name in ("created_at", "closed_at", "lead_created_at"):
        if name in rows.column_names:
            rows = _with(rows, name, times(rows[name], name, path))
    if rows["deal_id"].null_count:
        line = int(np.argmax(pc.is_null(rows["deal_id"]).to_numpy())) + 2
        raise BadFile(said("attribute_nameless_deal", file=path, line=line))
    if _distinct(rows["deal_id"]) < rows.num_rows:
        twice = max(pc.value_counts(rows["deal_id"]).to_pylist(), key=lambda found: found["counts"])
        raise BadFile(said("attribute_deal_twice", file=path, deal=twice["values"], rows=twice["counts"]))
    rows = _with(rows, "status", _statuses(rows["status"], path))
    rows = rows.append_column("cents", _cents(rows["amount"], path))
    return rows.rename_columns(["party_id" if name == "account_id" else name for name in rows.column_names])


def _distinct(ids: Any) -> int:
    return len(np.unique(ids.to_numpy()) if pa.types.is_integer(ids.type) else ids.unique())


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
        if path.suffix.lower() in _PARQUET:
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
    column = plain_text(column)
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
    column = plain_text(column)
    if pa.types.is_string(column.type):
        column = parsed(column, _EXACT, "amount", path)
    elif pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return _whole_cents(column)
    except pa.ArrowInvalid as error:
        for line, value in enumerate(column, start=2):
            try:
                _whole_cents(value)
            except pa.ArrowInvalid:
                found = {"file": path, "line": line, "name": "amount", "value": value}
                raise BadFile(said("attribute_beyond_cents", **found)) from error
        raise BadFile(said("attribute_column_problem", file=path, name="amount", problem=error)) from error
    except pa.ArrowNotImplementedError as error:
        raise BadFile(said("attribute_column_problem", file=path, name="amount", problem=error)) from error


def _whole_cents(amounts: Any) -> Any:
    """Figures as cents; no more digits than the warehouse's amounts have, so that cents are whole numbers."""
    rounded = pc.cast(pc.round(pc.cast(amounts, _EXACT), 2, "half_towards_infinity"), pa.decimal128(18, 2))
    return pc.cast(pc.multiply(rounded, pa.scalar(100, pa.decimal128(3, 0))), pa.int64())


def plain_text(column: Any) -> Any:
    """Text however a file holds it (large, by dictionary) as plain strings; any other column as it is."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pc.cast(column, pa.string()) if is_text else column


def check_touches(path: Path) -> None:
    """Look at the header alone. Raises BadFile for a column that is missing or stands twice."""
    next(iter(column_batches(path, TOUCH_COLUMNS, _OF_SOME, 1)))


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
    if out.suffix.lower() in _PARQUET:
        few = [field.name for field in rows.schema if pa.types.is_dictionary(field.type)]
        pq.write_table(rows, out, use_dictionary=few, write_statistics=few)
    else:
        plain = pa.schema(
            [(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema]
        )
        pacsv.write_csv(rows.cast(plain), out, write_options=pacsv.WriteOptions(quoting_style="needed"))
