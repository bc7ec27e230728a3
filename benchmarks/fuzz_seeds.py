"""Forty good files of every format that people bring: what fuzzing starts from."""

import gzip
import io
import json
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.utils.datetime import CALENDAR_MAC_1904

PEOPLE = ["姓名", "手机", "邮箱", "公司", "备注"]
COMPANIES = ["企业名称", "统一社会信用代码", "注册资本(万元)", "成立日期", "电话"]
ROWS = 30


@dataclass(frozen=True)
class Seed:
    """A good file: its name in the inbox and its bytes."""

    name: str
    data: bytes


def people(rows: int = ROWS) -> list[list[str]]:
    """Rows of contacts with quotes, delimiters and line breaks in their cells."""
    odd = ["普通", "带,逗号;分号|竖线", '带"引号"', "带\n换行", ""]
    return [[f"张{n}", f"1380013{n:04d}", f"a{n}@b.cn", f"深圳第{n}科技有限公司", odd[n % 5]] for n in range(rows)]


def companies(rows: int = ROWS) -> list[list[Any]]:
    """Rows of companies with numbers and days."""
    return [
        [f"北京第{n}贸易有限公司", f"91110105MA{n:08d}", n * 100.5, date(2020, 1, 1 + n % 28), 1012345000 + n]
        for n in range(rows)
    ]


def text(rows: list[list[str]], head: list[str], delimiter: str = ",", end: str = "\n") -> str:
    """Delimited text, quoted where it must be."""

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if any(mark in value for mark in (delimiter, '"', "\n")) else value

    return end.join(delimiter.join(cell(str(value)) for value in row) for row in [head, *rows]) + end


def _texts() -> list[Seed]:
    plain, simple = text(people(), PEOPLE), text([row[:4] for row in people()], PEOPLE[:4])
    western = text(
        [[f"Zoë Müller {n}", f"z{n}@b.de", f"Société {n}"] for n in range(ROWS)], ["Name", "Email", "Company"]
    )
    traditional = text([[f"臺灣電子股份有限公司{n}", f"02-2345{n:04d}"] for n in range(ROWS)], ["公司名稱", "電話"])
    titled = "2026年3月客户清单\n导出时间：2026-03-01\n\n" + simple + "合计,30\n数据来源：企查查\n"
    found = [Seed(f"contacts/{code}.csv", plain.encode(code)) for code in ("utf-8", "utf-8-sig", "gb18030", "utf-16")]
    found += [Seed("contacts/le.txt", simple.encode("utf-16-le")), Seed("contacts/west.csv", western.encode("cp1252"))]
    found += [Seed("companies/big5.csv", traditional.encode("big5")), Seed("contacts/titled.csv", titled.encode())]
    for name, mark in (("semicolon", ";"), ("bar", "|"), ("wide", "，"), ("tab", "\t")):
        found.append(
            Seed(f"contacts/{name}.{'tsv' if mark == chr(9) else 'csv'}", text(people(), PEOPLE, mark).encode())
        )
    found += [Seed("contacts/crlf.csv", text(people(), PEOPLE, end="\r\n").encode("gb18030"))]
    found += [Seed("contacts/cr.csv", text([row[:4] for row in people()], PEOPLE[:4], end="\r").encode())]
    return [*found, Seed("contacts/long.csv", text(people(3_000), PEOPLE).encode())]


def _book(*sheets: list[list[Any]], change: Any = None) -> bytes:
    book = openpyxl.Workbook()
    for place, rows in enumerate(sheets):
        sheet = book.active if place == 0 else book.create_sheet(f"表{place}")
        for row in rows:
            sheet.append(row)
    if change:
        change(book)
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["docProps/core.xml"] = re.sub(rb"20\d\d-[0-9T:Z-]+", b"2026-01-01T00:00:00Z", members["docProps/core.xml"])
    return zipped(members)


