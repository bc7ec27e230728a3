"""What is true of the written world, as tables that tests join with what the product says. See docs/sample-world.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .campaigns import yuan_cents
from .deals import Business
from .shelf import Shelf
from .world import World


def write_truth(
    out: Path, world: World, shelf: Shelf, ids: dict[str, pd.Series], more: dict[str, pd.DataFrame]
) -> None:
    """All tables of `out`/truth. Numbers of companies (`entity`) and people (`person`) are the world's; -1 is none."""
    tables = {
        "companies": _companies(world, ids["account"]),
        "company_rows": _rows(shelf, "companies", ["_entity", "_variant"]),
        "people": world.people.drop(columns=["mail_name", "first_name", "last_name", "is_foreign"]),
        "contact_rows": _rows(shelf, "contacts", ["_contact_id", "_person", "_entity", "_variant"]),
        "touches": _touches(world, ids["touch"]),
        "leads": _leads(world, ids["touch"]),
        "deals": _deals(world),
        "deal_touches": _causes(world, ids["touch"]),
        "consents": _timed(more["consents"], {"second": "given_at"}),
        "account_lists": more["account_lists"],
        "dirty_rows": shelf.faults(),
    }
    target = out / "truth"
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(arrow, target / f"{name}.parquet", compression="zstd", compression_level=12)
    for name, table in {
        "files": _files(shelf),
        "dirt": _dirt(shelf),
        "totals": _totals(world),
        "campaigns": _campaigns(world),
    }.items():
        table.to_csv(target / f"{name}.csv", index=False, lineterminator="\n")


