"""The match queue as a sheet: written to be filled in anywhere, and read back with every fault named by its place."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from abmloop.errors import AbmError, BadUsage
from abmloop.messages import LANGUAGES, said, say, together
from abmloop.policy import parse_policy
from abmloop.run import Author
from scoring.policies.crm import FieldType
from scoring.policies.sources import SourcesPolicy
from tasks.explain.person_facts import AGAINST
from tasks.land.faults import Refused
from tasks.land.headers import Reading
from tasks.land.plans import job_for
from tasks.land.sandbox import Sandbox
from tasks.match.decisions import VERDICTS, review_row
from tasks.match.review_queue import review_list
from tasks.outbound.csv_out import csv_bytes
from tasks.outbound.xlsx_out import write_workbook
from tasks.policies import DEFAULTS
from tasks.standing import standing_decisions
from warehouse.ledger import Ledger

FORMATS = (".xlsx", ".csv")
_ANSWERS = ("decision", "chosen_account", "reason")
_TOLD = (
    "person_id", "person_name", "company_name", "email", "account_id", "account_name", "account_city", "confidence",
    "method", "supports", "against", "near", "stake", "alike",
)  # fmt: skip
COLUMNS = (*_ANSWERS, *_TOLD)
_NUMBERS: dict[str, FieldType] = {"confidence": "decimal", "stake": "integer", "alike": "integer"}


@dataclass(frozen=True)
class Imported:
    """What became of a sheet: decisions written, rows decided just so before, rows without a decision."""

    decisions: list[str]
    known: int
    empty: int


def export_review(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, path: Path, language: str = "en", limit: int | None = None
) -> int:
    """Write the queue, in the order in which to work it, as XLSX or CSV by the name of `path`; gives the rows.

    The first three columns are to be filled in: the decision, for `choose` the account, and why. Cells are safe against
    formulas. Raises BadUsage for another kind of file.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadUsage(said("review_format", path=path, known=", ".join(FORMATS)))
    rows = [_cells(row, language) for row in review_list(con, limit, ledger)]
    headers = [say(f"review_column_{name}", language) for name in COLUMNS]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.suffix.lower() == ".csv":
        kinds = {header: _NUMBERS.get(name, "text") for header, name in zip(headers, COLUMNS, strict=True)}
        path.write_bytes(csv_bytes(kinds, rows, "human"))
    else:
        words = [say(f"review_word_{verdict}", language) for verdict in VERDICTS]
        write_workbook(path, "review", [headers, *rows], {COLUMNS.index("decision"): words})
    path.chmod(0o600)
    return len(rows)


def _cells(row: dict[str, Any], language: str) -> list[str]:
    mark = "；" if language == "zh" else "; "
    features = {name: say(f"match_feature_{name}", language) for name in row["evidence"] or []}
    told = {
        **row,
        "confidence": f"{row['confidence']:.2f}",
        "method": say(f"match_method_{row['method']}", language),
        "supports": mark.join(text for name, text in features.items() if name not in AGAINST),
        "against": mark.join(text for name, text in features.items() if name in AGAINST),
        "near": mark.join(_near(near) for near in row["near"] if near["account_id"] != row["account_id"]),
    }
    return ["", "", "", *("" if told[name] is None else str(told[name]) for name in _TOLD)]


def _near(near: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (near["account_id"], near["name"], near["city"]) if part)


