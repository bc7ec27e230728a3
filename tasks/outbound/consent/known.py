"""What is known of one person's word: what may be done today and why, all they said, and where their data went."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from abmloop.run import Run
from scoring.policies.consent import ConsentPolicy
from tasks.outbound.consent.gate import HASHED, Gate
from tasks.outbound.consent.open_gate import assert_synced, open_gate
from tasks.outbound.consent.suppress import Key
from tasks.outbound.lists.files import put_in_place, write_beside
from tasks.outbound.lists.members import ABANDONED, read_exports
from tasks.policies import load_policy
from warehouse.ledger import Ledger
from warehouse.steps import Work, step

Rows = list[dict[str, Any]]


def persons_of_key(work: Work, key: Key) -> list[str]:
    """The persons with that key."""
    kinds = ["mobile", "phone"] if key[0] in ("mobile", "phone") else [key[0]]
    found = work.query(
        "select distinct person_id from matched.person_keys where list_contains($kinds, key_kind) "
        "and key_value = $value order by all",
        kinds=kinds,
        value=key[1],
    )
    return [str(one) for one in found["person_id"].to_pylist()]


def keys_of_persons(work: Work, person_ids: Iterable[str]) -> list[Key]:
    """Every address and number of these persons, so that what is said of them holds for each."""
    found = work.query(
        "select distinct key_kind, key_value from matched.person_keys where list_contains($persons, person_id) "
        "and key_kind in ('email', 'mobile', 'phone') order by all",
        persons=sorted(person_ids),
    )
    return [(row["key_kind"], row["key_value"]) for row in found.to_pylist()]


def words_today(run: Run, key: Key) -> dict[str, tuple[Rows, Rows]]:
    """Person → what may be done with them today (purpose, state, evidence), and what they said, newest first."""
    with step(run, "show_consent") as work:
        assert_synced(run, work)
        persons = persons_of_key(work, key)
        gate = _gate(run, work, persons)
        regions = _regions(work, persons)
        return {person: (_judged(gate, person, regions.get(person)), _said(work, gate, person)) for person in persons}


def write_proof(run: Run, key: Key, path: Path) -> tuple[int, int]:
    """One file with all that one person said, each with its proof, and every list they stood on; gives both numbers.

    Source: spec 13-privacy P12, P36.
    """
    with step(run, "proof_of_consent") as work:
        assert_synced(run, work)
        persons = persons_of_key(work, key)
        gate = _gate(run, work, persons)
        said = [row for person in persons for row in _said(work, gate, person)]
        lists = _lists(work.ledger, set(persons), gate)
        policy = load_policy(run, ConsentPolicy)
    last = max([row["made_at"] for row in lists] + [row["given_at"] for row in said if row["given_at"]], default=None)
    kept = last + timedelta(days=policy.keep_proof_days) if last else None
    told = {"persons": persons, "said": said, "lists": lists, "proof_kept_until": kept and kept.date()}
    text = json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n"
    put_in_place(write_beside(path, text.encode()), path)
    return len(said), len(lists)


def _gate(run: Run, work: Work, persons: Iterable[str]) -> Gate:
    gate = open_gate(run, work, load_policy(run, ConsentPolicy), set(persons), "CN")
    with work.ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        gate.refresh(connection)
    return gate


def _regions(work: Work, persons: Iterable[str]) -> dict[str, str | None]:
    found = work.query(
        "select person_id, region from marts.outbound_people where list_contains($persons, person_id)",
        persons=sorted(persons),
    )
    return {row["person_id"]: row["region"] for row in found.to_pylist()}


def _judged(gate: Gate, person: str, region: str | None) -> Rows:
    """The gate's word on every purpose that consent.yaml knows."""
    words = [(purpose, gate.judge(purpose, person, region)) for purpose in gate.policy.purposes]
    return [{"purpose": name, "state": word.state, "by": word.evidence, "region": region} for name, word in words]


def _said(work: Work, gate: Gate, person: str) -> Rows:
    """What a person said, in files and on record, newest first."""
    columns = ("channel", "status", "given_at", "evidence", "method", "purpose", "wording_hash", "actor", "event_id")
    landed = work.query(
        "select channel, status, given_at, evidence, method, purpose, wording_hash, event_id from core.consents "
        "where person_id = $person",
        person=person,
    ).to_pylist()
    recorded = [
        row
        for row in work.ledger.read("consents").to_pylist()
        if row["key_kind"] != HASHED and person in gate.keys.persons_of(row["key_kind"], row["key_value"])
    ]
    rows = [{name: row.get(name) for name in columns} for row in (*landed, *recorded)]
    return sorted(rows, key=lambda row: (str(row["given_at"]), row["event_id"]), reverse=True)


def _lists(ledger: Ledger, persons: set[str], gate: Gate) -> Rows:
    """Every list that a person came on or went off."""
    exports = read_exports(ledger)
    rows = []
    for row in ledger.read("list_members").to_pylist():
        export = exports[row["export_id"]]
        is_theirs = row["person_id"] in persons or bool(persons & set(gate.keys.persons_of_hash(row["key_hash"])))
        if is_theirs and export.state != ABANDONED:
            told: dict[str, Any] = {"list": export.list_id, "kind": export.kind, "platform": export.rule.platform}
            told |= {"action": row["action"], "key": row["key_kind"], "made_at": export.recorded_at}
            rows.append({**told, "allowed_by": row["evidence"], "reason": row["reason"], "export": row["export_id"]})
    return rows
