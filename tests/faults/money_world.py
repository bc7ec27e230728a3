"""A workspace whose staging and matches are put in by hand, so that core, attribution and ROI run by themselves."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from scoring.policies.attribution import AttributionPolicy
from tasks.attribute.step import attribute, load_attribution_rules
from tasks.policies import load_policy
from tasks.runs import open_run
from warehouse.database import Limits, connect, held_open
from warehouse.models import all_models
from warehouse.steps import Work, step

STAGED = (
    "activities", "campaigns", "consents", "contacts", "costs", "deal_contacts", "deal_stages", "deal_versions",
    "deals", "deal_splits", "split_tellings", "fx_rates", "invoices", "lead_status", "merged_ids", "money_versions",
    "orders", "owners", "payments", "qualifications", "touches",
)  # fmt: skip
GIVEN = {
    "raw.consents": "row_hash varchar, source varchar, landed_on date, contact_id varchar, lead_id varchar, "
    "email varchar, mobile varchar, phone varchar, channel varchar, status varchar, given_at varchar",
    "matched.persons": "person_id varchar, name varchar, title varchar, seniority varchar, is_excluded boolean",
    "matched.person_rows": "entity varchar, row_id varchar, person_id varchar",
    "matched.person_key_rows": "entity varchar, row_id varchar, key_kind varchar, key_value varchar",
    "matched.person_accounts": "person_id varchar, account_id varchar, decision varchar, new_account_id varchar",
    "matched.employments": "person_id varchar, employer_key varchar, known_since date, known_until date, "
    "is_primary boolean, account_id varchar, decision varchar, new_account_id varchar",
    "resolved.accounts": "account_id varchar, name varchar, crm_account_id varchar, uscc varchar",
    "resolved.account_history": "account_id varchar, other_account_id varchar, event varchar, as_of date",
    "resolved.account_redirects": "old_account_id varchar, account_id varchar",
    "resolved.deal_accounts": "deal_row_id varchar, deal_id varchar, account_id varchar",
    "resolved.company_mentions": "entity varchar, row_id varchar, account_id varchar",
    "resolved.target_accounts": "account_id varchar, list varchar, valid_from date, valid_to date",
    "scored.leads": "lead_id varchar, person_id varchar, is_excluded boolean",
    "scored.lead_stages": "lead_id varchar, stage varchar, entered_at timestamp",
    "marts.lead_segments": "person_id varchar, last_inquiry_at timestamp, last_mql_at timestamp, last_sql_at timestamp",
    "marts.account_360": "account_id varchar, lists varchar[], last_inquiry_at timestamp, last_mql_at timestamp, "
    "last_sql_at timestamp, last_deal_at timestamp, last_won_at timestamp",
}
MARTS = (
    "workspace", "models_and_bases", "campaign_accounts", "campaign_roi", "channel_roi", "attribution_credit",
    "attribution_compare", "deal_journey", "payments", "pipeline_snapshot", "restatements", "suspense",
    "campaign_budgets", "deal_cost_shares", "owner_results",
)  # fmt: skip
_NUMBERS = {"minutes", "probability", "rate"}
_PERCENTS = {"percent", "told_percent"}
_AMOUNTS = {"amount", "budget", "cost"}
_DAYS = {"source_date", "away_until", "day"}
_LISTS = {"provinces", "industries", "sizes", "products", "languages", "skills"}


def _type(column: str) -> str:
    """The type of a staging column, by its name."""
    if column.endswith("_at"):
        return "timestamp"
    if column.endswith("_on") or column in _DAYS:
        return "date"
    if column.startswith("is_"):
        return "boolean"
    if column in _AMOUNTS:
        return "decimal(18, 2)"
    if column in _PERCENTS:
        return "decimal(18, 6)"
    if column in _NUMBERS:
        return "double"
    if column in _LISTS:
        return "varchar[]"
    return "integer" if column in {"source_rank", "daily_capacity", "holding_limit"} else "varchar"


def _ddl(table: str) -> str:
    if table in GIVEN:
        return GIVEN[table]
    return ", ".join(f"{name} {_type(name)}" for name in all_models()[table].columns)


def _fill(work: Work, table: str, rows: list[dict[str, Any]]) -> None:
    """The rows, each value by its text, all at once."""
    if rows:
        columns = sorted({name for row in rows for name in row})
        texts = {name: [None if (value := row.get(name)) is None else str(value) for row in rows] for name in columns}
        work.con.register("given_rows", pa.table({name: pa.array(texts[name], pa.string()) for name in columns}))
        work.execute(f"insert into {table} by name select * from given_rows")
        work.con.unregister("given_rows")


class MoneyWorld:
    """Rows by table; `sync` builds core from them, attributes, and builds the marts of money."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables: dict[str, list[dict[str, Any]]] = {
            name: [] for name in (*GIVEN, *(f"staging.{e}" for e in STAGED))
        }
        self.person("P1", "A1")

    def add(self, table: str, **row: Any) -> None:
        """One row of a table; columns not given are null."""
        self.tables[table].append(row)

    def person(self, person: str, account: str | None) -> None:
        """A person, matched to the account if one is given."""
        self.add("matched.persons", person_id=person, name=person)
        if account:
            self.add("matched.person_accounts", person_id=person, account_id=account, decision="auto")
            if account not in [row["account_id"] for row in self.tables["resolved.accounts"]]:
                self.add("resolved.accounts", account_id=account, name=f"company {account}")

    def touch(self, touch_id: str, at: str, campaign: str | None = "c1", person: str = "P1", **other: Any) -> None:
        """A touch of a person at that UTC time."""
        row = {"touch_id": touch_id, "occurred_at": at, "campaign_id": campaign, "type": "form", "source": "s", **other}
        row_id = f"{row['source']}:{touch_id}"
        self.add("staging.touches", row_id=row_id, row_hash=row_id, **row)
        self.add("matched.person_rows", entity="touches", row_id=row_id, person_id=person)

    def deal(self, deal_id: str, account: str | None = "A1", **other: Any) -> None:
        """A deal of the account, won in March 2026 for 100 unless said otherwise."""
        usual = {"stage": "won", "amount": 100, "created_at": "2026-03-10", "closed_at": "2026-03-20"}
        row_id = f"{other.get('source', 'crm')}:{deal_id}"
        self.add("staging.deals", deal_id=deal_id, row_id=row_id, row_hash=row_id, **{**usual, **other})
        if account:
            self.add("resolved.deal_accounts", deal_row_id=row_id, deal_id=deal_id, account_id=account)

    def money(self, entity: str, key: str, **row: Any) -> None:
        """A row of orders, invoices, payments, costs or fx_rates."""
        self.add(f"staging.{entity}", row_id=f"crm:{key}", row_hash=key, **row)

    def split(self, deal_id: str, landed_on: str = "2026-04-01", **shares: float) -> None:
        """A file of that day that splits the deal: accounts A…, sales people otherwise, each with its percentage."""
        file = f"{deal_id}-{landed_on}"
        for member, percent in shares.items():
            axis = "account" if member.startswith("A") else "owner"
            row_id = f"crm:{deal_id}|{member}"
            self.add("staging.split_tellings", axis=axis, deal_id=deal_id, row_id=row_id, file_sha=file,
                     row_hash=f"{row_id}{percent}", owner_id=member if axis == "owner" else None, percent=percent,
                     is_whole=True, source="crm", source_rank=1, landed_on=landed_on)  # fmt: skip
            mention = {"entity": "deal_splits", "row_id": row_id, "account_id": member}
            if axis == "account" and mention not in self.tables["resolved.company_mentions"]:
                self.add("resolved.company_mentions", **mention)

    def rules(self, text: str) -> None:
        """The workspace's own attribution.yaml."""
        (self.root / "config").mkdir(exist_ok=True)
        (self.root / "config" / "attribution.yaml").write_text(text, encoding="utf-8")

    def sync(self, as_of: str = "2026-10-31") -> dict[str, int]:
        """Core, attribution and the marts of money as of that day; gives what attribution counted."""
        with open_run(self.root, date.fromisoformat(as_of)) as run, held_open(self.root, Limits()):
            with step(run, "given") as work:
                for name, rows in self.tables.items():
                    work.execute(f"create or replace table {name} ({_ddl(name)})")
                    _fill(work, name, rows)
                load_attribution_rules(work, load_policy(run, AttributionPolicy))
                work.build_zone("core")
            counts = attribute(run)
            with step(run, "marts") as work:
                work.build(*(f"marts.{name}" for name in MARTS))
        return counts.counts

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with connect(self.root) as con:
            return con.execute(sql).fetchall()

    def credits(self, model: str = "linear", basis: str = "pipeline") -> list[tuple[str, str | None, str, str]]:
        """(deal, touch, campaign, credit as text) by one model on one basis, in order."""
        rows = self.ask(
            f"select deal_id, touch_id, campaign_id, credit::varchar from scored.credits "
            f"where model = '{model}' and basis = '{basis}' order by all"
        )
        return [(deal, touch, campaign, credit) for deal, touch, campaign, credit in rows]
