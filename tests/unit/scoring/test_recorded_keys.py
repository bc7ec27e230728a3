"""Stages in the ledger find their person again: by keyed hashes, and by the plain ones of lines written before."""

import hashlib

import duckdb
import pytest

from tasks.score import _RECORDED

PLAIN = hashlib.md5(b"mobile:+861", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("lead", "key"), [("L1", None), ("L0", "h1"), ("L0", PLAIN)])
def test_a_lead_under_a_former_name_is_the_persons_of_today(lead: str, key: str | None) -> None:
    con = duckdb.connect()
    for schema in ("scored", "matched"):
        con.execute(f"create schema {schema}")
    con.execute("create table scored.leads as select 'L1' as lead_id, 'P1' as person_id, 'h2' as person_key")
    con.execute(
        "create table matched.person_keys as select 'mobile' as key_kind, '+861' as key_value, 'h1' as key_hash,"
        " 'P1' as person_id"
    )
    con.execute(
        "create table recorded as select 't1' as transition_id, ?::varchar as lead_id, ?::varchar as person_key,"
        " 1 as cycle, 'mql' as stage, timestamp '2026-01-01' as entered_at, timestamp '2026-01-01' as decided_at,"
        " null::varchar as reason, null::varchar as rule, 'abmloop' as actor",
        [lead, key],
    )
    found = con.sql(_RECORDED).to_arrow_table().to_pylist()
    assert [(row["lead_id"], row["recorded_lead_id"]) for row in found] == [("L1", lead)]
