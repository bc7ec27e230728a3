"""A small published file, as much of it as deciding on matches reads."""

import duckdb

_TABLES = {
    "matched.person_keys": (
        "key_kind, key_value, key_hash, person_id, is_strong",
        ["'mobile', '+861', 'h1', 'P1', true", "'phone', '+8621', 'h2', 'P1', false"],
    ),
    "matched.person_redirects": ("old_person_id, person_id", ["'P0', 'P1'"]),
    "matched.persons": (
        "person_id, name, company_name",
        ["'P1', '王**', '江特电机'", "'P2', '李**', '=1+1'"],
    ),
    "matched.person_accounts": (
        "person_id, account_id, decision, confidence, runner_up_account_id",
        ["'P1', 'A1', 'review', 0.8::double, 'A2'", "'P2', 'A2', 'review', 0.4::double, null"],
    ),
    "matched.person_rows": (
        "entity, row_id, person_id",
        ["'touches', 'web:t1', 'P1'", "'contacts', 'crm:c1', 'P1'", "'contacts', 'crm:c2', 'P2'"],
    ),
    "matched.remembered": ("decision_id, entity, row_id", ["'D0', 'contacts', 'crm:c9'"]),
    "matched.review_queue": ("person_id", ["'P1'", "'P2'"]),
    "matched.match_candidates": (
        "person_id, account_id, rank, score",
        ["'P1', 'A1', 1, 0.8", "'P1', 'A2', 2, 0.3", "'P2', 'A2', 1, 0.4"],
    ),
    "resolved.accounts": (
        "account_id, name, city, uscc, name_key, alias_keys",
        [
            "'A1', '甲公司', '深圳市', null, '甲公司', ['甲公司']",
            "'A2', '乙公司', '上海市', null, '乙公司', ['乙公司']",
        ],
    ),
    "resolved.account_redirects": ("old_account_id, account_id", ["'A0', 'A2'"]),
    "resolved.account_members": (
        "account_id, row_id, first_landed_on",
        ["'A1', 'qcc:1', date '2026-01-01'", "'A2', 'qcc:2', date '2026-01-01'"],
    ),
    "marts.review_queue": (
        "position, person_id, person_name, company_name, email, account_id, account_name, account_city, confidence,"
        " method, evidence, stake, alike",
        [
            "1, 'P1', '王**', '江特电机', null, 'A1', '甲公司', '深圳市', 0.8, 'short_name',"
            " ['is_abbreviation', 'place_differs'], 3, 2",
            "2, 'P2', '李**', '=1+1', null, 'A2', '乙公司', '上海市', 0.4, 'fuzzy', ['alike'], 1, 1",
        ],
    ),
}


def published() -> duckdb.DuckDBPyConnection:
    """A published file with two matches that wait, P1 (contact crm:c1) and P2 (contact crm:c2), and two accounts."""
    con = duckdb.connect()
    for schema in ("matched", "resolved", "marts"):
        con.execute(f"create schema {schema}")
    for name, (columns, rows) in _TABLES.items():
        values = ", ".join(f"({row})" for row in rows)
        con.execute(f"create table {name} as from (values {values}) as rows({columns})")
    return con
