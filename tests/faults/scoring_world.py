"""A workspace whose tables left of `scored` are put in by hand, so that scores and routing can be run by themselves."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from tasks.route.step import route
from tasks.runs import open_run
from tasks.score.step import score
from tasks.score.touch_changes import noted_touch_changes
from warehouse.database import connect
from warehouse.models import all_models, build_model

Rows = list[dict[str, Any]]

TABLES = {
    "matched.persons": "person_id varchar, name varchar, title varchar, department varchar, seniority varchar, "
    "email varchar, mobile varchar, company_name varchar, province_code varchar, city_code varchar, country varchar, "
    "first_seen_at timestamp, lead_source varchar, is_excluded boolean, exclusion_reason varchar",
    "matched.person_keys": "key_kind varchar, key_value varchar, key_hash varchar, person_id varchar, "
    "is_strong boolean, first_landed_on date",
    "matched.person_rows": "entity varchar, row_id varchar, person_id varchar",
    "matched.person_accounts": "person_id varchar, account_id varchar, decision varchar, method varchar, "
    "evidence varchar[], confidence double, new_account_id varchar",
    "matched.suppressed_persons": "person_id varchar, channel varchar, suppressed_at timestamp",
    "marts.person_regions": "person_id varchar, region varchar, is_disputed boolean, indications varchar[]",
    "resolved.account_redirects": "old_account_id varchar, account_id varchar",
    "resolved.accounts": "account_id varchar, name varchar, province varchar, province_code varchar, city varchar, "
    "city_code varchar, industry varchar, industry_section varchar, industry_division varchar, employees_band varchar, "
    "country varchar, status varchar",
    "resolved.account_fit": "account_id varchar, fit_points double, grade varchar, completeness double, "
    "criteria smallint[], criterion_points double[], config_hash varchar",
    "rules.directory": "mode varchar, half_open_grades varchar[]",
    "rules.icp": "criterion_id varchar, position integer",
    "resolved.target_accounts": "account_id varchar, list varchar, entry_id varchar, tier varchar, reason varchar, "
    "owner_id varchar, valid_from date, valid_to date",
    "staging.contacts": "row_id varchar, created_at timestamp",
    "core.touches": "touch_id varchar, person_id varchar, account_id varchar, party_id varchar, campaign_id varchar, "
    "channel varchar, type varchar, occurred_at timestamp, content varchar, minutes double, is_future boolean, "
    "row_id varchar",
    "core.deals": "deal_id varchar, account_id varchar, person_id varchar, type varchar, status varchar, "
    "created_at timestamp, closed_at timestamp, lead_created_at timestamp, owner_id varchar",
    "core.deal_contacts": "deal_id varchar, person_id varchar, role varchar, is_primary boolean",
    "core.lead_feedback": "row_id varchar, owner_id varchar, person_id varchar, lead_id varchar, status varchar, "
    "reason varchar, changed_at timestamp",
    "core.activities": "row_id varchar, activity_id varchar, owner_id varchar, person_id varchar, account_id varchar, "
    "type varchar, occurred_at timestamp",
    "core.qualifications": "row_id varchar, person_id varchar, question varchar, answer varchar, answered_at timestamp",
    "core.owners_today": "owner_id varchar, name varchar, email varchar, team varchar, provinces varchar[], "
    "industries varchar[], sizes varchar[], products varchar[], languages varchar[], skills varchar[], "
    "daily_capacity integer, holding_limit integer, is_active boolean, away_until date, manager_id varchar",
    "core.campaigns": "campaign_id varchar, name varchar, channel varchar",
}


class ScoringWorld:
    """Rows by table, and days on which scores and routing are run over them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables: dict[str, Rows] = {name: [] for name in TABLES}
        self.add("rules.directory", mode="open", half_open_grades=["A", "B"])

    def person(self, number: int = 1, account: str | None = "A1", **other: Any) -> str:
        """A contact of 1 January 2026 with an address, matched to an account of grade B; gives the person's id."""
        person, row = f"P{number}", f"crm:c{number}"
        usual = {"name": f"n{number}", "email": f"n{number}@example.com", "seniority": "manager"}
        self.add("matched.persons", person_id=person, **{**usual, **other})
        self.add("matched.person_keys", key_kind="email", key_value=f"n{number}@example.com",
                 key_hash=f"h{number}", person_id=person, is_strong=True, first_landed_on=date(2026, 1, 1))  # fmt: skip
        self.add("matched.person_rows", entity="contacts", row_id=row, person_id=person)
        self.add("staging.contacts", row_id=row, created_at=datetime(2026, 1, 1))
        decision = "auto" if account else "none"
        self.add("matched.person_accounts", person_id=person, account_id=account, decision=decision, method="code")
        if account and account not in [row["account_id"] for row in self.tables["resolved.accounts"]]:
            self.add("resolved.accounts", account_id=account, name=account, province="广东省", province_code="440000")
            self.add("resolved.account_fit", account_id=account, fit_points=65.0, grade="B", completeness=1.0)
        return person

    def touch(self, touch_id: str, at: str, kind: str = "form", person: str = "P1", **other: Any) -> None:
        """A touch of a person at that local-time-free UTC instant."""
        row = {"touch_id": touch_id, "person_id": person, "type": kind, "occurred_at": datetime.fromisoformat(at)}
        self.add("core.touches", **{"is_future": False, "channel": "web", **row, **other})

    def owner(self, owner_id: str, **other: Any) -> None:
        """An active sales person."""
        self.add("core.owners_today", **{"owner_id": owner_id, "team": "north", "is_active": True, **other})

    def add(self, table: str, **row: Any) -> None:
        """One row of a table; columns not given are null."""
        self.tables[table].append(row)

    def day(self, as_of: str) -> None:
        """Run the two steps as of that day."""
        with open_run(self.root, date.fromisoformat(as_of)) as run:
            self.fill()
            score(run)
            route(run)

    def fill(self) -> None:
        """Write the rows into the warehouse."""
        with connect(self.root) as con:
            con.execute("begin")
            with noted_touch_changes(con):
                for name, rows in self.tables.items():
                    con.execute(f"create or replace table {name} ({TABLES[name]})")
                    for row in rows:
                        marks = ", ".join("?" * len(row))
                        con.execute(f"insert into {name} ({', '.join(row)}) values ({marks})", list(row.values()))
            build_model(con, all_models()["core.person_parties"], {})
            con.execute("commit")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with connect(self.root) as con:
            return con.execute(sql).fetchall()

    def stages(self) -> list[tuple[Any, ...]]:
        """(lead, cycle, stage, day) of what counts."""
        return self.ask("select lead_id, cycle, stage, entered_at::date::varchar from scored.lead_stages order by all")
