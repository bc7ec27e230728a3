"""Ways to break a file, drawn from one seeded generator: bits, cuts, encodings, quotes, archives."""

import gzip
import io
import random
import struct
import zipfile
from collections.abc import Callable

from benchmarks.fuzz_seeds import Seed, zipped
from tasks.land.archives import BROKEN

# Bytes that parsers trip over.
_TRIPPING = (
    b'"', b'""', b"\0", b"\xff", b"\r", b"\r\n", b",,", b"\xef\xbb\xbf", b"{", b"}", b"[", b"\x1f", b"<!DOCTYPE x>",
    b"\\", b'\\"',
    b"\x1a", b"=cmd|' /C calc'!A0", b"'", "，".encode(), "\u2028".encode(), b"NaN", b"1e999", b"\xff\xfe",
    b"PK\x03\x04", b"\x80\x81",
)  # fmt: skip
_ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "gb18030",
    "big5",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "cp1252",
    "shift_jis",
    "latin-1",
)

Mutate = Callable[[bytes, random.Random], bytes]


def _flip(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))] if chance.random() < 0.7 else data[chance.randrange(len(data)) :]


def _drop(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 60) :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(_TRIPPING) * chance.choice((1, 1, 1, 2, 500)) + data[at:]


def _double(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    piece = data[at : at + chance.choice((10, 200, 5_000))]
    return data[:at] + piece * chance.choice((2, 2, 30)) + data[at:]


def _scramble(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.choice((1, 4, 100))) + data[at + 4 :]


def _recode(data: bytes, chance: random.Random) -> bytes:
    """Another encoding for all of it, or only from some place on."""
    source, target = chance.choice(("utf-8", "gb18030")), chance.choice(_ENCODINGS)
    at = chance.choice((0, chance.randrange(len(data))))
    return data[:at] + data[at:].decode(source, "replace").encode(target, "replace")


def _quotes(data: bytes, chance: random.Random) -> bytes:
    """Quotes taken away, doubled or strewn in."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        at = out.find(b'"', chance.randrange(len(out)))
        if at >= 0 and chance.random() < 0.5:
            del out[at]
        else:
            out[chance.randrange(len(out)) : 0] = b'"'
    return bytes(out)


def _append(data: bytes, chance: random.Random) -> bytes:
    """The file twice, or with junk behind it."""
    return data + chance.choice(
        (data, b"\0" * 1_000, b"\n" * 1_000, gzip.compress(data, mtime=0), chance.randbytes(300))
    )


def _archive(data: bytes, chance: random.Random) -> bytes:
    """An archive made anew with a trick; other files are packed into one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {each.filename: archive.read(each) for each in archive.infolist()}
    except BROKEN:
        members = {}
    if not members:
        return zipped({"a.csv": data}) if chance.random() < 0.5 else gzip.compress(data, mtime=0)
    return _tricked(data, members, chance)


def _tricked(data: bytes, members: dict[str, bytes], chance: random.Random) -> bytes:
    victim = chance.choice(sorted(members))
    match chance.randrange(8):
        case 0:
            return zipped({**members, "inner.zip": data})
        case 1:
            return zipped({f"../../{name}": body for name, body in members.items()})
        case 2:
            return zipped({name: body for name, body in members.items() if name != victim})
        case 3:
            return zipped({**members, victim: b"\0" * chance.choice((1_000, 30_000_000))})
        case 4:
            return zipped({**members, victim: members[victim] * chance.choice((2, 50))})
        case 5:
            return _lie(data, len(members[victim]), chance)
        case 6:
            return data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
        case _:
            return zipped({**members, victim: _strike(members[victim], chance)})


def _lie(data: bytes, size: int, chance: random.Random) -> bytes:
    """Declared sizes that are not the real ones."""
    return data.replace(struct.pack("<I", size), struct.pack("<I", chance.choice((0, 1, size // 2, 2**31, 2**32 - 2))))


def _strike(data: bytes, chance: random.Random) -> bytes:
    """A member changed before it is packed: what comes behind the checksum."""
    return chance.choice((_flip, _cut, _insert, _double, _drop))(data, chance) if data else b"x"


_ALL: tuple[Mutate, ...] = (_flip, _cut, _drop, _insert, _double, _scramble, _recode, _quotes, _append, _archive)
_SUFFIXES = (".csv", ".xlsx", ".json", ".parquet", ".zip", ".csv.gz", ".xls", "")


def mutate(seed: Seed, chance: random.Random) -> Seed:
    """The seed broken once to three times; now and then only its name is wrong."""
    data, name = seed.data, seed.name
    if chance.random() < 0.03:
        name = name.partition(".")[0] + chance.choice(_SUFFIXES)
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(_ALL)(data, chance) if data else b""
    return Seed(name, data)
