"""The index of matching in the warehouse: accounts' keys, and what each description of an employer looks for."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.abbreviations import AbbreviationRule
from scoring.match.counts import Counts
from scoring.match.index import GRAM, TEXTS_BITS, abbreviated, held_rows, nearest_holders
from scoring.match.tables import directory_of
from scoring.policies.match import MatchPolicy
from warehouse.steps import Work

CHANGED = (
    "changed_accounts"  # account_id, old_no and new_no: their numbers in the index, null where they were or are not
)
_ROUNDING = 1e-4  # of cosines kept in four bytes
_SPARE = 10  # candidates by grams beyond those kept, for the same reason
_ANY = 1 << 30
_STEM = "case when ends_with(core, coalesce(industry_word, '')) then core else concat(core, industry_word) end"


class MatchIndex:
    """The tables ops.match_*, which hold keys as hashes only; `directory` is the table of today's accounts."""

    def __init__(self, work: Work, directory: str, policy: MatchPolicy, counts: Counts) -> None:
        self._work, self._directory, self._policy, self._counts = work, directory, policy, counts

    def note_changes(self) -> int:
        """The table `CHANGED` of accounts that are others than when they were matched last; gives their number."""
        return self._count_of(
            f"""
            create or replace temp table {CHANGED} as
            select account_id, was.account_no as old_no,
                   case when now.account_id is not null then row_number() over (order by account_id) + (
                       select coalesce(max(account_no), 0) from ops.match_accounts) end as new_no
            from {self._directory} as now
            full join ops.match_accounts as was using (account_id)
            where now.row_hash is distinct from was.row_hash
            """,
            CHANGED,
        )

    def changed_rows(self) -> pa.Table:
        """The changed accounts as they are now, with their numbers in `new_no`."""
        return self._work.query(
            f"select * from {self._directory} join {CHANGED} using (account_id) order by account_id"
        )

    def reached(self, rows: pa.Table) -> pa.Array:
        """Numbers of the descriptions whose candidates may be others, now that these accounts changed."""
        self._work.execute(
            f"create or replace temp table changed_keys as select * from ops.match_account_keys"
            f" where holder >> {TEXTS_BITS} in (select old_no from {CHANGED})"
        )
        for keys in self._keys(rows):
            with self._as_table("new_keys", keys):
                self._work.execute("insert into changed_keys select * from new_keys")
        found = [self._by_keys(), self._by_grams(), self._by_short_names(rows)]
        return pc.unique(pa.concat_arrays(found))

    def take_over(self, rows: pa.Table) -> None:
        """The changed accounts' keys as they are now, in place of those they had."""
        numbers = f"(select old_no from {CHANGED} where old_no is not null)"
        self._work.execute(f"delete from ops.match_account_keys where holder >> {TEXTS_BITS} in {numbers}")
        self._work.execute(f"delete from ops.match_accounts where account_no in {numbers}")
        for keys in self._keys(rows):
            self._work.append("ops.match_account_keys", keys)
        known = rows.select(["new_no", "account_id", "row_hash", "name_key"])
        self._work.append("ops.match_accounts", known.rename_columns(["account_no", *known.column_names[1:]]))

    def near(self, asked: pa.Table, shorts: np.ndarray) -> pa.Table:
        """All accounts that those who ask may meet, in the order of their ids; `asked` as in ops.match_profile_keys."""
        is_gram = pc.equal(asked["kind"], GRAM)
        with self._as_table("asked_keys", asked.filter(pc.invert(is_gram))):
            self._work.execute(
                f"""
                create or replace temp table near_accounts as
                with asked as (select kind, number, max(most) as most from asked_keys group by all),
                met as (
                    select holder, most, row_number() over (partition by kind, number order by holder) as place
                    from ops.match_account_keys
                    join asked using (kind, number)
                )
                select holder >> {TEXTS_BITS} as account_no from met where place - 1 <= most
                """
            )
        for numbers in (self._near_by_grams(asked.filter(is_gram)), self._near_by_short_names(shorts)):
            with self._as_table("more_accounts", pa.table({"account_no": numbers})):
                self._work.execute("insert into near_accounts select * from more_accounts")
        return self._work.query(
            f"""
            select accounts.* from {self._directory} as accounts
            where not is_parsed or account_id in (
                select account_id from ops.match_accounts where account_no in (select * from near_accounts))
            order by account_id
            """
        )

    def _near_by_grams(self, asked: pa.Table) -> pa.Array:
        with self._as_table("asked_keys", asked):
            held = self._work.query(
                f"select number, holder, value from ops.match_account_keys where kind = {GRAM}"
                " and number in (select number from asked_keys)"
            )
        holders = nearest_holders(asked, held, self._policy.candidates.per_name + _SPARE)
        return pc.shift_right(holders, TEXTS_BITS)

    def _near_by_short_names(self, shorts: np.ndarray) -> pa.Array:
        names = self._work.query(
            f"""
            select account_no, account_id, coalesce(accounts.name_key, '') as name_key, coalesce({_STEM}, '') as stem
            from {self._directory} as accounts
            join ops.match_accounts using (account_id)
            """
        ).combine_chunks()
        _, rows = self._abbreviated(shorts, names, self._policy.candidates.short_per_name)
        return names["account_no"].combine_chunks().take(pa.array(rows))

    def _by_short_names(self, rows: pa.Table) -> pa.Array:
        """Descriptions whose short name stands in a changed account's name, as it was or is."""
        names = self._work.query(
            f"""
            select account_id, coalesce(name_key, '') as name_key, '' as stem
            from ops.match_accounts where account_no in (select old_no from {CHANGED})
            union all
            select account_id, coalesce(name_key, ''), '' from {self._directory} where account_id in (
                select account_id from {CHANGED})
            """
        ).combine_chunks()
        asking = self._work.query("select profile_no, short_name from ops.match_profiles where short_name <> ''")
        shorts = pc.unique(asking["short_name"])
        found, _ = self._abbreviated(np.asarray(shorts.to_numpy(zero_copy_only=False), object), names, _ANY)
        meant = pc.is_in(asking["short_name"], shorts.take(pa.array(np.unique(found))))
        return asking["profile_no"].filter(meant).combine_chunks()

    def _abbreviated(self, shorts: np.ndarray, names: pa.Table, most: int) -> tuple[np.ndarray, np.ndarray]:
        epoch = self._counts.epoch
        rule = AbbreviationRule(self._policy.candidates.short_most_shared, most, epoch.accounts)
        ids, keys, stems = (names[name].combine_chunks() for name in ("account_id", "name_key", "stem"))
        return abbreviated(shorts, ids, keys, stems, epoch, rule)

    def _by_keys(self) -> pa.Array:
        """Descriptions that look for a key of a changed account, unless so many others hold it that it finds nobody."""
        return self._numbers(
            f"""
            with touched as (
                select kind, number, count(*) as changed from changed_keys where kind < {GRAM} group by all
            ),
            held as (
                select kind, number, count(*) as holders
                from ops.match_account_keys semi join touched using (kind, number) group by all
            )
            select distinct holder
            from ops.match_profile_keys
            join touched using (kind, number)
            left join held using (kind, number)
            where coalesce(holders, 0) - changed <= most
            """
        )

    def _by_grams(self) -> pa.Array:
        """Descriptions that a changed account was, or now is, near enough to."""
        return self._numbers(
            f"""
            with near as (
                select asked.holder as profile_no, sum(asked.value * held.value) as cosine
                from ops.match_profile_keys as asked
                join changed_keys as held using (kind, number)
                where kind = {GRAM}
                group by asked.holder, held.holder
            )
            select distinct profile_no
            from near
            join ops.match_profiles using (profile_no)
            where cosine >= reach - {_ROUNDING}
            """
        )

    def _keys(self, rows: pa.Table) -> Iterator[pa.Table]:
        numbers = rows["new_no"].to_numpy()
        return held_rows(directory_of(rows), numbers, self._counts.epoch)

    def _numbers(self, sql: str) -> pa.Array:
        return self._work.query(sql).column(0).combine_chunks()

    def _count_of(self, sql: str, table: str) -> int:
        self._work.execute(sql)
        return int(self._work.execute(f"select count(*) from {table}").fetchall()[0][0])

    @contextmanager
    def _as_table(self, name: str, rows: pa.Table) -> Iterator[None]:
        self._work.con.register(name, rows)
        try:
            yield
        finally:
            self._work.con.unregister(name)
