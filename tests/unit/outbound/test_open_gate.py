"""The gate says the same of a person whoever else is looked at with them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations

import pyarrow as pa
import pytest

from abmloop.run import Run
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.open_gate import open_gate
from tasks.outbound.consent.statements import Statement, record
from tasks.policies import load_policy
from tests.unit.outbound.conftest import CONSENTS
from warehouse.secret import make_secret
from warehouse.steps import Work, step

LANDLINE, NUMBER, ADDRESS = "+862155667788", "+8613800138001", "a@x.cn"
# P1 and P2 share a landline, P2 and P3 a number that one of them wrote down as a mobile; P4's address is theirs alone.
KEYS = (
    ("phone", LANDLINE, "P1"), ("phone", LANDLINE, "P2"), ("mobile", NUMBER, "P2"), ("phone", NUMBER, "P3"),
    ("email", ADDRESS, "P4"), ("email", ADDRESS, "P4"), ("wechat", LANDLINE, "P4"),
)  # fmt: skip
EVERYBODY = ("P1", "P2", "P3", "P4")


@pytest.fixture
def work(run: Run) -> Iterator[Work]:
    """A step over these keys."""
    make_secret(run.root, {})
    names = ("key_kind", "key_value", "person_id")
    keys = pa.table(dict(zip(names, map(list, zip(*KEYS, strict=True)), strict=True)))
    with step(run, "given") as made:
        for name, rows in (("matched.person_keys", keys), ("core.consents", CONSENTS.empty_table())):
            made.con.register("given_rows", rows)
            made.execute(f"create or replace table {name} as select * from given_rows")
            made.con.unregister("given_rows")
        yield made


def states(run: Run, work: Work, persons: tuple[str, ...], channel: str = "email") -> dict[str, str]:
    """What the gate says when these persons alone are looked at."""
    gate = open_gate(run, work, load_policy(run, ConsentPolicy), set(persons), "CN")
    with work.ledger.transaction() as connection:
        gate.refresh(connection)
    return {person: gate.judge(channel, person, "CN").state for person in persons}  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["granted", "refused"])
def test_p08_a_word_on_a_shared_key_is_the_same_for_a_part_as_for_all(run: Run, work: Work, status: str) -> None:
    said = Statement("email", status, datetime(2026, 1, 1), "form 7", "form")
    record(work.ledger, run.root, [("phone", LANDLINE), ("mobile", NUMBER), ("email", ADDRESS)], said, run)
    whole = states(run, work, EVERYBODY)
    nobody = "not_granted" if status == "granted" else "refused"
    assert whole == {**dict.fromkeys(EVERYBODY[:3], nobody), "P4": "allowed" if status == "granted" else "refused"}
    for size in range(1, len(EVERYBODY)):
        for persons in combinations(EVERYBODY, size):
            assert states(run, work, persons) == {person: whole[person] for person in persons}


def test_p08_a_grant_in_the_name_of_a_company_is_no_persons(run: Run, work: Work) -> None:
    keys = pa.table({"key_kind": ["domain"], "key_value": ["x.cn"], "person_id": ["P4"]})
    work.con.register("given_rows", keys)
    work.execute("create or replace table marts.outbound_company_keys as select * from given_rows")
    said = Statement("email", "granted", datetime(2026, 1, 1), "form 7", "form")
    record(work.ledger, run.root, [("domain", "x.cn")], said, run)
    assert states(run, work, ("P4",)) == {"P4": "not_granted"}
