"""Matching two files without a workspace: any list of companies, any list of people, matches out."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from abmloop.blocks import mapper_for
from abmloop.errors import BadUsage
from abmloop.messages import said
from abmloop.policy import parse_policy
from scoring.match.model import load_model
from scoring.match.promise import Promised, match_promised
from scoring.names import parse_names
from scoring.policies.match import MatchPolicy
from scoring.policies.sources import SourcesPolicy
from scoring.values.codes import parse_codes
from scoring.values.domains import parse_domains
from scoring.values.emails import parse_emails
from scoring.values.phones import parse_phones
from scoring.values.regions import parse_places
from tasks.land.headers import Reading
from tasks.land.plans import job_for
from tasks.land.sandbox import Sandbox
from tasks.policies import DEFAULTS

STAGES = ("companies", "contacts", "matching", "writing")
_EVIDENCE_MARK = "; "
_PERSON_IDS = ("contact_id", "lead_id", "email", "mobile", "wechat_unionid", "wechat_openid", "phone")
_COMPANY_IDS = ("source_id", "crm_account_id", "uscc", "registration_no", "name", "name_en")
_PLACE = ("province", "city", "district")
_OTHER_NAMES = ("short_name", "name_en", "former_names")
_USED = tuple(dict.fromkeys((*_PERSON_IDS, *_COMPANY_IDS, *_PLACE, *_OTHER_NAMES, "company_name", "website")))


def match_files(
    accounts: Path,
    contacts: Path,
    out: Path,
    promise: float | None = None,
    model: Path | None = None,
    tell: Callable[[str], None] = lambda stage: None,
) -> dict[str, Any]:
    """Match every person of one file to a company of the other; gives a summary of decisions and methods.

    Reads CSV, XLSX, Parquet, JSON (also .gz, .zip) with headers in Chinese or English; writes CSV, or Parquet by the
    name of `out`, with contact_id, account_id, decision, method, confidence, evidence, runner_up_account_id, margin,
    tie_break, relation (same, branch, parent). Ids are the files' own. So many matches are taken that `promise` of them
    (0..1, by default that of match.yaml) are right; `model` is the folder of another judge; `tell` is called with each
    of `STAGES` as it begins.
    Raises BadFile where a file cannot be read, BadPolicy where the model does not fit, BadUsage for other arguments.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise BadUsage(said("match_out_ending", out=out))
    if promise is not None and not 0 < promise < 1:
        raise BadUsage(said("match_promise", promise=promise))
    policy = parse_policy((DEFAULTS / MatchPolicy.file_name).read_text(encoding="utf-8"), MatchPolicy)
    judge = load_model(model)
    people, companies = read_sides(accounts, contacts, tell)
    tell("matching")
    mapper = mapper_for(people.num_rows, 0)
    found = match_promised(people, companies, policy, promise or policy.promise, judge, mapper)
    tell("writing")
    _write(found.decisions, out)
    return _summary(found, companies.num_rows, promise or policy.promise, judge.version)


def read_sides(
    accounts: Path, contacts: Path, tell: Callable[[str], None] = lambda stage: None
) -> tuple[pa.Table, pa.Table]:
    """(people, companies) of two files, with the columns that `match_tables` asks for."""
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        tell("companies")
        companies = _company_columns(_read(sandbox, accounts, "companies", Path(folder) / "companies"))
        tell("contacts")
        people = _person_columns(_read(sandbox, contacts, "contacts", Path(folder) / "contacts"))
    return people, companies


def _read(sandbox: Sandbox, path: Path, entity: str, folder: Path) -> pa.Table:
    """The rows of a file as received, headers understood; refused rows are left out."""
    if not path.is_file():
        raise BadUsage(said("file_none", path=path))
    folder.mkdir()
    rules = parse_policy((DEFAULTS / SourcesPolicy.file_name).read_text(encoding="utf-8"), SourcesPolicy)
    sandbox.read(job_for(rules, path.name, (str(path.resolve()), str(folder)), (Reading(entity),)))
    file = arrow_parquet.ParquetFile(folder / f"{entity}.parquet")
    rows = file.read([name for name in (*_USED, "line") if name in file.schema_arrow.names]).combine_chunks()
    for absent in (name for name in _USED if name not in rows.column_names):
        rows = rows.append_column(absent, pa.nulls(rows.num_rows, pa.string()))
    return rows


def _company_columns(rows: pa.Table) -> pa.Table:
    """Companies as the matcher wants them."""
    domain = parse_domains(rows["website"])
    return _with_place(
        rows,
        {
            "account_id": _first_of(rows, _COMPANY_IDS),
            "name": pc.coalesce(rows["name"], rows["name_en"]),
            "domain": _own(domain["domain"], domain["kind"]),
            "phone": _number(rows["phone"]),
            "uscc": _code(rows["uscc"]),
            "crm_account_id": rows["crm_account_id"],
            "alias_keys": _alias_keys(rows),
        },
    )