def import_review(con: duckdb.DuckDBPyConnection, ledger: Ledger, path: Path, by: tuple[Author, str]) -> Imported:
    """Take the decisions of a filled-in sheet, all in one transaction; `by`: who writes, and the name of the actor.

    `accept` takes the account that the sheet proposed. A row whose latest decision says the same is not decided again.
    Raises BadUsage with every fault of the sheet by sheet, line and column; then nothing is written.
    """
    author, actor = by
    found, known = _read(path), _latest(ledger)
    told: list[tuple[Any, str, str]] = [
        (row, "-", said(f"land_{row['rule']}", **row["fields"])) for row in found["faults"]
    ]
    filled = [row for row in found["rows"] if {"decision", "chosen_account"} & row["cells"].keys()]
    taken: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for row in filled:
        try:
            decision = _decision(con, row["cells"], (ledger.head(), actor))
        except _Fault as fault:
            told.append((row, fault.column, fault.message))
            continue
        earlier, _ = taken.setdefault(decision["subject"], (row, decision))
        if earlier is not row:
            told.append((row, "person_id", said("review_twice", line=earlier["line"])))
    if told:
        lines = [_place(path, row, column, text) for row, column, text in told]
        raise BadUsage(together([*lines, said("review_nothing_written", faults=len(told))]))
    new = [decision for _, decision in taken.values() if known.get(decision["subject"]) != _gist(decision)]
    ledger.append("decisions", new, author)
    ids = [str(decision["decision_id"]) for decision in new]
    return Imported(ids, len(taken) - len(new), len(found["rows"]) - len(filled))


class _Fault(AbmError):
    """A cell that cannot be taken."""

    def __init__(self, column: str, text: str) -> None:
        super().__init__(text)
        self.column = column


def _decision(con: duckdb.DuckDBPyConnection, cells: dict[str, str], by: tuple[int, str]) -> dict[str, Any]:
    """One filled row as a decision, not yet written. Raises _Fault naming the column at fault."""
    words = {
        word: verdict
        for verdict in VERDICTS
        for word in (verdict, *(say(f"review_word_{verdict}", each).casefold() for each in LANGUAGES))
    }
    decided = cells.get("decision", "")
    known = together((said(f"review_word_{verdict}") for verdict in VERDICTS), ", ")
    verdict = words.get(decided.casefold())
    if verdict is None:
        raise _Fault("decision", said("review_no_word", value=decided or "-", known=known))
    chosen = cells.get("chosen_account")
    if (verdict == "choose") != (chosen is not None):
        raise _Fault("chosen_account", said("review_choose_needs" if chosen is None else "review_choose_only"))
    if "person_id" not in cells:
        raise _Fault("person_id", said("review_no_person"))
    account = {"choose": chosen, "create": None}.get(verdict, cells.get("account_id"))
    try:
        return review_row(con, cells["person_id"], verdict, account, (by[0], by[1], cells.get("reason", "")))
    except BadUsage as error:
        column = "chosen_account" if verdict == "choose" else "person_id"
        raise _Fault(column, error.message) from error


def _latest(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    """Subject → gist of the latest decision that stands."""
    decisions = standing_decisions(ledger.read("decisions"))
    return {row["subject"]: _gist(row) for row in decisions if row["kind"] == "match" and row["verdict"] in VERDICTS}


def _gist(decision: dict[str, Any]) -> tuple[str, str | None]:
    """What was decided, without how sure the match was then."""
    return decision["verdict"], json.loads(decision["payload"])["account_row_id"]


def _read(path: Path) -> dict[str, Any]:
    """The rows of the sheet, read like any file from outside. Raises BadUsage where it cannot be read."""
    if not path.is_file():
        raise BadUsage(said("review_no_file", path=path))
    rules = parse_policy((DEFAULTS / SourcesPolicy.file_name).read_text(encoding="utf-8"), SourcesPolicy)
    columns = {name: [say(f"review_column_{name}", each) for each in LANGUAGES] for name in COLUMNS}
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        job = job_for(rules, path.name, (str(path.resolve()), folder), (Reading("contacts"),))
        try:
            return sandbox.grid(job, columns)
        except Refused as refusal:
            raise BadUsage(said("file_problem", file=path.name, problem=refusal.message)) from refusal


def _place(path: Path, row: dict[str, Any], column: str, text: str) -> str:
    sheet = f" ({row['sheet']})" if row["sheet"] else ""
    header = said(f"review_column_{column}") if column in COLUMNS else column
    return said("review_fault", file=f"{path.name}{sheet}", line=row["line"], column=header, text=text)
