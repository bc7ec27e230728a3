"""All that matching counts over a whole directory, as one value that can be kept: for candidates and for the judge."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.epoch import Epoch
from scoring.match.grams import Grams, bits_for
from scoring.match.pairs import Directory, gram_texts
from scoring.match.rarity import Bearers, Rarity

_UNIT, _CORE, _STEM, _UNKNOWN = "unit", "core", "stem", "unknown unit"
VERSION = 2  # of the rows


@dataclass(frozen=True)
class Counts:
    """`epoch` decides who becomes a candidate, `rarity` goes into what the judge weighs."""

    epoch: Epoch
    rarity: Rarity

    @classmethod
    def of(cls, directory: Directory) -> "Counts":
        """The counts of this directory."""
        texts = gram_texts(directory).texts
        bits = bits_for(texts)
        return cls(Epoch.of(Grams.of(texts, bits), bits, directory.side.key), Rarity.of(directory.side))

    def rows(self) -> pa.Table:
        """One row per count: kind, text or number, amount."""
        counted = self.epoch.rows()
        blank = pa.repeat(pa.scalar("", pa.string()), counted.num_rows)
        amount = pc.cast(counted["count"], pa.float64())
        tables = [pa.table({"kind": counted["kind"], "text": blank, "number": counted["number"], "amount": amount})]
        tables.append(_texts(_UNIT, self.rarity.units, self.rarity.weights))
        for kind, bearers in ((_CORE, self.rarity.cores), (_STEM, self.rarity.stems)):
            tables.append(_numbers(kind, bearers))
        tables.append(_texts(_UNKNOWN, pa.array([""]), np.array([self.rarity.unknown])))
        return pa.concat_tables(tables)

    @classmethod
    def from_rows(cls, rows: pa.Table) -> "Counts":
        """The inverse of `rows`, of this `VERSION`."""
        by_kind = {kind: rows.filter(pc.equal(rows["kind"], kind)) for kind in (_UNIT, _CORE, _STEM, _UNKNOWN)}
        counted = rows.filter(pc.equal(rows["text"], ""))
        counted = counted.filter(pc.invert(pc.is_in(counted["kind"], pa.array(list(by_kind)))))
        count = pc.cast(counted["amount"], pa.int64())
        epoch = Epoch.from_rows(pa.table({"kind": counted["kind"], "number": counted["number"], "count": count}))
        units = by_kind[_UNIT]
        rarity = Rarity(
            units["text"].combine_chunks(),
            units["amount"].to_numpy().astype(np.float32),
            by_kind[_UNKNOWN]["amount"][0].as_py(),
            _bearers(by_kind[_CORE]),
            _bearers(by_kind[_STEM]),
        )
        return cls(epoch, rarity)


def _texts(kind: str, texts: pa.Array, amounts: np.ndarray) -> pa.Table:
    size = len(texts)
    return pa.table(
        {
            "kind": pa.repeat(pa.scalar(kind, pa.string()), size),
            "text": pc.cast(texts, pa.string()),
            "number": np.zeros(size, np.int64),
            "amount": np.asarray(amounts, np.float64),
        }
    )


def _numbers(kind: str, bearers: Bearers) -> pa.Table:
    size = len(bearers.numbers)
    return pa.table(
        {
            "kind": pa.repeat(pa.scalar(kind, pa.string()), size),
            "text": pa.repeat(pa.scalar("", pa.string()), size),
            "number": bearers.numbers.astype(np.uint64).view(np.int64),
            "amount": np.asarray(bearers.counts, np.float64),
        }
    )


def _bearers(rows: pa.Table) -> Bearers:
    numbers = rows["number"].to_numpy().view(np.uint64)
    order = np.argsort(numbers)
    return Bearers(numbers[order], rows["amount"].to_numpy().astype(np.int64)[order])
