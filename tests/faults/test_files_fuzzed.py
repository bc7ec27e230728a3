"""Figure R7 of the fault catalogue, small: mutated files end in rows or in a named refusal, never in a defect."""

import gzip
import io
import random
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.land.faults import Refused
from tests.unit.land.files import read_bytes, workbook

SEED = 20261122
MUTANTS = 60
TEXT = "姓名,手机,备注\n" + "".join(f'张{n},1380013{n:04d},"a,{n}\n""b"""\n' for n in range(40))


def seeds(folder: Path) -> dict[str, bytes]:
    """One good file of each kind."""
    rows = [["姓名", "手机"], *([f"张{n}", 13800138000 + n] for n in range(20))]
    book = folder / "seed.xlsx"
    workbook(book, rows)
    table = io.BytesIO()
    pq.write_table(pa.table({"email": [f"a{n}@b.cn" for n in range(50)]}), table)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TEXT)
    lines = "".join(f'{{"email": "a{n}@b.cn", "n": [{n}, {{"x": 1.50}}]}}\n' for n in range(30))
    return {
        "x.csv": TEXT.encode(),
        "gb.csv": TEXT.encode("gb18030"),
        "x.tsv": TEXT.replace(",", "\t").encode("utf-16"),
        "x.ndjson": lines.encode(),
        "x.json": f"[{','.join(lines.split(chr(10))[:-1])}]".encode(),
        "x.csv.gz": gzip.compress(TEXT.encode(), mtime=0),
        "x.zip": packed.getvalue(),
        "x.xlsx": book.read_bytes(),
        "x.parquet": table.getvalue(),
    }


def mutate(data: bytes, chance: random.Random) -> bytes:
    """The file with bits flipped, cut, doubled, or with bytes that parsers trip over put in."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out))
        match chance.randrange(5):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                del out[at : at + (len(out) if chance.random() < 0.3 else chance.randint(1, 30))]
            case 2:
                out[at:at] = chance.choice(
                    [b'"', b"\0", b"\xff", b"\r", b",,", b"\xef\xbb\xbf", b"{", b"\x1f", b"<!DOCTYPE x>"]
                )
            case 3:
                out[at:at] = out[at : at + chance.randint(1, 200)]
            case _:
                out[at : at + 4] = chance.randbytes(4)
        if not out:
            return b""
    return bytes(out)


@pytest.mark.parametrize(
    "name", ["x.csv", "gb.csv", "x.tsv", "x.ndjson", "x.json", "x.csv.gz", "x.zip", "x.xlsx", "x.parquet"]
)
def test_r7_mutated_files_end_in_rows_or_in_a_named_refusal(tmp_path: Path, name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    data = seeds(tmp_path)[name]
    read_bytes(tmp_path, data, name)
    ends: Counter[str] = Counter()
    for _ in range(MUTANTS):
        try:
            read_bytes(tmp_path, mutate(data, chance), name)
            ends["read"] += 1
        except Refused as refusal:
            assert refusal.told("en") and refusal.told("zh")
            ends[refusal.rule] += 1
    assert sum(ends.values()) == MUTANTS
