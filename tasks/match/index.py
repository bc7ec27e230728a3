"""The index of matching in the warehouse: accounts' keys, and what each description of an employer looks for."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.match.abbreviations import AbbreviationRule
from scoring.match.index import (
    FIELD_KINDS,
    GRAM,
    TEXTS_BITS,
    abbreviated,
    held_rows,
    nearest_holders,
    perhaps_abbreviated,
)
from scoring.match.tables import directory_of
from scoring.policies.match import MatchPolicy
from tasks.match.epoch import KeptCounts
from warehouse.steps import Work

# account_id, old_no and new_no: their numbers in the index, null where they were or are not; whether pairs are judged
# otherwise (has_other_face), and whether only equals are put in another order (has_other_rank)
CHANGED = "changed_accounts"
_ROUNDING = 1e-4  # of cosines kept in four bytes
_SPARE = 10  # candidates by grams beyond those kept, for the same reason
_ANY = 1 << 30
_STEM = "case when ends_with(core, coalesce(industry_word, '')) then core else concat(core, industry_word) end"


class MatchIndex:
    """The tables ops.match_*, which hold keys as hashes only; `directory` is the table of today's accounts."""

    def __init__(self, work: Work, directory: str, policy: MatchPolicy, epoch: KeptCounts) -> None:
        self._work, self._directory, self._policy, self._epoch = work, directory, policy, epoch

    def note_changes(self) -> int:
        """The table `CHANGED` of accounts that are others than when they were matched last; gives their number."""
        return self._count_of(
            f"""
            create or replace temp table {CHANGED} as
            select account_id, was.account_no as old_no,
                   case when now.face_hash is not distinct from was.face_hash then was.account_no
                        when now.account_id is not null then row_number() over (order by account_id) + (
                            select coalesce(max(account_no), 0) from ops.match_accounts) end as new_no,
                   now.face_hash is distinct from was.face_hash as has_other_face,
                   now.rank_hash is distinct from was.rank_hash as has_other_rank
            from {self._directory} as now
            full join ops.match_accounts as was using (account_id)
            where now.face_hash is distinct from was.face_hash or now.rank_hash is distinct from was.rank_hash
                  or now.field_hash is distinct from was.field_hash
            """,
            CHANGED,
        )

    def gather_new_keys(self) -> None:
        """The table new_keys of the changed accounts: all of those with another face, of others those of their fields.

        Where no account was known, they are at once those of all.
        """
        self._work.execute("create or replace temp table new_keys as select * from ops.match_account_keys limit 0")
        is_first = not self._work.execute("select count(*) from ops.match_accounts").fetchall()[0][0]
        rows = self._work.query(
            f"select * from {self._directory} join {CHANGED} using (account_id) order by account_id"
        )
        faces = rows.filter(rows["has_other_face"])
        others = rows.filter(pc.invert(rows["has_other_face"]))
        for some, kinds in ((faces, None), (others, FIELD_KINDS)):
            if some.num_rows:
                numbers = some["new_no"].to_numpy()
                for keys in held_rows(directory_of(some), numbers, self._epoch.counts.epoch, kinds):
                    with self._as_table("more_keys", keys):
                        into = "ops.match_account_keys" if is_first else "new_keys"
                        self._work.execute(f"insert into {into} select * from more_keys")

    def reached(self) -> pa.Array:
        """Numbers of the descriptions whose matches may be others, now that accounts changed."""
        self._gather_changed_keys()
        found = [self._by_keys(), self._by_grams(), self._by_short_names(False), self._by_short_names(True)]
        return pc.unique(pa.concat_arrays(found))

    def _gather_changed_keys(self) -> None:
        """The table changed_keys: of accounts of another face all keys they had and have, of others those they gained
        or lost; and, `ranks_only`, all of those that stand elsewhere among equals.
        """
        self._work.execute(
            f"""
            create or replace temp table changed_keys as
            with old_keys as (
                select keys.*, has_other_face, has_other_rank
                from ops.match_account_keys as keys
                join {CHANGED} on holder >> {TEXTS_BITS} = old_no
                where {self._kinds_concerned("has_other_face or has_other_rank")}
            )
            select kind, number, holder, value, false as ranks_only from (
                select kind, number, holder, value from old_keys where has_other_face or kind in {FIELD_KINDS}
                except select * from new_keys
            )
            union all
            select *, false from (
                select * from new_keys except select kind, number, holder, value from old_keys
            )
            union all
            select kind, number, holder, value, true from old_keys where has_other_rank and not has_other_face
            """
        )

    def take_over(self) -> None:
        """The changed accounts' keys as they are now, in place of those they had."""
        old = f"(select old_no from {CHANGED} where old_no is not null"
        faces = f"kind not in {FIELD_KINDS} and holder >> {TEXTS_BITS} in {old} and has_other_face)"
        fields = f"kind in {FIELD_KINDS} and holder >> {TEXTS_BITS} in {old})"
        for wanted in (fields, faces) if self._has("has_other_face") else (fields,):
            self._work.execute(f"delete from ops.match_account_keys where {wanted}")
        self._work.execute(f"delete from ops.match_accounts where account_no in {old})")
        self._work.execute("insert into ops.match_account_keys select * from new_keys")
        self._work.execute(
            f"""
            insert into ops.match_accounts by name
            select new_no as account_no, account_id, face_hash, rank_hash, field_hash, name_key
            from {self._directory} join {CHANGED} using (account_id)
            """
        )

    def _kinds_concerned(self, condition: str) -> str:
        """The condition on accounts of which all keys concern us; of others those of their fields do. Said so that the
        keys of most kinds are not even read where there is no such account.
        """
        of_fields = f"kind in {FIELD_KINDS}"
        return f"{condition} or {of_fields}" if self._has(condition) else of_fields

    def _has(self, condition: str) -> bool:
        return bool(self._work.execute(f"select count(*) from {CHANGED} where {condition}").fetchall()[0][0])

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
        epoch = self._epoch.counts.epoch
        rule = AbbreviationRule(self._policy.candidates.short_most_shared, _ANY, epoch.accounts)
        known = self._work.query("select account_no, coalesce(name_key, '') as name_key from ops.match_accounts")
        perhaps = perhaps_abbreviated(shorts, known["name_key"].combine_chunks(), epoch, rule)
        with self._as_table("perhaps", known.select(["account_no"]).take(pa.array(np.unique(perhaps)))):
            names = self._work.query(
                f"""
                select account_no, account_id, coalesce(accounts.name_key, '') as name_key,
                       coalesce({_STEM}, '') as stem
                from {self._directory} as accounts
                join ops.match_accounts using (account_id)
                where account_no in (select account_no from perhaps)
                """
            ).combine_chunks()
        _, rows = self._abbreviated(shorts, names, self._policy.candidates.short_per_name)
        return names["account_no"].combine_chunks().take(pa.array(rows))

    def _by_short_names(self, ranks_only: bool) -> pa.Array:
        """Descriptions whose short name stands in a changed account's name, as it was or is."""
        changed = f"{CHANGED} where {'not has_other_face and has_other_rank' if ranks_only else 'has_other_face'}"
        names = self._work.query(
            f"""
            select account_id, coalesce(name_key, '') as name_key, '' as stem
            from ops.match_accounts where account_no in (select old_no from {changed})
            union all
            select account_id, coalesce(name_key, ''), '' from {self._directory} where account_id in (
                select account_id from {changed})
            """
        ).combine_chunks()
        asking = self._work.query(
            "select profile_no, short_name from ops.match_profiles where short_name <> '' and (is_tied or not $ranks)",
            ranks=ranks_only,
        )
        shorts = pc.unique(asking["short_name"])
        found, _ = self._abbreviated(np.asarray(shorts.to_numpy(zero_copy_only=False), object), names, _ANY)
        meant = pc.is_in(asking["short_name"], shorts.take(pa.array(np.unique(found))))
        return asking["profile_no"].filter(meant).combine_chunks()

    def _abbreviated(self, shorts: np.ndarray, names: pa.Table, most: int) -> tuple[np.ndarray, np.ndarray]:
        epoch = self._epoch.counts.epoch
        rule = AbbreviationRule(self._policy.candidates.short_most_shared, most, epoch.accounts)
        ids, keys, stems = (names[name].combine_chunks() for name in ("account_id", "name_key", "stem"))
        return abbreviated(shorts, ids, keys, stems, epoch, rule)

    def _by_keys(self) -> pa.Array:
        """Descriptions that look for a key of a changed account, unless so many others hold it that it finds nobody."""
        return self._numbers(
            f"""
            with touched as (
                select kind, number, count(*) as changed, bool_and(ranks_only) as ranks_only
                from changed_keys where kind < {GRAM} group by kind, number
            ),
            held as (
                select kind, number, count(*) as holders
                from ops.match_account_keys semi join touched using (kind, number) group by all
            )
            select distinct holder
            from ops.match_profile_keys
            join touched using (kind, number)
            join ops.match_profiles as profiles on profiles.profile_no = holder
            left join held using (kind, number)
            where coalesce(holders, 0) - changed <= most and (is_tied or not ranks_only)
            """
        )

    def _by_grams(self) -> pa.Array:
        """Descriptions that a changed account was, or now is, near enough to."""
        return self._numbers(
            f"""
            with near as (
                select asked.holder as profile_no, sum(asked.value * held.value) as cosine,
                       bool_and(ranks_only) as ranks_only
                from ops.match_profile_keys as asked
                join changed_keys as held using (kind, number)
                where kind = {GRAM}
                group by asked.holder, held.holder
            )
            select distinct profile_no
            from near
            join ops.match_profiles using (profile_no)
            where cosine >= reach - {_ROUNDING} and (is_tied or not ranks_only)
            """
        )

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
