"""Who is one person: rows joined by strong keys, named after the strong key that was landed first."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse
from scipy.sparse.csgraph import connected_components

# Where two keys were landed on one day, the steadier kind names the person; the order is part of the ids.
KIND_ORDER = ("wechat_unionid", "mobile", "email", "contact_id", "lead_id", "wechat_openid", "phone")
_TITLES = r"(先生|女士|小姐|老师|经理|总监|主任|总|\s)+$"
_ID_CHARACTERS = 16


@dataclass(frozen=True)
class Persons:
    """`rows`: entity, row_id, person_id. `keys`: key_kind, key_value, person_id, is_strong, first_landed_on."""

    rows: pa.Table
    keys: pa.Table


def find_persons(key_rows: pa.Table, most_family_names: int = 1) -> Persons:
    """Give every row with person keys its person.

    key_rows, one row per row and key: entity, row_id, landed_on, key_kind, key_value, can_be_strong (by its kind: a
    union id, a mobile, a personal or corporate mail address, a source's own id), person_name. A key that people of
    more than `most_family_names` family names bear is shared, and joins nobody. A row without a strong key belongs to
    the only person who holds one of its keys, else to a person of its own. Ids do not depend on the order of the rows.

    Source: spec 03-matching (people), catalogue E05.
    """
    frame = _coded(key_rows.to_pandas())
    if frame.empty:
        return _tables(frame, pd.Series(dtype="object"), pd.Series(dtype="bool"))
    strong = _strong_keys(frame, most_family_names)
    component = _components(frame, frame["key"].map(strong))
    component = _lead_back_own_ids(frame, strong, _adopt_weak_rows(frame, strong, component))
    return _tables(frame, _names(frame, strong, component), strong)


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows and keys numbered in the order of their values, so that nothing depends on the order given."""
    frame = frame.sort_values(["key_kind", "key_value", "entity", "row_id"], kind="stable").reset_index(drop=True)
    frame["key"] = frame.groupby(["key_kind", "key_value"], sort=True).ngroup()
    frame["row"] = frame.groupby(["entity", "row_id"], sort=True).ngroup()
    return frame


def _strong_keys(frame: pd.DataFrame, most_family_names: int) -> pd.Series:
    """key → whether it identifies one person."""
    names = frame["person_name"].fillna("").str.strip().str.replace(_TITLES, "", regex=True)
    is_han = names.str.match(r"[\u3400-\u9fff]")
    family = names.str[0].where(is_han, names.str.lower().str.split().str[-1])
    said = frame.assign(family=family, is_han=is_han)[names != ""]
    # A name in Chinese and one in Latin letters may be the same person's; each script is counted by itself.
    families = said.groupby(["key", "is_han"])["family"].nunique().groupby("key").max()
    can_be = frame.groupby("key")["can_be_strong"].all()
    # A source's own id is one person whatever names it bore: people marry, and forms are filled in jest.
    is_id = frame.groupby("key")["key_kind"].first().isin(["contact_id", "lead_id"])
    return can_be & (is_id | (families.reindex(can_be.index, fill_value=0) <= most_family_names))


def _components(frame: pd.DataFrame, is_strong: pd.Series) -> pd.Series:
    """row → number of its connected set of strong keys."""
    rows, keys = frame["row"].max() + 1, frame["key"].max() + 1
    edges = frame[is_strong]
    graph = sparse.coo_matrix(
        (np.ones(len(edges), np.int8), (edges["row"], edges["key"] + rows)), shape=(rows + keys, rows + keys)
    )
    return pd.Series(connected_components(graph, directed=False)[1][:rows].astype(np.int64))


def _adopt_weak_rows(frame: pd.DataFrame, strong: pd.Series, component: pd.Series) -> pd.Series:
    """Rows with weak keys only go to the one person whose rows bear such a key, else to a person named after it."""
    rows = frame.assign(component=frame["row"].map(component), is_strong=frame["key"].map(strong))
    has_strong = rows.groupby("row")["is_strong"].any()
    weak = rows[~rows["row"].map(has_strong)]
    bearers = rows[rows["row"].map(has_strong)].groupby("key")["component"].agg(["nunique", "min"])
    only = bearers[bearers["nunique"] == 1]["min"]
    adopted = weak.assign(by=weak["key"].map(only)).groupby("row")["by"].agg(["nunique", "min"])
    adopted = adopted[adopted["nunique"] == 1]["min"].astype("int64")
    alone = weak[~weak["row"].isin(adopted.index)]
    # The rest: rows that share their first weak key are one person as far as anyone can tell.
    own = alone.groupby("row")["key"].min() + int(component.max()) + 1
    component = component.copy()
    component.loc[adopted.index] = adopted.to_numpy()
    component.loc[own.index] = own.to_numpy()
    return component


def _lead_back_own_ids(frame: pd.DataFrame, strong: pd.Series, component: pd.Series) -> pd.Series:
    """Rows whose only key is a lead id that we gave ourselves (the CRM sends it back) go to that lead's person."""
    names = _names(frame, strong, component)
    lead_ids = {"L" + person[1:]: component[row] for row, person in names.items()}
    counts = frame.groupby("row")["key"].transform("size")
    own = frame[(frame["key_kind"] == "lead_id") & (counts == 1)]
    target = own["key_value"].str.replace("^.*:", "", regex=True).map(lead_ids)
    found = own.assign(target=target).dropna(subset=["target"])
    component = component.copy()
    component.loc[found["row"]] = found["target"].astype("int64").to_numpy()
    return component


def _names(frame: pd.DataFrame, strong: pd.Series, component: pd.Series) -> pd.Series:
    """row → person id, after the strong key landed first (the weak one where there is none)."""
    keys = frame.assign(component=frame["row"].map(component))
    keys["is_weak"] = ~frame["key"].map(strong).astype(bool)
    keys["kind_rank"] = keys["key_kind"].map({kind: rank for rank, kind in enumerate(KIND_ORDER)})
    order = ["component", "is_weak", "landed_on", "kind_rank", "key_value"]
    first = keys.sort_values(order, kind="stable").drop_duplicates("component").set_index("component")
    ids = _hashed(first["key_kind"] + ":" + first["key_value"])
    return component.map(pd.Series(ids, index=first.index))


def _hashed(keys: Iterable[str]) -> list[str]:
    return ["P" + hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:_ID_CHARACTERS] for key in keys]


def _tables(frame: pd.DataFrame, person: pd.Series, strong: pd.Series) -> Persons:
    rows = frame.drop_duplicates("row").sort_values("row")
    keys = frame.assign(person_id=frame["row"].map(person), is_strong=frame["key"].map(strong))
    keys = keys.groupby(["key_kind", "key_value", "person_id"], as_index=False).agg(
        is_strong=("is_strong", "first"), first_landed_on=("landed_on", "min")
    )
    return Persons(
        rows=pa.table(
            {
                "entity": pa.array(rows["entity"], pa.string()),
                "row_id": pa.array(rows["row_id"], pa.string()),
                "person_id": pa.array(rows["row"].map(person), pa.string()),
            }
        ),
        keys=pa.table(
            {
                "key_kind": pa.array(keys["key_kind"], pa.string()),
                "key_value": pa.array(keys["key_value"], pa.string()),
                "person_id": pa.array(keys["person_id"], pa.string()),
                "is_strong": pa.array(keys["is_strong"], pa.bool_()),
                "first_landed_on": pa.array(keys["first_landed_on"], pa.date32()),
            }
        ),
    )
