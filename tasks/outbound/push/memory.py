"""Which records need a look: all but those that the CRM held as wished after the last push and nobody touched since.

A record's wish is one hash over all that decides about it: its row of the mart, and what its person said on any key.
It is compared in the database, so that a record without a change never becomes a Python object. The memory is a copy:
where it is lost, or the ledger is not the one it was made from, every record is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, func, select

from abmloop import __version__
from scoring.policies.consent import ConsentPolicy
from scoring.policies.crm import OBJECT_ORDER, CrmPolicy, ObjectName
from tasks.outbound.consent.gate import naive_utc
from tasks.outbound.consent.open_gate import indirect_words
from tasks.outbound.consent.suppress import suppression_hash
from tasks.outbound.push.outbox import Journal, RecordKey
from tasks.outbound.push.plan import digest
from warehouse.ledger_tables import deliveries, outbox, suppressions
from warehouse.secret import read_secret
from warehouse.steps import Work


@dataclass(frozen=True)
class Heads:
    """The newest rows of the ledger's tables that a memory depends on, and the run and time of the newest delivery."""

    outbox: int = 0
    delivery: int = 0
    suppression: int = 0
    delivery_run: str | None = None
    delivery_at: datetime | None = None

    @classmethod
    def of(cls, connection: Connection) -> "Heads":
        """As the ledger stands now."""
        numbers = [
            connection.execute(select(func.coalesce(func.max(table.c.seq), 0))).scalar_one()
            for table in (outbox, deliveries, suppressions)
        ]
        newest = select(deliveries.c.run_id, deliveries.c.recorded_at).where(deliveries.c.seq == numbers[1])
        row = connection.execute(newest).first() or (None, None)
        return cls(*numbers, *row)


