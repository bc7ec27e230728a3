"""The people of matching: rows joined to persons, and what was decided on each."""

import pyarrow.compute as pc

from scoring.persons import SharedKeys, find_persons
from scoring.policies.match import MatchPolicy
from tasks.match.decisions import remembered_decisions, remembered_keys
from warehouse.secret import name_key
from warehouse.steps import Work

_KEY_ROWS = "select * from matched.person_key_rows"


def gather_persons(work: Work, policy: MatchPolicy) -> None:
    """matched.person_rows, person_keys, persons and the distinct descriptions of their employers."""
    work.build("matched.key_landings", "matched.person_key_rows")
    shared = SharedKeys(policy.most_family_names, policy.most_names, policy.most_ids)
    persons = find_persons(work.query(_KEY_ROWS), name_key(work.run.root), shared)
    is_row = pc.not_equal(persons.rows["entity"], "contact_versions")
    work.replace("matched.person_rows", persons.rows.filter(is_row))
    work.replace("matched.person_keys", persons.keys)
    work.build("matched.persons", "matched.person_redirects", "matched.employer_claims", "matched.company_profiles")


def remember(work: Work) -> None:
    """matched.remembered and remembered_keys: what people decided, from the ledger."""
    decisions = work.ledger.read("decisions", work.run)
    work.replace("matched.remembered", remembered_decisions(decisions))
    work.replace("matched.remembered_keys", remembered_keys(decisions))
    work.build("matched.decided_persons")


def settle_persons(work: Work) -> None:
    """Each person's companies and account, new accounts, and the queue, from what was judged and decided."""
    work.build(
        "matched.employments", "matched.person_accounts", "matched.new_accounts", "matched.new_account_redirects"
    )
    work.build("matched.match_candidates", "matched.review_queue")
