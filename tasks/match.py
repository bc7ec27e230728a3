"""Persons from their keys, and each person's account: decided, for review, or none."""

import pyarrow as pa
import pyarrow.compute as pc

from abmloop.run import Run, StepCounts
from scoring.match import match_tables
from scoring.policies.match import MatchPolicy
from tasks.match_persons import gather_persons, remember, settle_persons
from tasks.policies import load_policy
from warehouse.steps import Work, step


def match(run: Run) -> StepCounts:
    """Join rows of people to persons, and persons to accounts; what people decided before comes first."""
    policy = load_policy(run, MatchPolicy)
    with step(run, "match") as work:
        gather_persons(work, policy)
        remember(work)
        work.replace("matched.match_policy", _policy_row(run, policy))
        work.build("matched.directory")
        _judge(work, policy)
        settle_persons(work)
        _count(work)
    return work.counts


def _judge(work: Work, policy: MatchPolicy) -> None:
    """matched.profile_accounts and profile_candidates; the directory is looked through only for somebody."""
    profiles = work.table("matched.company_profiles").rename_columns({"profile_id": "contact_id"})
    if not profiles.num_rows:
        work.execute("delete from matched.profile_accounts")
        work.execute("delete from matched.profile_candidates")
        return
    matches = match_tables(profiles, _with_learnt_aliases(work, work.table("matched.directory")), policy)
    as_profile = {"contact_id": "profile_id"}
    work.replace("matched.profile_accounts", matches.decisions.rename_columns(as_profile))
    work.replace("matched.profile_candidates", matches.candidates.rename_columns(as_profile))


def _policy_row(run: Run, policy: MatchPolicy) -> pa.Table:
    row = {
        "config_hash": run.config_hash,
        "as_of": run.as_of,
        "auto_from": policy.auto_from,
        "review_from": policy.review_from,
    }
    return pa.Table.from_pylist([row])


def _with_learnt_aliases(work: Work, accounts: pa.Table) -> pa.Table:
    """The directory with the names that people have accepted for an account among its aliases."""
    learnt = work.query(
        """
        select accounts.account_id,
               list_sort(list_distinct(coalesce(any_value(alias_keys), []::varchar[]) || list(alias_key))) as keys
        from matched.remembered
        join resolved.account_members as members on members.row_id = remembered.account_row_id
        join resolved.accounts using (account_id)
        where remembered.verdict in ('accept', 'choose') and alias_key is not null
        group by accounts.account_id
        """
    )
    if not learnt.num_rows:
        return accounts
    at = pc.index_in(accounts["account_id"], learnt["account_id"].combine_chunks())
    keys = pc.coalesce(
        learnt["keys"].combine_chunks().take(at.combine_chunks()), accounts["alias_keys"].combine_chunks()
    )
    return accounts.set_column(accounts.column_names.index("alias_keys"), "alias_keys", keys)


def _count(work: Work) -> None:
    """Persons by decision; rows of people in, each with its person."""
    work.count(rows_in=work.execute("select count(*) from matched.person_rows").fetchall()[0][0])
    rows = work.execute(
        "select decision, count(*) from matched.person_accounts group by all order by decision"
    ).fetchall()
    work.count(**{f"matched_{decision}": number for decision, number in rows})
