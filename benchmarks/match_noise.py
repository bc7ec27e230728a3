"""Measure matching when names are written otherwise: by kind of noise, beside the same contacts without it.

usage: python -m benchmarks.match_noise DATA [bench_90k|bench_771k] [SEED]

DATA as in benchmarks.match_bench. Every contact's company gets one further noise of one kind (match_noise.yaml): those
that sound alike or look alike replace one character. Both are matched at the promise that ships; `best` is the share of
contacts whose nearest account is right, `taken` that of those taken without asking and right, `precision` what of
those taken is right.
"""

import random
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import opencc
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tasks.match.files import match_files

_FIGURES = """
with clean as (from read_parquet($clean)), noisy as (from read_parquet($noisy)),
judged as (
    select kinds.kind, truth.ids is not null and truth.slice <> 'tw_email' as has_account,
           truth.ids is null as is_absent,
           coalesce(list_contains(truth.ids, clean.nearest), false) as best_before,
           coalesce(list_contains(truth.ids, noisy.nearest), false) as best_now,
           clean.decision = 'auto' as taken_before, noisy.decision = 'auto' as taken_now
    from kinds
    join read_parquet($truth) as truth using (cid)
    join clean on clean.contact_id = cid join noisy on noisy.contact_id = cid
)
select kind, count(*) filter (has_account), avg(best_before::int) filter (has_account),
       avg(best_now::int) filter (has_account), avg((best_before and taken_before)::int) filter (has_account),
       avg((best_now and taken_now)::int) filter (has_account),
       count(*) filter (best_now and taken_now) / nullif(count(*) filter (taken_now), 0),
       count(*) filter (taken_now and is_absent) / nullif(count(*) filter (is_absent), 0)
from judged group by rollup (kind) order by kind nulls last
"""
_HEAD = ("kind", "contacts", "best", "noisy", "taken", "noisy", "precision", "of absent")


def main() -> None:
    """Write names otherwise, match both, print the table."""
    folder = Path(sys.argv[1]) / (sys.argv[2] if len(sys.argv) > 2 else "bench_90k")
    contacts = pq.read_table(folder / "contacts.parquet")
    texts, kinds = written_otherwise(contacts["company"].to_pylist(), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as scratch:
        noisy = Path(scratch) / "contacts.parquet"
        at = contacts.column_names.index("company")
        pq.write_table(contacts.set_column(at, "company", pa.array(texts, pa.string())), noisy)
        found = {name: Path(scratch) / f"{name}.parquet" for name in ("clean", "noisy")}
        for name, source in (("clean", folder / "contacts.parquet"), ("noisy", noisy)):
            print(name, match_files(folder / "dir.parquet", source, found[name]))
        _print(pa.table({"cid": contacts["cid"], "kind": kinds}), folder / "truth.parquet", found)


def written_otherwise(names: list[str | None], seed: int) -> tuple[list[str | None], list[str]]:
    """(names with one noise each, its kind; "as written" where none changes the name)."""
    chance = random.Random(seed)
    texts, kinds = [], []
    for name in names:
        options = list(NOISES.items()) if name and name.strip() else []
        chance.shuffle(options)
        told = ((kind, write(name or "", chance)) for kind, write in options)
        kind, text = next(((kind, text) for kind, text in told if text != name), ("as written", name))
        texts.append(text)
        kinds.append(kind)
    return texts, kinds


def _print(kinds: pa.Table, truth: Path, found: dict[str, Path]) -> None:
    connection = duckdb.connect()
    connection.register("kinds", kinds)
    files = {"truth": str(truth)}
    for name, path in found.items():
        nearest = path.with_suffix(".nearest.parquet")
        connection.execute(
            f"copy (select contact_id, decision, coalesce(account_id, runner_up_account_id) as nearest"
            f" from read_parquet('{path}')) to '{nearest}'"
        )
        files[name] = str(nearest)
    print(" ".join(f"{title:>10s}" for title in _HEAD))
    for kind, count, *shares in connection.execute(_FIGURES, files).fetchall():
        shown = " ".join(f"{share:10.4f}" if share is not None else " " * 10 for share in shares)
        print(f"{kind or 'all':>14s} {count:6,d} {shown}")


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return dict(yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")))


def _one_replaced(name: str, others: dict[str, str], chance: random.Random) -> str:
    places = [at for at, char in enumerate(name) if others.get(char)]
    if not places:
        return name
    at = chance.choice(places)
    return name[:at] + chance.choice(others[name[at]]) + name[at + 1 :]


@lru_cache(maxsize=2)
def _partners(table: str) -> dict[str, str]:
    """For each character those it may be taken for."""
    groups = _tables()[table] if table == "sounds" else _tables()[table].split()
    found: dict[str, str] = {}
    for group in groups:
        for char in group:
            found[char] = found.get(char, "") + group.replace(char, "")
    return found


def _misheard(name: str, chance: random.Random) -> str:
    return _one_replaced(name, _partners("sounds"), chance)


def _misread(name: str, chance: random.Random) -> str:
    return _one_replaced(name, _partners("shapes"), chance)


def _in_foreign_letters(name: str, chance: random.Random) -> str:
    return _one_replaced(name, _tables()["letters"], chance)


def _in_digits(name: str, chance: random.Random) -> str:
    return _one_replaced(name, _tables()["digits"], chance)


def _wrapped(name: str, chance: random.Random) -> str:
    return str(chance.choice(_tables()["wrappings" if _is_chinese(name) else "latin_wrappings"]).format(name))


def _full_width(name: str, chance: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name)


def _spaced(name: str, chance: random.Random) -> str:
    return " ".join(name) if _is_chinese(name) else name.replace(" ", "   ")


def _traditional(name: str, chance: random.Random) -> str:
    return str(_TRADITIONAL.convert(name))


def _cased(name: str, chance: random.Random) -> str:
    return name.swapcase() if chance.random() < 0.3 else chance.choice((name.upper(), name.lower()))


def _is_chinese(name: str) -> bool:
    return any("\u3400" <= char <= "\u9fff" for char in name)


_TRADITIONAL = opencc.OpenCC("s2t")
NOISES: dict[str, Callable[[str, random.Random], str]] = {
    "misheard": _misheard,
    "misread": _misread,
    "foreign letters": _in_foreign_letters,
    "digits": _in_digits,
    "wrapped": _wrapped,
    "full width": _full_width,
    "spaced": _spaced,
    "traditional": _traditional,
    "case": _cased,
}


if __name__ == "__main__":
    main()