def _person_columns(rows: pa.Table) -> pa.Table:
    """People as the matcher wants them; the domain is that of the mail address, else of the website."""
    mail, site = parse_emails(rows["email"]), parse_domains(rows["website"])
    of_mail = _own(mail["domain"], mail["domain_kind"])
    return _with_place(
        rows,
        {
            "contact_id": _first_of(rows, _PERSON_IDS),
            "company_name": rows["company_name"],
            "domain": pc.coalesce(of_mail, _own(site["domain"], site["kind"])),
            "phone": _number(rows["phone"]),
            "uscc": _code(rows["uscc"]),
            "crm_account_id": rows["crm_account_id"],
        },
    )


def _code(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    return codes if _is_blank(codes) else parse_codes(codes)["uscc"]


def _is_blank(column: pa.ChunkedArray) -> bool:
    """Nothing is written there, as in most columns of most lists."""
    return bool(column.null_count == len(column))


def _number(phones: pa.ChunkedArray) -> pa.ChunkedArray:
    if _is_blank(phones):
        return phones
    parsed = parse_phones(phones)
    return pc.coalesce(parsed["phone"], parsed["mobile"])


def _own(domain: pa.ChunkedArray, kind: pa.ChunkedArray) -> pa.ChunkedArray:
    """Domains of companies' own; free, public and disposable ones are nobody's."""
    return pc.if_else(pc.equal(kind, "own"), domain, None)


def _first_of(rows: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """The first filled of these columns, else the row's place in its file."""
    line = pc.binary_join_element_wise("line", pc.cast(rows["line"], pa.string()), " ")
    return pc.coalesce(*(rows[name] for name in names if name in rows.column_names), line)


def _with_place(rows: pa.Table, columns: dict[str, Any]) -> pa.Table:
    given = [rows[name] if name in rows.column_names else pa.nulls(rows.num_rows, pa.string()) for name in _PLACE]
    joined = pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in given), "|")
    distinct = joined.combine_chunks().dictionary_encode()
    places = parse_places(distinct.dictionary)
    codes = {f"{level}_code": places[f"{level}_code"].combine_chunks().take(distinct.indices) for level in _PLACE}
    return pa.table({**columns, **codes, "city": rows["city"]})


def _alias_keys(rows: pa.Table) -> pa.Array:
    """Comparison keys of short, English and former names, a list a row."""
    columns = [rows[name] for name in _OTHER_NAMES if not _is_blank(rows[name])]
    if not columns:
        return pa.nulls(rows.num_rows, pa.list_(pa.string()))
    keys = [parse_names(column.unique()).select(["value", "name_key"]) for column in columns]
    found = [
        table["name_key"].combine_chunks().take(pc.index_in(column, table["value"].combine_chunks()))
        for column, table in zip(columns, keys, strict=True)
    ]
    joined = pc.binary_join_element_wise(*(pc.fill_null(column, "") for column in found), "\n")
    return pc.split_pattern(joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined, "\n")


def _write(decisions: pa.Table, out: Path) -> None:
    joined = pc.binary_join(decisions["evidence"], _EVIDENCE_MARK)
    flat = decisions.set_column(decisions.column_names.index("evidence"), "evidence", joined)
    if out.suffix == ".parquet":
        arrow_parquet.write_table(flat, out)
    else:
        arrow_csv.write_csv(flat, out)


def _summary(found: Promised, companies: int, promise: float, model: str) -> dict[str, Any]:
    """Contacts, companies, decisions, how many were decided by which method, and how many are expected right."""
    decisions = found.decisions
    by_decision = dict(_counted(decisions, "decision"))
    decided = decisions.filter(pc.equal(decisions["decision"], "auto"))
    return {
        "contacts": decisions.num_rows,
        "companies": companies,
        "decided": by_decision.get("auto", 0),
        "for_review": by_decision.get("review", 0),
        "none": by_decision.get("none", 0),
        **{f"by_{method}": count for method, count in _counted(decided, "method")},
        "promise": promise,
        "expected_precision": None if found.expected is None else round(found.expected, 4),
        "taken_from_confidence": round(found.threshold, 4),
        "rehearsed_contacts": found.rehearsed,
        "model": model,
    }


def _counted(table: pa.Table, column: str) -> list[tuple[str, int]]:
    counts = table.group_by(column).aggregate([(column, "count")])
    pairs = zip(counts[column].to_pylist(), counts[f"{column}_count"].to_pylist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