def _books() -> list[Seed]:
    rows: list[list[Any]] = [COMPANIES, *companies()]

    def merged(book: Any) -> None:
        book.active.merge_cells("A3:A5")

    def hidden(book: Any) -> None:
        book.active.row_dimensions[4].hidden = True
        book.worksheets[1].sheet_state = "hidden"

    def since_1904(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904

    formulas = [[*COMPANIES, "和"], *([*row, "=C2*2"] for row in companies()), ["#N/A", "#REF!"]]
    wide = [[*COMPANIES, *(f"列{n}" for n in range(200))], *([*row, *range(200)] for row in companies(5))]
    books = {
        "plain": _book(rows),
        "titled": _book([["客户清单"], [], *rows, ["合计"]]),
        "merged": _book(rows, change=merged),
        "sheets": _book(rows, rows, [["说明"]]),
        "hidden": _book(rows, rows, change=hidden),
        "y1904": _book(rows, change=since_1904),
        "formulas": _book(formulas),
        "wide": _book(wide),
    }
    return [Seed(f"companies/{name}.xlsx", data) for name, data in books.items()]


def _records() -> list[Seed]:
    records = [dict(zip(PEOPLE, row, strict=True)) for row in people()]
    nested = [
        {**record, "n": n, "x": {"a": [1, 2.50, None, True]}, "big": 2**60 + n} for n, record in enumerate(records)
    ]
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in nested)
    return [
        Seed("contacts/array.json", json.dumps(records, ensure_ascii=False, indent=1).encode()),
        Seed("contacts/around.json", json.dumps({"total": 30, "data": nested}).encode()),
        Seed("contacts/lines.ndjson", lines.encode()),
        Seed("contacts/gbk.jsonl", lines.encode("gb18030")),
    ]


def _parquet(table: pa.Table, **how: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **how)
    return stream.getvalue()


def _parquets() -> list[Seed]:
    plain = pa.table(dict(zip(PEOPLE, zip(*people(300), strict=True), strict=True)))
    noon = datetime(2026, 3, 1, 12)  # a column without a zone is one of the cases
    typed = pa.table({
        "contact_id": pa.array(range(40)), "email": pa.array([f"a{n}@b.cn" for n in range(40)]).dictionary_encode(),
        "created_at": pa.array([noon] * 40, pa.timestamp("us", "Asia/Shanghai")), "amount": [Decimal("1.50")] * 40,
        "list": [[{"a": n}] for n in range(40)], "ratio": [n / 3 for n in range(40)], "raw": [b"abc"] * 40,
    })  # fmt: skip
    return [
        Seed("contacts/plain.parquet", _parquet(plain)),
        Seed("contacts/groups.parquet", _parquet(plain, row_group_size=50, compression="zstd")),
        Seed("contacts/typed.parquet", _parquet(typed, compression="none", use_deprecated_int96_timestamps=True)),
    ]


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return stream.getvalue()


def seeds() -> list[Seed]:
    """All forty, the same bytes in every run."""
    found = [*_texts(), *_books(), *_records(), *_parquets()]
    by_name = {seed.name: seed.data for seed in found}
    csv, book, table = by_name["contacts/utf-8.csv"], by_name["companies/plain.xlsx"], by_name["contacts/plain.parquet"]
    lines = by_name["contacts/lines.ndjson"]
    packed = {
        "contacts/a.csv.gz": gzip.compress(csv, mtime=0),
        "contacts/b.tsv.gz": gzip.compress(csv.replace(b",", b"\t"), mtime=0),
        "contacts/c.ndjson.gz": gzip.compress(lines, mtime=0),
        "contacts/d.parquet.gz": gzip.compress(table, mtime=0),
        "companies/e.xlsx.gz": gzip.compress(book, mtime=0),
        "contacts/f.zip": zipped({"a.csv": csv}),
        "contacts/g.zip": zipped({"一月.csv": csv, "二月.csv": csv, "读我.txt": b"hello"}),
        "companies/h.zip": zipped({"a.xlsx": book}),
        "contacts/i.zip": zipped({"a.parquet": table, "b.ndjson": lines}),
        "contacts/j.zip": zipped({f"{n}.csv": csv for n in range(20)}),
    }
    return found + [Seed(name, data) for name, data in packed.items()]