@dataclass
class Memory:
    """One CRM's records as the last push left them. `known` is false where it cannot be trusted: all need a look.

    `began`: the ledger when this push began; `touched`: records that something was written about since the last one.
    """

    work: Work
    instance: str
    rules: str
    began: Heads
    last: Heads | None
    touched: frozenset[RecordKey] = frozenset()
    settled: Mapping[ObjectName, int] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether the memory is of this ledger and these rules."""
        return self.last is not None

    def keep(self, settled: Iterable[RecordKey], moving: Iterable[RecordKey]) -> None:
        """Write down what this push settled, and what is still on its way; all else stays as it was known."""
        began, instance = self.began, self.instance
        with Journal(self.work.ledger, instance).reading() as connection:
            now = Heads.of(connection)
            # What others wrote meanwhile is not in this push's memory: the next one looks at those records.
            others = _written(connection, instance, began, but=self.work.run.run_id)
        is_moving = {*moving, *others}
        self._forget()
        rows = [record for record in settled if record not in is_moving]
        for name in self.settled:
            keys = [key for one, key in rows if one == name]
            self._insert(f"select ?, ?, key, wish from kept join wish_{name} on abm_key = key", name, keys)
        for name in OBJECT_ORDER:
            on_the_way = sorted(key for one, key in is_moving if one == name)
            self._insert("select ?, ?, key, null from kept", name, on_the_way)
        values = [instance, self.rules, now.outbox, now.delivery, began.suppression, now.delivery_run, now.delivery_at]
        self.work.execute("delete from ops.crm_checkpoints where instance = ?", [instance])
        self.work.execute("insert into ops.crm_checkpoints values (?, ?, ?, ?, ?, ?, ?)", values)

    def _forget(self) -> None:
        """What was known of the records that this push looked at."""
        if not self.known:
            self.work.execute("delete from ops.crm_records where instance = ?", [self.instance])
            return
        looked = " union all ".join(f"select '{name}', abm_key from look_{name}" for name in self.settled)
        self.work.con.register("kept", _keys_table(self.touched))
        self.work.execute(
            f"delete from ops.crm_records where instance = ? and (object, key) in ({looked} "
            "union all select object, key from kept)",
            [self.instance],
        )
        self.work.con.unregister("kept")

    def _insert(self, sql: str, name: str, keys: Sequence[str]) -> None:
        if not keys:
            return
        self.work.con.register("kept", pa.table({"key": pa.array(keys, pa.string())}))
        self.work.execute(f"insert into ops.crm_records {sql}", [self.instance, name])
        self.work.con.unregister("kept")


def recall(work: Work, policy: CrmPolicy, consent: ConsentPolicy) -> Memory:
    """The memory of the CRM that `policy` names, with the tables `wish_<object>` and `look_<object>` beside it.

    wish: every record's hash; look: the keys of those that need a look, because their wish is new, something was
    written about them since, or one of their person's keys was put on the suppression list.
    """
    # What was said of a company, or is known by a keyed hash only, is seen in no person's own keys: all are looked at.
    rules = digest([policy.model_dump_json(), consent.model_dump_json(), work.run.language, __version__,
                    duckdb.__version__, indirect_words(work.ledger)])  # fmt: skip
    with Journal(work.ledger, policy.instance).reading() as connection:
        began = Heads.of(connection)
        last = _last(work, policy.instance, rules)
        touched = _written(connection, policy.instance, last) if last else frozenset()
        lately = _suppressed_since(connection, last.suppression) if last else set()
    memory = Memory(work, policy.instance, rules, began, last, touched | _on_the_way(work, policy.instance, last))
    named = [name for name in OBJECT_ORDER if name in policy.objects]
    _weigh_persons(work, named, consent)
    _note_suppressed(work, lately)
    memory.settled = {name: _compare(memory, name) for name in named}
    return memory


def _last(work: Work, instance: str, rules: str) -> Heads | None:
    """What the last push ended with; None where there was none, under other rules, or with another ledger."""
    columns = "outbox_seq, delivery_seq, suppression_seq, delivery_run, delivery_at"
    found = work.execute(
        f"select {columns} from ops.crm_checkpoints where instance = ? and rules = ?", [instance, rules]
    ).fetchall()
    last = Heads(*found[0]) if found else None
    if last and last.delivery_run is not None and last.delivery_at is not None:
        is_same = work.ledger.holds("deliveries", last.delivery, last.delivery_run, last.delivery_at)
        return last if is_same else None
    return None


def _written(connection: Connection, instance: str, since: Heads, but: str | None = None) -> frozenset[RecordKey]:
    """The records about which outbox rows or events were written since, `but` those of a run."""
    columns = (outbox.c.object, outbox.c.external_key)
    rows = select(*columns).where(outbox.c.instance == instance, outbox.c.seq > since.outbox)
    events = select(*columns).join(deliveries, deliveries.c.outbox_id == outbox.c.outbox_id)
    events = events.where(outbox.c.instance == instance, deliveries.c.seq > since.delivery)
    if but is not None:
        rows, events = rows.where(outbox.c.run_id != but), events.where(deliveries.c.run_id != but)
    found = [*connection.execute(rows), *connection.execute(events)]
    return frozenset((name, key) for name, key in found)


def _on_the_way(work: Work, instance: str, last: Heads | None) -> frozenset[RecordKey]:
    if last is None:
        return frozenset()
    sql = "select object, key from ops.crm_records where instance = ? and wish is null"
    return frozenset((name, key) for name, key in work.execute(sql, [instance]).fetchall())


def _suppressed_since(connection: Connection, seq: int) -> set[str]:
    return set(connection.execute(select(suppressions.c.key_hash).where(suppressions.c.seq > seq)).scalars())


def _note_suppressed(work: Work, hashes: set[str]) -> None:
    """The persons of whom a key came onto the suppression list, or off it, as the table look_persons."""
    work.execute("create or replace temp table look_persons (person_id varchar)")
    if not hashes:
        return
    keys = work.query("select key_value, person_id from matched.person_keys join weighed_persons using (person_id)")
    secret = read_secret(work.run.root)
    pairs = zip(keys["key_value"].to_pylist(), keys["person_id"].to_pylist(), strict=True)
    persons = sorted({person for value, person in pairs if suppression_hash(secret, value) in hashes})
    if persons:
        work.con.register("kept", pa.table({"person_id": persons}))
        work.execute("insert into look_persons select person_id from kept")
        work.con.unregister("kept")


def _weigh_persons(work: Work, named: Sequence[ObjectName], consent: ConsentPolicy) -> None:
    """One hash per person of whom something would leave: their keys, and what was said on any of them.

    Whether a grant has come into force or has expired belongs to it, so that time alone changes it too; and whether
    somebody else bears the key it was given on.
    """
    instant = naive_utc(work.run.at)
    ages = sorted({one.grant_valid_days for one in consent.purposes.values() if one.grant_valid_days})
    limits = [instant, *(instant - timedelta(days=days) for days in ages)]
    due = ", ".join(f"given_at <= timestamp '{limit.isoformat(sep=' ')}'" for limit in limits)
    leaving = " union ".join(f"select person_id::varchar as person_id from marts.crm_{name}" for name in named)
    work.con.register("ledger_consents", work.ledger.read("consents"))
    work.execute(f"""
        create or replace temp table weighed_persons as
        with leaving as (select person_id from ({leaving}) where person_id is not null),
        keys as (select key_kind, key_value, person_id from matched.person_keys semi join leaving using (person_id)),
        bearers as (
            select key_value, replace(key_kind, 'mobile', 'phone') as kind,
                   min(person_id) <> max(person_id) as is_shared
            from matched.person_keys where key_value in (select key_value from ledger_consents)
            group by all
        ),
        told as (
            select person_id, channel, status, given_at, event_id, null as is_shared
            from core.consents semi join leaving using (person_id)
            union all
            select person_id, channel, status, given_at, event_id, bearers.is_shared from ledger_consents as told
            join keys on keys.key_value = told.key_value
                and replace(keys.key_kind, 'mobile', 'phone') = replace(told.key_kind, 'mobile', 'phone')
            join bearers on bearers.key_value = keys.key_value
                and bearers.kind = replace(keys.key_kind, 'mobile', 'phone')
        ),
        weights as (
            select person_id, hash(key_kind, key_value) as weight from keys
            union all
            select person_id, hash(channel, status, given_at, event_id, is_shared, {due}) from told
        )
        select person_id, sum(weight) as weight from weights group by person_id
        """)
    work.con.unregister("ledger_consents")


def _compare(memory: Memory, name: ObjectName) -> int:
    """Make wish_<object> and look_<object>; gives how many records need no look."""
    work = memory.work
    work.execute(f"""
        create or replace temp table wish_{name} as
        select mart.abm_key, mart.person_id::varchar as person_id,
               md5(row(mart, weighed_persons.weight)::varchar) as wish
        from marts.crm_{name} as mart
        left join weighed_persons on weighed_persons.person_id = mart.person_id::varchar
        """)
    if not memory.known:
        work.execute(f"create or replace temp table look_{name} as select abm_key from wish_{name}")
        return 0
    work.con.register("kept", _keys_table(one for one in memory.touched if one[0] == name))
    work.execute(
        f"""
        create or replace temp table look_{name} as
        select wished.abm_key from wish_{name} as wished
        left join (select key, wish from ops.crm_records where instance = ? and object = ?) as known
            on known.key = wished.abm_key
        where known.wish is distinct from wished.wish
            or wished.abm_key in (select key from kept)
            or wished.person_id in (select person_id from look_persons)
        """,
        [memory.instance, name],
    )
    work.con.unregister("kept")
    return int(
        work.execute(f"select (select count(*) from wish_{name}) - (select count(*) from look_{name})").fetchall()[0][0]
    )


def _keys_table(records: Iterable[RecordKey]) -> pa.Table:
    ordered = sorted(records)
    names, keys = [name for name, _ in ordered], [key for _, key in ordered]
    return pa.table({"object": pa.array(names, pa.string()), "key": pa.array(keys, pa.string())})
