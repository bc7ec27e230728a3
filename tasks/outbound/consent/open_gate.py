"""Opening the gate for some persons: their keys, what they said in landed files, what the refusal log still knows."""

import pyarrow as pa

from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.run import Run
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import COMPANY_KINDS, HASHED, Gate, PersonKeys, naive_utc
from tasks.outbound.consent.refusal_log import replay_log
from warehouse.ledger import Ledger
from warehouse.secret import read_secret
from warehouse.steps import Work

# Keys of the persons that leave which somebody else bears too: a grant on one is nobody's, whoever else is looked at.
SHARED = """
select replace(key_kind, 'mobile', 'phone') as kind, key_value from matched.person_keys
semi join (select key_value from matched.person_keys semi join leaving_persons using (person_id)) using (key_value)
group by all
having min(person_id) <> max(person_id)
"""


def assert_synced(run: Run, work: Work) -> None:
    """Raises BadUsage where the warehouse holds no people yet, or none in the form of this version of the program."""
    found = work.query("select 1 from information_schema.tables where table_name = 'outbound_people'")
    if not found.num_rows:
        raise BadUsage(said("list_no_sync"))


def open_gate(run: Run, work: Work, consent: ConsentPolicy, persons: set[str], crm_region: str) -> Gate:
    """The gate with what these persons said in landed files; the ledger's events come by `refresh`.

    What the refusal log holds and the ledger lacks (it was put back from a backup) is put on record first.
    """
    replay_log(work.ledger, run.root, run)
    work.con.register("leaving_persons", pa.table({"person_id": pa.array(sorted(persons), pa.string())}))
    try:
        keys = work.query(
            "select key_kind, key_value, person_id from matched.person_keys join leaving_persons using (person_id)"
        )
        shared = work.query(SHARED)
        events = work.query(
            "select person_id, channel, status, given_at, event_id from core.consents "
            "join leaving_persons using (person_id)"
        )
        if _speaks_of_companies(work):
            more = work.query(
                "select key_kind, key_value, person_id from marts.outbound_company_keys "
                "join leaving_persons using (person_id)"
            )
            keys = pa.concat_tables([keys, more.cast(keys.schema)])
    finally:
        work.con.unregister("leaving_persons")
    pairs = zip(shared["kind"].to_pylist(), shared["key_value"].to_pylist(), strict=True)
    known = PersonKeys(keys, lambda: read_secret(run.root), pairs)
    gate = Gate(consent, naive_utc(run.at), known, crm_region)
    gate.read(events)
    return gate


def indirect_words(ledger: Ledger) -> int:
    """How many refusals stand in the ledger that no key of a person shows: of companies, or of keyed hashes alone."""
    said = ledger.read("consents")["key_kind"].to_pylist() + ledger.read("suppressions")["key_kind"].to_pylist()
    return sum(kind in (*COMPANY_KINDS, HASHED) for kind in said)


def _speaks_of_companies(work: Work) -> bool:
    """Whether anybody asked that a whole company be left alone."""
    return any(
        work.ledger.read(table, only={"key_kind": kind}).num_rows
        for table in ("suppressions", "consents")
        for kind in COMPANY_KINDS
    )
