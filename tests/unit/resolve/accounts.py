"""Accounts for tests: named columns, all others unknown."""

from typing import Any

import pyarrow as pa

TEXTS = ("account_id", "name", "name_key", "name_form", "status", "industry", "industry_section", "industry_division",
         "company_type", "scope", "website", "province_code", "city_code", "district_code")  # fmt: skip
KINDS = {
    **dict.fromkeys(TEXTS, pa.string()),
    "employees": pa.int32(),
    "revenue": pa.decimal128(18, 2),
    "registered_capital": pa.decimal128(18, 2),
    "is_branch": pa.bool_(),
}
SCHEMA = pa.schema(list(KINDS.items()))


def accounts(*rows: dict[str, Any]) -> pa.Table:
    """A table like resolved.accounts; a name is its own key, ids are A0, A1, …"""
    given = [{"account_id": f"A{place}", "name_key": row.get("name"), **row} for place, row in enumerate(rows)]
    return pa.Table.from_pylist(given, SCHEMA)
