"""The people of matching: rows joined to persons, and what was decided on each."""

import pyarrow.compute as pc

from scoring.persons import SharedKeys, find_persons
from scoring.policies.match import MatchPolicy
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
    work.build("matched.persons", "matched.person_redirects", "matched.company_profiles")
