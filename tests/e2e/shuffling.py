"""Putting the rows of input files into another order, the files otherwise unchanged."""

import gzip
import random
from pathlib import Path

import pyarrow.parquet as pq


def shuffle_inbox(inbox: Path, seed: int) -> int:
    """Shuffle the rows of line-based and Parquet files below `inbox` in place; gives how many files were shuffled.

    CSV files with quoted newlines, titles or totals keep their first three and last three lines in place; workbooks
    stay as they are. Two files of the same content stay the same: that they are is told of the source.
    """
    shuffled = 0
    for path in sorted(path for path in inbox.rglob("*") if path.is_file()):
        name = path.name.lower()
        chance = random.Random(str(seed).encode() + path.read_bytes())
        if name.endswith(".parquet"):
            table = pq.read_table(path)
            order = list(range(table.num_rows))
            chance.shuffle(order)
            pq.write_table(table.take(order), path)
        elif name.endswith((".ndjson.gz", ".jsonl.gz")):
            lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
            chance.shuffle(lines)
            path.write_bytes(gzip.compress(b"".join(lines), mtime=0))
        elif name.endswith((".ndjson", ".jsonl")):
            lines = path.read_bytes().splitlines(keepends=True)
            chance.shuffle(lines)
            path.write_bytes(b"".join(lines))
        elif name.endswith(".csv"):
            lines = path.read_bytes().split(b"\n")
            if len(lines) < 12 or path.read_bytes().count(b'"') % 2 or b"\n" in _quoted(path.read_bytes()):
                continue
            middle = lines[3:-4]
            chance.shuffle(middle)
            path.write_bytes(b"\n".join([*lines[:3], *middle, *lines[-4:]]))
        else:
            continue
        shuffled += 1
    return shuffled


def _quoted(content: bytes) -> bytes:
    """All that stands between double quotes."""
    return b"".join(content.split(b'"')[1::2])
