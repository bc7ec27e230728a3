"""What differs between two snapshots of one source, and which of it is too much to go on with unseen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoring.policies.sources import Difference as Kind
from scoring.policies.sources import Watch

REGION = "region"
_SHOWN_VALUES = 5


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a snapshot: how many values, and the form most of a sample of them have (number, date, text)."""

    filled: int
    shape: str | None = None
    sampled: int = 0
    is_extra: bool = False


@dataclass(frozen=True)
class Profile:
    """A snapshot in figures. `values`: column → value → rows, for `region` and for columns with few values."""

    rows: int
    columns: Mapping[str, ColumnProfile]
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def share(self, column: str) -> float:
        """The share of rows that have a value."""
        return self.columns[column].filled / self.rows if self.rows and column in self.columns else 0.0


@dataclass(frozen=True)
class Difference:
    """One difference: of what, from which figure to which, by which limit, for example where; is it too much."""

    kind: Kind
    subject: str
    before: float
    after: float
    limit: float
    example: str
    is_beyond: bool


def compare(
    before: Profile, after: Profile, watch: Watch, is_whole: bool, is_declared: bool = True
) -> list[Difference]:
    """The differences of a snapshot to the one before it, those to be told as well as those beyond the limits.

    `is_whole`: both are the whole list, so that rows and regions missing now are missing indeed. What concerned fewer
    than `least_rows` rows is never beyond (`least_rows_unmapped` where no one declared the source).

    Source: spec 11-faults F23, F24.
    """
    least = watch.least_rows if is_declared else watch.least_rows_unmapped
    scale = 1.0 if is_whole else (after.rows / before.rows if before.rows else 0.0)
    found = [
        *(_rows(before, after, watch, least) if is_whole else ()),
        *(_regions(before, after, least) if is_whole else ()),
        *_columns(before, after, watch, least, scale),
        *_shapes(before, after, least),
        *_values(before, after, watch, least),
    ]
    return [_held_if_wanted(difference, watch) for difference in found]


def _held_if_wanted(difference: Difference, watch: Watch) -> Difference:
    if difference.kind in watch.hold or not difference.is_beyond:
        return difference
    return Difference(**{**vars(difference), "is_beyond": False})


def _rows(before: Profile, after: Profile, watch: Watch, least: int) -> Iterator[Difference]:
    if before.rows < least:
        return
    kept = after.rows / before.rows
    if 1 - kept > watch.rows_fall_share:
        yield Difference("rows_fell", "", before.rows, after.rows, watch.rows_fall_share, "", True)
    if kept >= watch.rows_grow_times and after.rows >= least:
        yield Difference("rows_grew", "", before.rows, after.rows, watch.rows_grow_times, "", True)


def _regions(before: Profile, after: Profile, least: int) -> Iterator[Difference]:
    """Regions that had rows and have none; none at all is said of the column instead."""
    there = after.values.get(REGION, {})
    if not there:
        return
    for region, rows in sorted(before.values.get(REGION, {}).items()):
        if region not in there:
            yield Difference("region_vanished", region, rows, 0, least, "", rows >= least)


def _columns(before: Profile, after: Profile, watch: Watch, least: int, scale: float) -> Iterator[Difference]:
    for name in sorted(before.columns.keys() | after.columns.keys()):
        old, new = before.columns.get(name), after.columns.get(name)
        if old is None and new is not None:
            yield Difference("column_added", name, 0, new.filled, 0, "", is_beyond=True)
        elif old is not None and new is None:
            # What we never read may go; what we read and was filled is missed.
            missed = not old.is_extra and _was_filled(before, name, watch, least, scale)
            yield Difference("column_dropped", name, old.filled, 0, watch.column_filled_share, "", missed)
        elif (
            old is not None
            and not old.is_extra
            and _was_filled(before, name, watch, least, scale)
            and after.share(name) < before.share(name) * watch.column_kept_share
        ):
            yield Difference(
                "column_emptied", name, before.share(name), after.share(name), watch.column_kept_share, "", True
            )


def _was_filled(before: Profile, name: str, watch: Watch, least: int, scale: float) -> bool:
    """Whether so many values were to be expected that none at all is no chance."""
    return before.share(name) >= watch.column_filled_share and before.columns[name].filled * scale >= least


def _shapes(before: Profile, after: Profile, least: int) -> Iterator[Difference]:
    for name in sorted(before.columns.keys() & after.columns.keys()):
        old, new = before.columns[name], after.columns[name]
        if old.shape and new.shape and old.shape != new.shape:
            enough = min(old.sampled, new.sampled) >= least
            example = f"{old.shape} → {new.shape}"
            yield Difference("column_retyped", name, old.sampled, new.sampled, least, example, enough)


def _values(before: Profile, after: Profile, watch: Watch, least: int) -> Iterator[Difference]:
    """Columns with few values: how many rows have one that was never there before."""
    for name in sorted((before.values.keys() & after.values.keys()) - {REGION}):
        known, found = before.values[name], after.values[name]
        unseen = {value: rows for value, rows in found.items() if value not in known}
        if unseen and known:
            total = sum(found.values())
            share = sum(unseen.values()) / total
            beyond = share > watch.unseen_values_share and min(total, sum(known.values())) >= least
            yield Difference(
                "values_changed", name, 0, share, watch.unseen_values_share, _most(unseen), is_beyond=beyond
            )


def _most(rows_of: Mapping[str, int]) -> str:
    ordered: list[tuple[str, Any]] = sorted(rows_of.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{value} ({rows})" for value, rows in ordered[:_SHOWN_VALUES])
