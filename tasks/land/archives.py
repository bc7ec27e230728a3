"""What a file is, by its first bytes; unpacking within bounds; and what to tell who brings something else."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tasks.land.faults import Refused

CHUNK = 1 << 20
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What reading a damaged archive ends in, by the places where it may be damaged.
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, LookupError, RuntimeError)
# Members that archives carry along and nobody means.
_UNMEANT = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@dataclass(frozen=True)
class Member:
    """One file inside an archive (or the file itself, name None)."""

    name: str | None
    suffix: str
    data: bytes


def suffix_of(name: str) -> str:
    """The last suffix, lower case."""
    return PurePosixPath(name).suffix.lower()


def kind_of(data: bytes, suffix: str) -> str:
    """csv, json, xlsx, parquet, zip or gzip, by the first bytes. Raises Refused for anything else."""
    start = data[:1024]
    kind = _kind_of_bytes(data, start)
    if kind == "text":
        _refuse_markup(data, suffix)
        if suffix in (".xlsx", ".xlsm", ".xls", ".et", ".parquet", ".gz", ".zip"):
            raise Refused("text_named_otherwise", suffix=suffix)
        return "json" if suffix in (".json", ".ndjson", ".jsonl") or _looks_like_json(start, suffix) else "csv"
    fitting = {"xlsx": (".xlsx", ".xlsm"), "parquet": (".parquet", ".pq"), "zip": (".zip",), "gzip": (".gz",)}[kind]
    if suffix not in fitting:
        raise Refused("other_type_inside", suffix=suffix or "(none)", found=kind, wanted=fitting[0])
    return kind


def _kind_of_bytes(data: bytes, start: bytes) -> str:
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return _kind_of_zip(data)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(OLE):
        is_encrypted = "EncryptedPackage".encode("utf-16-le") in data
        raise Refused("encrypted_workbook" if is_encrypted else "old_workbook")
    for magic, name in (
        (b"%PDF", "PDF"),
        (b"Rar!", "RAR"),
        (b"7z\xbc\xaf", "7-Zip"),
        (b"\x89PNG", "PNG"),
        (b"SQLite", "SQLite"),
        (b"{\\rtf", "RTF"),
    ):
        if start.startswith(magic):
            raise Refused("unknown_type", found=name)
    return "text"


def _kind_of_zip(data: bytes) -> str:
    """A workbook or a plain archive; other office formats are named."""
    try:
        names = set(zipfile.ZipFile(io.BytesIO(data)).namelist())
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise Refused("unknown_type", found="Excel Binary (.xlsb)")
    if "mimetype" in names or "content.xml" in names:
        raise Refused("unknown_type", found="OpenDocument (.ods)")
    if "word/document.xml" in names:
        raise Refused("unknown_type", found="Word (.docx)")
    if "Index/Document.iwa" in names:
        raise Refused("unknown_type", found="Apple Numbers")
    return "zip"


def _refuse_markup(data: bytes, suffix: str) -> None:
    """Web pages and XML saved under a table's name are not tables."""
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and suffix not in (".json", ".ndjson", ".jsonl"):
        if b"schemas-microsoft-com:office:spreadsheet" in start:
            raise Refused("unknown_type", found="XML Spreadsheet 2003")
        if any(tag in start for tag in (b"<html", b"<table", b"<!doctype html", b"<meta", b"<head")):
            raise Refused("html_table")
        if start.startswith(b"<?xml"):
            raise Refused("unknown_type", found="XML")
    if start.startswith(b"mime-version:") and b"multipart/related" in start:
        raise Refused("html_table")


def _looks_like_json(start: bytes, suffix: str) -> bool:
    return suffix not in (".csv", ".tsv", ".txt") and start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def gunzip(data: bytes, limits: dict[str, Any]) -> bytes:
    """The bytes inside a .gz, counted while unpacking. Raises Refused beyond the limits or where it is damaged."""
    out = bytearray()
    most = min(limits["unpacked_mb"] * 1_000_000, max(len(data), 1_000) * limits["ratio"])
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while chunk := stream.read(CHUNK):
                out += chunk
                if len(out) > most:
                    raise Refused("bomb", limit=f"{most:,}")
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    return bytes(out)


def check_archive(archive: zipfile.ZipFile, packed: int, limits: dict[str, Any]) -> None:
    """Refuse bombs before unpacking: too many members, too large, too dense, overlapping, encrypted, links."""
    members = archive.infolist()
    if len(members) > limits["entries"]:
        raise Refused("too_many_members", found=len(members), limit=limits["entries"])
    total = sum(member.file_size for member in members)
    most = limits["unpacked_mb"] * 1_000_000
    dense = max(packed, 1_000) * limits["ratio"]
    if total > min(most, dense):
        raise Refused("bomb", limit=f"{min(most, dense):,}")
    last = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.header_offset < last:
            raise Refused("overlapping_members", member=member.filename)
        last = member.header_offset + member.compress_size
        if member.flag_bits & 0x1:
            raise Refused("encrypted_archive")
        if (member.external_attr >> 16) & 0o170000 == 0o120000:
            raise Refused("link_in_archive", member=member.filename)


def read_member(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo, limits: dict[str, Any]) -> bytes:
    """One member's bytes, counted while unpacking: the sizes an archive declares may lie."""
    most = limits["unpacked_mb"] * 1_000_000
    out = bytearray()
    try:
        with archive.open(name) as stream:
            while chunk := stream.read(CHUNK):
                out += chunk
                if len(out) > most:
                    raise Refused("bomb", limit=f"{most:,}")
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    return bytes(out)


def unzip(data: bytes, limits: dict[str, Any]) -> Iterator[Member]:
    """The files of a .zip in the order of their names. Raises Refused for archives in archives."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN as error:
        raise Refused("broken_archive", error=str(error)) from error
    check_archive(archive, len(data), limits)
    meant = [each for each in archive.infolist() if not each.is_dir() and not _is_unmeant(each.filename)]
    if not meant:
        raise Refused("empty_archive")
    for member in sorted(meant, key=lambda each: each.filename):
        suffix = suffix_of(member.filename)
        if suffix in (".zip", ".gz", ".rar", ".7z", ".tar"):
            raise Refused("nested_archive", member=_shown_name(member))
        yield Member(_shown_name(member), suffix, read_member(archive, member, limits))


def _is_unmeant(name: str) -> bool:
    return name.startswith(_UNMEANT[0]) or PurePosixPath(name).name in _UNMEANT or PurePosixPath(name).name[:1] == "."


def _shown_name(member: zipfile.ZipInfo) -> str:
    """A member's name as data: archives made on Chinese Windows write it in GBK without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename
