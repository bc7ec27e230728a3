"""A small directory and people's employers in a warehouse of their own, to match day after day."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from abmloop.run import Run
from scoring.names import parse_names
from tasks.match.profiles import match_profiles
from tests.unit.match.test_match_tables import POLICY
from warehouse.database import connect
from warehouse.ledger import Ledger
from warehouse.steps import Work

_PARTS = ("name_key", "core", "industry_word", "form", "branch", "region_code")
_ACCOUNT = {
    "account_id": pa.string(),
    "name": pa.string(),
    **{part: pa.string() for part in _PARTS},
    "is_parsed": pa.bool_(),
    "alias_keys": pa.list_(pa.string()),
    **{name: pa.string() for name in ("uscc", "crm_account_id", "province_code", "city_code", "district_code", "city")},
    "domain": pa.string(),
    "domains": pa.list_(pa.string()),
    "phone": pa.string(),
    **{name: pa.bool_() for name in ("has_open_deal", "is_customer", "is_target")},
    "contact_count": pa.int64(),
}
_PROFILE = ("profile_id", "company_name", "domain", "phone", "uscc", "crm_account_id", "province_code", "city_code",
            "district_code", "city")  # fmt: skip
_PLACES = {"江西": "360000", "成都": "510100", "苏州": "320500", "杭州": "330100", "广东": "440000", "沈阳": "210100"}
_FIRST, _SECOND = "金华江新中东海天宏鑫瑞宝德兴永嘉万恒博亿", "达利泰丰源安康创特凌盛远顺诚辉科信"
_TRADES = ("特种电机", "建筑安装", "电子科技", "机械制造", "食品", "精密仪器", "新能源科技")
_FORMS = ("有限公司", "股份有限公司")


def companies(count: int, seed: int) -> list[dict[str, Any]]:
    """Invented companies, many of them namesakes in another place."""
    random = np.random.default_rng(seed)
    return [_company(f"a{row:05d}", random) for row in range(count)]


def _company(account_id: str, random: np.random.Generator) -> dict[str, Any]:
    place = str(random.choice(list(_PLACES)))
    core = "".join(str(random.choice(list(characters))) for characters in (_FIRST, _SECOND, _FIRST + _SECOND))
    name = f"{place}{core}{random.choice(_TRADES)}{random.choice(_FORMS)}"
    own = f"{account_id}.com" if random.random() < 0.3 else None
    return {"account_id": account_id, "name": name, "city_code": _PLACES[place], "domain": own}


def people(accounts: list[dict[str, Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """Their employers as people write them: whole, short, with a slip, without region, by mail address only."""
    random = np.random.default_rng(seed)
    return [_profile(f"p{seed}_{row}", accounts[int(random.integers(len(accounts)))], random) for row in range(count)]


def _profile(profile_id: str, account: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    name, at = account["name"], int(random.integers(2, 6))
    written = (
        name,
        name[2:],
        name[2:6],
        name[2:4] + name[5],
        name[:at] + name[at + 1 :],
        name[:at] + "某" + name[at + 1 :],
    )
    profile = {"profile_id": profile_id, "company_name": str(random.choice(written))}
    if account["domain"] and random.random() < 0.5:
        profile |= {"domain": account["domain"], "company_name": None}
    return profile | ({"city_code": account["city_code"]} if random.random() < 0.3 else {})


@contextmanager
def matching(run: Run) -> Iterator[Work]:
    """The step's work on a warehouse without persons: the tables that matching reads are given by `give`."""
    Path(run.workspace, "state").mkdir(exist_ok=True)
    con = connect(run.root)
    con.execute("create table if not exists resolved.account_members (row_id varchar, account_id varchar)")
    with Ledger.of(run.root, None) as ledger:
        yield Work(run, "match", con, ledger)
    con.close()


def give(work: Work, accounts: list[dict[str, Any]], profiles: list[dict[str, Any]]) -> int:
    """Match these profiles to these accounts, from what was matched before; gives the number matched anew."""
    directory = pa.Table.from_pylist(accounts, schema=pa.schema(list(_ACCOUNT.items())))
    parts = parse_names(directory["name"])
    for part in _PARTS:
        directory = directory.set_column(directory.column_names.index(part), part, parts[part])
    directory = directory.set_column(
        directory.column_names.index("is_parsed"), "is_parsed", pa.array([True] * len(accounts))
    )
    given = pa.Table.from_pylist(profiles, schema=pa.schema([(name, pa.string()) for name in _PROFILE]))
    for name, rows in (("matched.directory", directory), ("matched.company_profiles", given)):
        work.con.register("given_rows", rows)
        work.con.execute(f"create or replace table {name} as select * from given_rows")
        work.con.unregister("given_rows")
    before = work.counted.get("profiles_matched", 0)
    match_profiles(work, POLICY)
    return work.counted.get("profiles_matched", 0) - before


def result(work: Work) -> list[list[tuple[Any, ...]]]:
    """All that was decided, with the candidates."""
    tables = ("matched.profile_accounts", "matched.profile_candidates")
    return [work.execute(f"select * from {table} order by all").fetchall() for table in tables]
