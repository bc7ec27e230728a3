"""Who stands on the suppression list is marked as soon as their rows are known, and a later import revives nobody."""

import pyarrow as pa

from abmloop.run import Run
from tasks.match.marks import mark_suppressed
from tasks.outbound.consent.suppress import Why, suppress_all, suppression_hash
from warehouse.secret import make_secret
from warehouse.steps import step

KEYS = {
    "key_kind": ["mobile", "email", "mobile", "phone"],
    "key_value": ["+8613800138001", "a@x.cn", "+8613800138002", "+8613800138002"],
    "key_hash": ["h1", "h2", "h3", "h4"],
    "person_id": ["P1", "P1", "P2", "P3"],
}


def marked(run: Run) -> set[tuple[str, str | None]]:
    with step(run, "given") as work:
        work.con.register("given_keys", pa.table(KEYS))
        work.execute("delete from matched.person_keys")
        work.execute("insert into matched.person_keys by name select * from given_keys")
        work.con.unregister("given_keys")
        counted = mark_suppressed(work)
        found = work.query("select person_id, channel from matched.suppressed_persons").to_pylist()
    assert counted == len({row["person_id"] for row in found})
    return {(row["person_id"], row["channel"]) for row in found}


def test_p16_who_is_on_the_list_is_marked_at_import_by_any_key_and_again_at_every_import(run: Run) -> None:
    make_secret(run.root, {})
    assert marked(run) == set()
    with step(run, "stop") as work:
        suppress_all(work.ledger, run.root, [("email", "a@x.cn")], Why("objected"), run)
        suppress_all(work.ledger, run.root, [("mobile", "+8613800138002")], Why("谢绝来电", channel="call"), run)
    assert marked(run) == marked(run) == {("P1", None), ("P2", "call"), ("P3", "call")}


def test_p16_the_mark_is_the_keyed_hash_that_the_gate_knows(run: Run) -> None:
    secret = make_secret(run.root, {})
    with step(run, "stop") as work:
        suppress_all(work.ledger, run.root, [("email", "a@x.cn")], Why("objected"), run)
        [row] = work.ledger.read("suppressions").to_pylist()
    assert row["key_hash"] == suppression_hash(secret, "a@x.cn")
    assert marked(run) == {("P1", None)}
