"""Who is one person: rows joined by strong keys, named after the strong key that was landed first."""

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from scoring.person_names import name_tokens, people_per_key, plain_names

# Where two keys were landed on one day, the steadier kind names the person; the order is part of the ids.
KIND_ORDER = ("wechat_unionid", "mobile", "email", "contact_id", "lead_id", "wechat_openid", "phone")
_ID_KINDS = ("contact_id", "lead_id")
_ID_CHARACTERS = 16


@dataclass(frozen=True)
class SharedKeys:
    """A key borne by names of more families, more full names or more ids of one source is shared: it joins nobody."""

    most_family_names: int = 1
    most_names: int = 3
    most_ids: int = 5


@dataclass(frozen=True)
class Persons:
    """`rows`: entity, row_id, person_id; `keys`: key_kind, key_value, key_hash, person_id, is_strong, since when."""

    rows: pa.Table
    keys: pa.Table


def find_persons(key_rows: pa.Table, secret: bytes, shared: SharedKeys | None = None) -> Persons:
    """Give every row with person keys its person.

    key_rows, one row per row and key: entity, row_id, landed_on, key_kind, key_value, can_be_strong (by its kind: a
    union id, a mobile, a personal or corporate mail address, a source's own id), person_name. A key that too many
    people bear (`shared`) joins nobody. A row without a strong key belongs to the bearer of its keys whose name agrees,
    if there is only one, else to a person of its own. Ids are hashes of keys under `secret`, and do not depend on the
    order of the rows.

    Source: spec 03-matching (people), catalogue E05, 11-faults M9.
    """
    days = key_rows["landed_on"].cast(pa.int32())  # pandas is slow with days
    frame = _coded(key_rows.set_column(key_rows.column_names.index("landed_on"), "landed_on", days).to_pandas())
    if frame.empty:
        return _tables(frame, pd.Series(dtype="object"), pd.Series(dtype="bool"), pd.Series(dtype="object"))
    frame["name"] = plain_names(frame["person_name"])
    hashes = _key_hashes(frame, secret)
    strong = _strong_keys(frame, shared or SharedKeys())
    component = _components(frame, frame["key"].map(strong))
    component = _adopt_weak_rows(frame, strong, component)
    component = _lead_back_own_ids(frame, hashes, component)
    return _tables(frame, _names(frame, strong, component, secret), strong, hashes)


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows and keys numbered in the order of their values, so that nothing depends on the order given."""
    frame = frame.sort_values(["key_kind", "key_value", "entity", "row_id"], kind="stable").reset_index(drop=True)
    frame["key"] = frame.groupby(["key_kind", "key_value"], sort=True).ngroup()
    frame["row"] = frame.groupby(["entity", "row_id"], sort=True).ngroup()
    return frame


def _hashed(secret: bytes, text: str) -> str:
    return hmac.digest(secret, text.encode(), "sha256").hex()


def _key_hashes(frame: pd.DataFrame, secret: bytes) -> pd.Series:
    """key → its keyed hash."""
    keys = frame.drop_duplicates("key").set_index("key")
    return (keys["key_kind"] + ":" + keys["key_value"]).map(lambda text: _hashed(secret, text))


def _strong_keys(frame: pd.DataFrame, shared: SharedKeys) -> pd.Series:
    """key → whether it identifies one person."""
    can_be = frame.groupby("key")["can_be_strong"].all()
    # A source's own id is one person whatever names it bore: people marry, and forms are filled in jest.
    is_id = frame.groupby("key")["key_kind"].first().isin(_ID_KINDS)
    people = people_per_key(frame[frame["name"] != ""]).reindex(can_be.index, fill_value=0)
    ids = _ids_per_key(frame).reindex(can_be.index, fill_value=0)
    few = (people["families"] <= shared.most_family_names) & (people["names"] <= shared.most_names)
    return can_be & (is_id | few & (ids <= shared.most_ids))


def _ids_per_key(frame: pd.DataFrame) -> pd.Series:
    """key → the most ids that one source gave to rows with it."""
    ids = frame.loc[frame["key_kind"].isin(_ID_KINDS), ["row", "key_kind", "key_value"]]
    ids = ids.assign(source=ids["key_kind"] + ":" + ids["key_value"].str.replace(r":.*$", "", regex=True))
    borne = frame[["key", "row"]].merge(ids, on="row")
    return borne.groupby(["key", "source"])["key_value"].nunique().groupby("key").max()


def _components(frame: pd.DataFrame, is_strong: pd.Series) -> pd.Series:
    """row → number of its connected set of strong keys."""
    # Imported here: a run without new people does without SciPy.
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    rows, keys = frame["row"].max() + 1, frame["key"].max() + 1
    edges = frame[is_strong]
    graph = sparse.coo_matrix(
        (np.ones(len(edges), np.int8), (edges["row"], edges["key"] + rows)), shape=(rows + keys, rows + keys)
    )
    return pd.Series(connected_components(graph, directed=False)[1][:rows].astype(np.int64))


def _adopt_weak_rows(frame: pd.DataFrame, strong: pd.Series, component: pd.Series) -> pd.Series:
    """Rows with weak keys only go to the one person who bears such a key under that name, else to one of their own."""
    rows = frame.assign(component=frame["row"].map(component), is_strong=frame["key"].map(strong))
    has_strong = rows.groupby("row")["is_strong"].any()
    is_weak = ~rows["row"].map(has_strong)
    weak = rows[is_weak]
    adopted = _adopted(weak, rows[~is_weak])
    own = _own_persons(weak[~weak["row"].isin(adopted.index)]) + int(component.max()) + 1
    component = component.copy()
    component.loc[adopted.index] = adopted.to_numpy()
    component.loc[own.index] = own.to_numpy()
    return component


def _adopted(weak: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """row → the person it belongs to, where exactly one bearer of its keys can be meant.

    A row without a name belongs to the only bearer; one with a name to the only bearer of that very name, else to the
    only bearer if nothing in the names speaks against it.
    """
    bearers = known[["key", "component"]].drop_duplicates()
    met = weak[["row", "key", "name"]].merge(bearers, on="key").drop_duplicates(["row", "component"])
    named = known.loc[known["name"] != "", ["component", "name"]].drop_duplicates()
    same = met.merge(named.assign(is_same=True), on=["component", "name"])
    tokens = named.drop(columns="name").assign(token="").iloc[:0]
    if len(named):
        exploded = name_tokens(named["name"])
        tokens = pd.DataFrame(
            {"component": named["component"].loc[exploded.index].to_numpy(), "token": exploded.to_numpy()}
        ).drop_duplicates()
    agrees = _agreeing(met, tokens)
    by_name = same.groupby("row")["component"].agg(["nunique", "min"])
    alone = (
        met.assign(agrees=agrees)
        .groupby("row")
        .agg(bearers=("component", "nunique"), component=("component", "min"), agrees=("agrees", "all"))
    )
    found = alone[(alone["bearers"] == 1) & alone["agrees"]]["component"]
    by_name = by_name[by_name["nunique"] == 1]["min"]
    return by_name.combine_first(found).astype("int64")


def _agreeing(met: pd.DataFrame, tokens: pd.DataFrame) -> pd.Series:
    """Whether the row's name can be the bearer's: one of the two says none, or they share a token."""
    said = met[met["name"] != ""]
    has_name = said["component"].isin(tokens["component"])
    asked = name_tokens(said["name"]) if len(said) else said["name"]
    pairs = pd.DataFrame({"place": asked.index, "token": asked.to_numpy()}).merge(
        said[["component"]], left_on="place", right_index=True
    )
    shares = pairs.merge(tokens, on=["component", "token"])["place"]
    agrees = pd.Series(True, index=met.index)
    agrees.loc[said.index] = ~has_name | said.index.isin(shares)
    return agrees


def _own_persons(rows: pd.DataFrame) -> pd.Series:
    """row → number of a person known by weak keys alone: of those who share the first, one for each name.

    Rows without a name belong to the name landed first.
    """
    first = rows.sort_values(["row", "key"], kind="stable").drop_duplicates("row")
    names = first[first["name"] != ""].sort_values(["key", "landed_on", "name"], kind="stable")
    eldest = names.drop_duplicates("key").set_index("key")["name"]
    meant = first["name"].where(first["name"] != "", first["key"].map(eldest).fillna(""))
    number = first.assign(meant=meant).groupby(["key", "meant"], sort=True).ngroup()
    return pd.Series(number.to_numpy(), index=first["row"].to_numpy(), dtype="int64")


def _lead_back_own_ids(frame: pd.DataFrame, hashes: pd.Series, component: pd.Series) -> pd.Series:
    """Rows whose only key is a lead id that we gave ourselves (the CRM sends it back) go to that lead's person.

    Any key of a person may have named the lead once; before ids were keyed, its plain hash did.
    """
    counts = frame.groupby("row")["key"].transform("size")
    own = frame[(frame["key_kind"] == "lead_id") & (counts == 1)]
    if own.empty:
        return component
    keys = frame.assign(component=frame["row"].map(component)).drop_duplicates(["key", "component"])
    keys = keys[~keys["key"].duplicated(keep=False)]
    plain = (keys["key_kind"] + ":" + keys["key_value"]).map(_plain_hash)
    names = pd.concat([keys["key"].map(hashes), plain]).str[:_ID_CHARACTERS]
    lead_ids = dict(zip("L" + names, pd.concat([keys["component"]] * 2), strict=True))
    target = own["key_value"].str.replace("^.*:", "", regex=True).map(lead_ids)
    found = own.assign(target=target).dropna(subset=["target"])
    component = component.copy()
    component.loc[found["row"]] = found["target"].astype("int64").to_numpy()
    return component


def _plain_hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _names(frame: pd.DataFrame, strong: pd.Series, component: pd.Series, secret: bytes) -> pd.Series:
    """row → person id, after the strong key landed first (the weak one where there is none).

    Of several people known by one weak key the eldest bears its name, the others that of the key and their own.
    """
    keys = frame.assign(component=frame["row"].map(component))
    keys["is_weak"] = ~frame["key"].map(strong).astype(bool)
    keys["kind_rank"] = keys["key_kind"].map({kind: rank for rank, kind in enumerate(KIND_ORDER)})
    order = ["component", "is_weak", "landed_on", "kind_rank", "key_value", "name"]
    first = keys.sort_values(order, kind="stable").drop_duplicates("component")
    first = first.sort_values(["key", "landed_on", "name", "component"], kind="stable")
    text = first["key_kind"] + ":" + first["key_value"]
    text = text.where(~first["key"].duplicated(), text + "|" + first["name"])
    ids = text.map(lambda text: "P" + _hashed(secret, text)[:_ID_CHARACTERS])
    return component.map(pd.Series(ids.to_numpy(), index=first["component"].to_numpy()))


def _tables(frame: pd.DataFrame, person: pd.Series, strong: pd.Series, hashes: pd.Series) -> Persons:
    rows = frame.drop_duplicates("row").sort_values("row")
    keys = frame.assign(person_id=frame["row"].map(person), is_strong=frame["key"].map(strong))
    keys["key_hash"] = frame["key"].map(hashes)
    keys = keys.groupby(["key_kind", "key_value", "person_id"], as_index=False).agg(
        key_hash=("key_hash", "first"), is_strong=("is_strong", "first"), first_landed_on=("landed_on", "min")
    )
    texts = {name: pa.array(keys[name], pa.string()) for name in ("key_kind", "key_value", "key_hash", "person_id")}
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
                **texts,
                "is_strong": pa.array(keys["is_strong"], pa.bool_()),
                "first_landed_on": pa.array(keys["first_landed_on"], pa.int32()).cast(pa.date32()),
            }
        ),
    )
