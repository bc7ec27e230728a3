"""The ledger's tables: small, append-only, irreplaceable. Every row bears the entry (transaction) it came with."""

from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, String, Table, Text, UniqueConstraint

SCHEMA_VERSION = 3  # 2: reasons and paths of assignments, sales_events; 3: proof of consents, lists and their members
metadata = MetaData()


def _event_table(name: str, *columns: Column[Any], unique: tuple[str, ...] = ()) -> Table:
    """An append-only table: our columns behind those the ledger fills in itself."""
    return Table(
        name,
        metadata,
        Column("seq", Integer, primary_key=True, autoincrement=True),
        Column("entry", Integer, nullable=False, index=True),
        Column("recorded_as_of", Date, nullable=False),
        Column("recorded_at", DateTime, nullable=False),
        Column("run_id", String, nullable=False, index=True),
        *columns,
        *([UniqueConstraint(*unique)] if unique else []),
        sqlite_autoincrement=True,
    )


def _text(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=not required)


def _time(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, DateTime, nullable=not required)


def _number(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=True)


counter = Table("counter", metadata, Column("name", String, primary_key=True), Column("value", Integer, nullable=False))

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("token", Integer, nullable=False),
    Column("holder", Text),
    Column("host", Text),
    Column("pid", Integer),
    Column("expires_at", DateTime),
)

configs = Table(
    "configs",
    metadata,
    Column("config_hash", String, primary_key=True),
    Column("recorded_at", DateTime, nullable=False),
    Column("files", Text, nullable=False, doc="JSON: file name → text"),
)

runs = _event_table(
    "runs", _text("event", required=True), _text("config_hash"), _time("at"), _text("outcome"), _text("message")
)
epochs = _event_table(
    "epochs", _text("name", required=True), _number("number"), _text("payload"), unique=("name", "number")
)
decisions = _event_table(
    "decisions",
    _text("decision_id", required=True),
    _text("kind", required=True),
    _text("subject", required=True),
    _text("verdict", required=True),
    _text("payload"),
    _text("actor", required=True),
    _text("reason"),
    _text("undoes"),
    unique=("decision_id",),
)
consents = _event_table(
    "consents",
    _text("event_id", required=True),
    _text("key_kind", required=True),
    _text("key_value", required=True),
    _text("channel", required=True),
    _text("status", required=True),
    _time("given_at", required=True),
    _text("evidence"),
    _text("source"),
    _text("purpose"),
    _text("method"),
    _text("wording_hash"),
    _text("actor"),
    unique=("event_id",),
)
suppressions = _event_table(
    "suppressions",
    _text("suppression_id", required=True),
    _text("key_hash", required=True),
    _text("key_kind", required=True),
    _text("reason"),
    Column("active", Boolean, nullable=False),
    _text("channel"),
    _text("actor"),
    unique=("suppression_id",),
)
stage_transitions = _event_table(
    "stage_transitions",
    _text("transition_id", required=True),
    _text("lead_id", required=True),
    _text("person_key"),
    _text("account_key"),
    _number("cycle"),
    _text("stage", required=True),
    _time("entered_at", required=True),
    _time("decided_at", required=True),
    _text("reason"),
    _text("rule"),
    _text("actor"),
    unique=("transition_id",),
)
assignments = _event_table(
    "assignments",
    _text("assignment_id", required=True),
    _text("lead_id", required=True),
    _text("owner_id"),
    _text("pool_id"),
    _text("method", required=True),
    _text("reason"),
    _text("gates"),
    _time("assigned_at", required=True),
    _time("reclaim_at"),
    _number("turn"),
    _text("path"),
    _text("details"),
    _text("actor"),
    unique=("assignment_id",),
)
sales_events = _event_table(
    "sales_events",
    _text("event_id", required=True),
    _text("lead_id", required=True),
    _text("person_key"),
    _text("assignment_id"),
    _text("kind", required=True),
    _time("happened_at", required=True),
    _text("owner_id"),
    _text("told_to"),
    _text("actor", required=True),
    _text("reason"),
    unique=("event_id",),
)
outbox = _event_table(
    "outbox",
    _text("outbox_id", required=True),
    _text("instance", required=True),
    _text("object", required=True),
    _text("external_key", required=True),
    _number("version"),
    _text("payload_hash", required=True),
    _text("payload", required=True),
    _text("person_id"),
    _text("state", required=True),
    _text("caused_by"),
    unique=("outbox_id",),
)
deliveries = _event_table(
    "deliveries",
    _text("delivery_id", required=True),
    _text("outbox_id", required=True),
    _number("attempt"),
    _text("state", required=True),
    _text("crm_id"),
    _text("message"),
    _time("sent_at"),
    unique=("delivery_id",),
)
exports = _event_table(
    "exports",
    _text("export_id", required=True),
    _text("kind", required=True),
    _text("file_name"),
    _number("row_count"),
    _text("reason"),
    _text("evidence"),
    _text("list_id"),
    _text("action"),
    _text("platform"),
    _text("hash"),
    _text("actor"),
    _time("valid_until"),
    unique=("export_id",),
)
export_events = _event_table(
    "export_events",
    _text("event_id", required=True),
    _text("export_id", required=True),
    _text("state", required=True),
    _text("file_name"),
    _text("file_hash"),
    _number("row_count"),
    _text("message"),
    unique=("event_id",),
)
list_members = _event_table(
    "list_members",
    _text("member_id", required=True),
    _text("export_id", required=True),
    _text("list_id", required=True),
    _text("action", required=True),
    _text("person_id"),
    _text("key_kind", required=True),
    _text("key_hash", required=True),
    _text("reason"),
    _text("evidence"),
    unique=("member_id",),
)
audit = _event_table("audit", _text("actor"), _text("action", required=True), _text("object"), _text("detail"))
