"""Writes a world down: the inbox as people have it, and the truth beside it."""

from pathlib import Path

import numpy as np
import pandas as pd

from .common import WorldSize
from .contact_files import write_contacts
from .crm_files import (
    owner_of,
    write_account_lists,
    write_campaigns,
    write_consents,
    write_deals,
    write_feedback,
    write_money,
    write_owners,
    write_people_list,
    write_splits,
)
from .lists import write_lists
from .people import primary_email
from .shelf import Shelf
from .touch_files import write_touches
from .truth import write_truth
from .world import World, make_world


def write_world(out: Path, size: WorldSize, seed: int) -> None:
    """Write `out`/inbox and `out`/truth; the same bytes for the same size and seed."""
    world, shelf = make_world(size, seed), Shelf(out)
    deal_entities = np.unique(world.business.deals["entity"])
    known = np.unique(world.people["entity"].clip(lower=0))
    account_ids = write_lists(shelf, size, seed, world.companies, {"deals": deal_entities, "people": known})
    contact_ids = write_contacts(shelf, size, seed, world.companies, world.people, _first_contacts(seed, world))
    touch_ids = write_touches(shelf, size, seed, world.people, world.touches, world.campaigns)
    ids = {
        "account": account_ids,
        "contact": contact_ids,
        "owner": owner_of(world.companies, world.business.deals["entity"].to_numpy()),
        "owner_of": owner_of(world.companies, np.arange(len(world.companies))),
    }
    write_campaigns(shelf, world.campaigns, world.costs, world.fx_rates)
    write_deals(shelf, seed, world.business, world.companies, world.people, ids)
    write_splits(shelf, world.business, world.companies, ids["owner"])
    write_money(shelf, world.business)
    write_owners(shelf)
    write_feedback(shelf, size, seed, world.leads, world.people, ids)
    consents = write_consents(shelf, size, seed, world.people, world.touches)
    account_lists = write_account_lists(shelf, seed, world.companies, np.union1d(deal_entities, known))
    write_people_list(shelf, world.people, world.leads)
    write_truth(out, world, shelf, {"touch": touch_ids, **ids}, {"consents": consents, "account_lists": account_lists})


def _first_contacts(seed: int, world: World) -> dict[str, pd.Series]:
    """Per source, person → second of the first contact: through forms, webinars, cards at fairs, mail, and sales.

    Of those who came through none, nearly all stand in the mail tool's list (with an address) or gave a card.
    """
    touches, people = world.touches, world.people

    def first(rows: pd.DataFrame, share: float) -> pd.Series:
        times = rows.drop_duplicates("person").set_index("person")["second"]
        return times[_some(times.index.to_numpy(), seed, share)]

    came = {
        "forms": first(touches[touches["tool"] == "forms"], 1.0),
        "webinar": first(touches[(touches["tool"] == "webinar") & (touches["type"] == "registration")], 0.9),
        "cards": first(touches[touches["tool"] == "event"], 0.7),
        "subscribers": first(touches[touches["tool"] == "edm"], 0.4),
        "crm": first(touches[touches["person"].isin(world.business.contacts["person"])], 0.95),
    }
    known = np.concatenate([times.index for times in came.values()])
    is_touched = people["person"].isin(touches["person"]).to_numpy()
    rest = people[
        ~people["person"].isin(known) & (~is_touched | _some(people["person"].to_numpy(), seed, 0.9))
    ].set_index("person")
    has_email = primary_email(rest).notna()
    came["subscribers"] = pd.concat([came["subscribers"], rest["since"][has_email]])
    came["cards"] = pd.concat([came["cards"], rest["since"][~has_email]])
    return came


def _some(persons: np.ndarray, seed: int, share: float) -> np.ndarray:
    """Which of the people belong to a share of them: always the same ones."""
    return (persons * 7919 + seed) % 100 < share * 100
