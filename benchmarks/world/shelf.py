"""Writes the files of the world byte by byte the same, and remembers where every row of them came to stand."""

import gzip
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from .noise import KINDS

XLSX_ROWS = 20_000  # per sheet; what is more goes to a CSV beside it
EXTRA_CELL = "多出的一格"
FIXED_ZIP_DATE = (2026, 10, 31, 8, 0, 0)


class Shelf:
    """An inbox being filled. Columns whose names begin with `_` are not written: they are the truth about the row.

    `rows` holds, per entity, the truth columns with file, sheet and line (physical line, or row of the sheet, from 1);
    `files` one line per file.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.rows: dict[str, list[pd.DataFrame]] = {}
        self.files: list[dict[str, Any]] = []

    def csv(
        self, path: str, frame: pd.DataFrame, encoding: str = "utf-8", lines: tuple[list[str], list[str]] = ([], [])
    ) -> None:
        """Delimited text by its suffix (.csv, .tsv, then .gz or .zip); `lines` stand above the header and below."""
        separator = "\t" if ".tsv" in path else ","
        above, below = lines
        visible = _visible(frame)
        parts = [line + "\r\n" for line in above]
        parts += _delimited(visible, (frame["_kind"] == "ragged_row").to_numpy(), separator)
        parts += [line + "\r\n" for line in below]
        inner = Path(path).name.removesuffix(".gz").removesuffix(".zip")
        self._write(path, "".join(parts).encode(encoding), inner)
        self._note(path, "", frame, 2 + len(above) + _breaks_before(visible))
        self._file(path, "csv", encoding, len(frame), (len(above), len(below)))

    def ndjson(self, path: str, frame: pd.DataFrame) -> None:
        """One JSON object a line."""
        text = _visible(frame).to_json(orient="records", lines=True, force_ascii=False)
        self._write(path, text.encode(), Path(path).name.removesuffix(".gz"))
        self._note(path, "", frame, np.arange(1, len(frame) + 1))
        self._file(path, "ndjson", "utf-8", len(frame), (0, 0))

    def parquet(self, path: str, frame: pd.DataFrame) -> None:
        """Typed columns; the line is the row from 1."""
        table = pa.Table.from_pandas(_visible(frame), preserve_index=False).replace_schema_metadata(None)
        target = self._target(path)
        pq.write_table(table, target, compression="zstd", compression_level=12)
        self._note(path, "", frame, np.arange(1, len(frame) + 1))
        self._file(path, "parquet", "", len(frame), (0, 0))

    def xlsx(self, path: str, sheets: dict[str, pd.DataFrame]) -> None:
        """A workbook with a header in row 1 of each sheet; rows beyond XLSX_ROWS follow in CSV files beside it."""
        book = xlsxwriter.Workbook(self._target(path), {"default_date_format": "yyyy/m/d h:mm"})
        book.set_properties({"created": datetime(*FIXED_ZIP_DATE)})
        for name, frame in sheets.items():
            head = frame.head(XLSX_ROWS)
            _fill_sheet(book.add_worksheet(name), _visible(head))
            self._note(path, name, head, np.arange(2, len(head) + 2))
        book.close()
        self._file(path, "xlsx", "", sum(min(len(frame), XLSX_ROWS) for frame in sheets.values()), (0, 0))
        for name, frame in sheets.items():
            rest = frame.iloc[XLSX_ROWS:].reset_index(drop=True)
            if len(rest):
                self.csv(path.replace(".xlsx", f"_{name}_续.csv.gz"), rest)

    def again(self, path: str, copy: str) -> None:
        """The same bytes under another name."""
        self._target(copy).write_bytes((self.out / "inbox" / path).read_bytes())
        self._file(copy, "csv", "", 0, (0, 0))
        self.files[-1]["duplicate_of"] = path

    def faults(self) -> pd.DataFrame:
        """One row per faulty row or cell written, with what should become of it."""
        noted = pd.concat(
            [rows.assign(entity=entity) for entity, parts in self.rows.items() for rows in parts], ignore_index=True
        )
        dirty = noted[noted["_kind"].notna()][["file", "sheet", "line", "entity", "_column", "_kind"]]
        dirty.columns = ["file", "sheet", "line", "entity", "column_name", "kind"]
        effects = pd.DataFrame(
            [(name, kind.effect, kind.catalogue) for name, kind in KINDS.items()],
            columns=["kind", "effect", "catalogue"],
        )
        return dirty.merge(effects, on="kind", how="left")

    def _target(self, path: str) -> Path:
        target = self.out / "inbox" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _write(self, path: str, content: bytes, inner: str) -> None:
        if path.endswith(".gz"):
            content = gzip.compress(content, compresslevel=9, mtime=0)
        elif path.endswith(".zip"):
            content = _zipped(inner, content)
        self._target(path).write_bytes(content)

    def _note(self, path: str, sheet: str, frame: pd.DataFrame, lines: np.ndarray) -> None:
        hidden = frame[[column for column in frame.columns if column.startswith("_")]]
        entity = path.split("/")[0]
        self.rows.setdefault(entity, []).append(hidden.assign(file=path, sheet=sheet, line=lines))

    def _file(self, path: str, form: str, encoding: str, rows: int, extra: tuple[int, int]) -> None:
        self.files.append(
            {
                "file": path,
                "entity": path.split("/")[0],
                "format": form,
                "encoding": encoding,
                "data_rows": rows,
                "title_rows": extra[0],
                "footer_rows": extra[1],
                "duplicate_of": "",
            }
        )


def _visible(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[column for column in frame.columns if not column.startswith("_")]]


def _delimited(visible: pd.DataFrame, is_ragged: np.ndarray, separator: str) -> list[str]:
    parts, start = [visible.head(0).to_csv(index=False, sep=separator, lineterminator="\r\n")], 0
    for row in np.flatnonzero(is_ragged).tolist():
        piece = visible.iloc[start : row + 1].to_csv(index=False, header=False, sep=separator, lineterminator="\r\n")
        parts.append(piece.removesuffix("\r\n") + separator + EXTRA_CELL + "\r\n")
        start = row + 1
    return [*parts, visible.iloc[start:].to_csv(index=False, header=False, sep=separator, lineterminator="\r\n")]


def _breaks_before(visible: pd.DataFrame) -> np.ndarray:
    """How many physical lines of rows stand before each row: one each, and one more for every line break in a cell."""
    lines = np.ones(len(visible), dtype=np.int64)
    for column in visible.columns:
        if isinstance(visible[column].dtype, pd.StringDtype):
            lines += visible[column].str.count("\n").fillna(0).to_numpy(dtype=np.int64)
    return np.cumsum(lines) - lines


def _fill_sheet(sheet: Any, visible: pd.DataFrame) -> None:
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(visible.columns):
        sheet.write_string(0, place, column)
        values = visible[column]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            write, cells = sheet.write_datetime, [None if pd.isna(value) else value.to_pydatetime() for value in values]
        elif pd.api.types.is_numeric_dtype(values.dtype):
            write, cells = sheet.write_number, [None if pd.isna(value) else value for value in values]
        else:
            write, cells = sheet.write_string, [None if pd.isna(value) else value for value in values]
        for row, cell in enumerate(cells, start=1):
            if cell is not None:
                write(row, place, cell)


def _zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        member = zipfile.ZipInfo(name, FIXED_ZIP_DATE)
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, content, compresslevel=9)
    return buffer.getvalue()