def _timed(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Epoch seconds as UTC times without an offset; 0 is null."""
    times = {
        new: pd.Series(pd.to_datetime(table[old].where(table[old] > 0), unit="s")).astype("datetime64[ms]")
        for old, new in columns.items()
    }
    return table.drop(columns=list(columns)).assign(**times)


def _companies(world: World, account_ids: pd.Series) -> pd.DataFrame:
    columns = [
        "entity",
        "kind",
        "name",
        "name_en",
        "uscc",
        "country",
        "province",
        "city",
        "industry",
        "section",
        "employees",
        "status",
        "domain",
        "former_name",
        "parent",
        "fit",
    ]
    return world.companies[columns].assign(crm_account_id=account_ids.to_numpy())


def _rows(shelf: Shelf, entity: str, columns: list[str]) -> pd.DataFrame:
    rows = pd.concat(shelf.rows[entity], ignore_index=True)[["file", "sheet", "line", *columns, "_kind"]]
    return rows.rename(columns={column: column.removeprefix("_") for column in [*columns, "_kind"]})


def _campaign_ids(world: World, campaign: pd.Series) -> pd.Series:
    names = world.campaigns["campaign_id"].take(campaign.clip(lower=0)).reset_index(drop=True)
    return names.where(campaign.reset_index(drop=True) >= 0)


def _touches(world: World, touch_ids: pd.Series) -> pd.DataFrame:
    touches = world.touches
    table = pd.DataFrame(
        {
            "touch_id": touch_ids,
            "person": touches["person"].astype("int32"),
            "entity": world.people["entity"].to_numpy()[touches["person"]].astype(np.int32),
            "campaign_id": _campaign_ids(world, touches["campaign"]),
            "channel": touches["channel"].astype("str"),
            "type": touches["type"],
            "second": touches["second"],
        }
    )
    return _timed(table, {"second": "occurred_at"})


def _leads(world: World, touch_ids: pd.Series) -> pd.DataFrame:
    leads = world.leads
    table = leads[["person", "entity", "is_rejected", "inquiry_at", "mql_at", "sal_at", "sql_at"]].assign(
        cause_touch_id=touch_ids.take(leads["cause_touch"]).to_numpy(),
        cause_campaign_id=_campaign_ids(world, leads["campaign"]),
    )
    return _timed(table, {name: name for name in ["inquiry_at", "mql_at", "sal_at", "sql_at"]})


def _deals(world: World) -> pd.DataFrame:
    deals = world.business.deals
    columns = [
        "deal_id",
        "entity",
        "person",
        "kind",
        "type",
        "status",
        "stage",
        "amount_cents",
        "currency",
        "amount_cny_cents",
        "lead_at",
        "created_at",
        "closed_at",
    ]
    return _timed(deals[columns], {name: name for name in ["lead_at", "created_at", "closed_at"]})


def _causes(world: World, touch_ids: pd.Series) -> pd.DataFrame:
    causes = world.business.causes
    return pd.DataFrame(
        {
            "deal_id": causes["deal_id"],
            "touch_id": touch_ids.take(causes["touch"]).to_numpy(),
            "campaign_id": _campaign_ids(world, causes["campaign"]),
            "cause": causes["cause"],
        }
    )


def _campaigns(world: World) -> pd.DataFrame:
    """What each campaign cost, and the won amount of the deals it helped, shared equally over a deal's causes."""
    business, campaigns = world.business, world.campaigns
    won = business.deals[business.deals["status"] == "won"]
    causes = business.causes.merge(won[["deal_id", "amount_cny_cents"]], on="deal_id")
    causes["share"] = causes["amount_cny_cents"] / causes.groupby("deal_id")["touch"].transform("size")
    earned = causes.groupby("campaign")["share"].sum().reindex(campaigns["campaign"]).fillna(0).round().astype("int64")
    cost = yuan_cents(
        world.fx_rates, campaigns["cost_cents"].to_numpy(), campaigns["currency"], campaigns["starts_at"].to_numpy()
    )
    source = np.where(
        campaigns["is_costed"], "costs", np.where(campaigns["channel"] == "referral", "campaign", "budget")
    )
    columns = ["campaign_id", "channel", "name", "cost_cents", "budget_cents", "currency", "is_cold", "pull"]
    return campaigns[columns].assign(
        cost_source=source, cost_cny_cents=cost, caused_cny_cents=earned.to_numpy(), pull=campaigns["pull"].round(3)
    )


def _totals(world: World) -> pd.DataFrame:
    """Sums per basis, status and currency of what should survive, and of what hangs on nothing (`suspense`)."""
    business: Business = world.business
    bases = {
        "pipeline": business.deals.assign(part=business.deals["status"]),
        "signed": business.orders.assign(part="all"),
    }
    bases |= {
        "invoiced": business.invoices.assign(part="all"),
        "cash": business.payments.assign(part=np.where(business.payments["amount_cents"] < 0, "refund", "payment")),
    }
    parts = [
        rows.groupby(["part", "currency"])["amount_cents"].agg(["size", "sum"]).reset_index().assign(basis=basis)
        for basis, rows in bases.items()
    ]
    suspense = pd.DataFrame(
        {
            "part": "suspense",
            "currency": "CNY",
            "size": [1, 2],
            "sum": [8_800_000, 1_500_000],
            "basis": ["signed", "cash"],
        }
    )
    table = pd.concat([*parts, suspense], ignore_index=True).rename(columns={"size": "rows", "sum": "amount_cents"})
    return table[["basis", "part", "currency", "rows", "amount_cents"]]


def _files(shelf: Shelf) -> pd.DataFrame:
    """One row per file: what it holds and how many of its rows should be refused, or fall together with another."""
    faults = shelf.faults()
    files = pd.DataFrame(shelf.files)
    for effect, column in [("reject_row", "rejected_rows"), ("collapse", "repeated_rows")]:
        files[column] = (
            files["file"].map(faults[faults["effect"] == effect].groupby("file").size()).fillna(0).astype(int)
        )
    return files


def _dirt(shelf: Shelf) -> pd.DataFrame:
    """One row per file, kind and column of dirt."""
    columns = ["file", "sheet", "entity", "column_name", "kind", "effect", "catalogue"]
    counted = shelf.faults().fillna({"column_name": ""}).groupby(columns, sort=True).size().reset_index(name="rows")
    return counted.sort_values(["file", "sheet", "kind", "column_name"]).reset_index(drop=True)
