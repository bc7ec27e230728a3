"""Descriptions of employers matched to accounts: all of them, or those alone that a change can reach.

All are matched anew where rules, code or epoch are others, and where more than a fifth of the accounts changed. Else
those are that are new; that look for a key which a changed account has, or had, and which few enough hold; that such an
account is, or was, near enough to by grams; or whose short name stands in its name. They are matched against all the
accounts that the index says they may meet: the others are no candidates of theirs.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from abmloop.blocks import mapper_for
from abmloop.settings import load_settings
from scoring.match import match_tables
from scoring.match.index import SURE_KINDS, asked_rows, short_names_of
from scoring.match.pairs import CLOSED
from scoring.match.sides import given_side
from scoring.policies.match import MatchPolicy
from tasks.code import code_hash
from tasks.match.epoch import KeptCounts, epoch_counts
from tasks.match.index import MatchIndex
from tasks.match.model import current_model
from warehouse.steps import Work

_CODE = ("scoring/match", "scoring/names", "scoring/models", "scoring/policies", "tasks/match/profiles.py")
_CODE_OF_INDEX = ("tasks/match/index.py", "tasks/match/epoch.py")
_NOW = "directory_now"  # today's directory as matching sees it, with learnt names and a hash of each row
_MOST_IN_PART = 0.2
# What pairs are judged by, what decides between equals, and fields that are keys alone.
_FACE = (
    "name", "name_key", "core", "industry_word", "form", "branch", "region_code", "is_parsed", "province_code",
    "city_code", "district_code", "city", "alias_keys",
)  # fmt: skip
_FIELDS = ("uscc", "crm_account_id", "domain", "domains", "phone")
_RANK = ("has_open_deal", "is_customer", "is_target", "contact_count", "first_landed_on")
_OF_PROFILES = (
    "matched.profile_accounts",
    "matched.profile_candidates",
    "ops.match_profiles",
    "ops.match_profile_keys",
)
_OF_ACCOUNTS = ("ops.match_account_keys", "ops.match_accounts", "ops.match_state")
_AS_PROFILE = {"contact_id": "profile_id"}
_AS_CONTACT = {"profile_id": "contact_id"}


def match_profiles(work: Work, policy: MatchPolicy) -> None:
    """matched.profile_accounts and profile_candidates, and the index that the next run goes by."""
    if not _rows_of(work, "matched.company_profiles"):
        _forget(work, *_OF_PROFILES, *_OF_ACCOUNTS)
        return
    _gather_directory(work)
    accounts = _rows_of(work, _NOW)
    epoch = epoch_counts(work, accounts, _NOW)
    judge = current_model(work.run.root).version
    made_by = f"{code_hash('matched', *_CODE, *_CODE_OF_INDEX)} {work.run.config_hash} {epoch.number} {judge}"
    if work.execute("select made_by from ops.match_state").fetchall() != [(made_by,)]:
        _forget(work, *_OF_PROFILES, *_OF_ACCOUNTS)
    index = MatchIndex(work, _NOW, policy, epoch)
    changed = index.note_changes()
    if changed > _MOST_IN_PART * accounts:
        _forget(work, *_OF_PROFILES)
    is_known = _rows_of(work, "ops.match_profiles") > 0
    if changed:
        index.gather_new_keys()
    _forget_profiles(work, index.reached() if changed and is_known else None)
    if changed:
        index.take_over()
    _match_new(work, policy, epoch, index)
    work.replace("ops.match_state", pa.table({"made_by": [made_by]}))


def _gather_directory(work: Work) -> None:
    present = work.query("select * from matched.directory limit 0").column_names
    ranks = [name for name in _RANK if name in present] or ["null"]
    work.execute(
        f"""
        create or replace temp table {_NOW} as
        with learnt as (
            select members.account_id, list(distinct alias_key) as keys
            from matched.remembered
            join resolved.account_members as members on members.row_id = remembered.account_row_id
            where remembered.verdict in ('accept', 'choose') and alias_key is not null
            group by all
        ),
        known as (
            select directory.* replace (
                case when learnt.keys is null then list_sort(alias_keys)
                     else list_sort(list_distinct(coalesce(alias_keys, []) || learnt.keys)) end as alias_keys)
            from matched.directory
            left join learnt using (account_id)
        )
        select known.*, hash({", ".join(_FACE)}) as face_hash, hash({", ".join(ranks)}) as rank_hash,
               hash({", ".join(_FIELDS)}) as field_hash
        from known
        """
    )


def _forget_profiles(work: Work, reached: pa.Array | None) -> None:
    """Drop the matches of descriptions that nobody gives any more, and of those to be matched anew."""
    numbers = pa.array([], pa.int64()) if reached is None else reached
    work.con.register("reached_profiles", pa.table({"profile_no": numbers}))
    work.execute(
        """
        create or replace temp table dropped_profiles as
        select profile_no, profile_id from ops.match_profiles
        where profile_no in (select profile_no from reached_profiles)
              or profile_id not in (select profile_id from matched.company_profiles)
        """
    )
    work.con.unregister("reached_profiles")
    for table in ("matched.profile_accounts", "matched.profile_candidates", "ops.match_profiles"):
        work.execute(f"delete from {table} where profile_id in (select profile_id from dropped_profiles)")
    work.execute("delete from ops.match_profile_keys where holder in (select profile_no from dropped_profiles)")


def _match_new(work: Work, policy: MatchPolicy, epoch: KeptCounts, index: MatchIndex) -> None:
    """Match the descriptions that have no match yet."""
    profiles = work.query(
        """
        select profiles.*, row_number() over (order by profile_id)
            + (select coalesce(max(profile_no), 0) from ops.match_profiles) as profile_no
        from matched.company_profiles as profiles
        anti join ops.match_profiles using (profile_id)
        order by profile_id
        """
    )
    work.count(profiles_matched=profiles.num_rows)
    if not profiles.num_rows:
        return
    given, bare_key = given_side(profiles.rename_columns(_AS_CONTACT))
    asked = asked_rows(given, bare_key, epoch.counts.epoch, policy)
    shorts = short_names_of(given, bare_key)
    everyone = profiles.num_rows > _MOST_IN_PART * _rows_of(work, "matched.company_profiles")
    accounts = (
        work.query(f"select * from {_NOW} order by account_id") if everyone else index.near(asked, _distinct(shorts))
    )
    settings = load_settings(work.run.root)
    mapper = mapper_for(profiles.num_rows, settings.processes, settings.dask_scheduler)
    matches = match_tables(
        profiles.rename_columns(_AS_CONTACT),
        accounts,
        policy,
        epoch.counts,
        current_model(work.run.root),
        mapper=mapper,
    )
    work.append("matched.profile_accounts", matches.decisions.rename_columns(_AS_PROFILE))
    work.append("matched.profile_candidates", matches.candidates.rename_columns(_AS_PROFILE))
    is_open = matches.reach < CLOSED
    asked = asked.filter(
        pc.or_(pc.is_in(asked["kind"], pa.array(SURE_KINDS, pa.uint8())), pa.array(is_open[asked["holder"].to_numpy()]))
    )
    shorts = np.where(is_open, shorts, "").astype(object)
    numbers = profiles["profile_no"].to_numpy()
    holders = pa.array(numbers[asked["holder"].to_numpy()])
    work.append("ops.match_profile_keys", asked.set_column(asked.column_names.index("holder"), "holder", holders))
    known = {"profile_no": numbers, "profile_id": profiles["profile_id"], "reach": matches.reach}
    known["is_tied"] = matches.tied
    work.append("ops.match_profiles", pa.table({**known, "short_name": pa.array(shorts, pa.string())}))


def _distinct(texts: np.ndarray) -> np.ndarray:
    return np.array(sorted(set(texts.tolist())), object)


def _forget(work: Work, *tables: str) -> None:
    for table in tables:
        work.execute(f"delete from {table}")


def _rows_of(work: Work, table: str) -> int:
    return int(work.execute(f"select count(*) from {table}").fetchall()[0][0])
