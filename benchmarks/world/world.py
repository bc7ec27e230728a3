"""A world: everything that is true, the same for the same size and seed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .campaigns import make_campaigns, make_costs, make_fx_rates
from .common import WorldSize
from .companies import make_companies
from .deals import Business, make_business
from .leads import make_leads
from .people import make_people
from .touches import make_touches

STRANGERS_FIT = 0.1  # of people whose company is in no list


@dataclass(frozen=True)
class World:
    """Everything that is true, before anybody writes it down badly."""

    companies: pd.DataFrame
    people: pd.DataFrame
    campaigns: pd.DataFrame
    costs: pd.DataFrame
    fx_rates: pd.DataFrame
    touches: pd.DataFrame
    leads: pd.DataFrame
    business: Business


def make_world(size: WorldSize, seed: int) -> World:
    """A world in memory; the same for the same size and seed."""
    companies = make_companies(size, seed)
    people = make_people(size, seed, companies)
    campaigns, fx_rates = make_campaigns(size, seed), make_fx_rates(size, seed)
    entity = people["entity"].to_numpy()
    fit = np.where(entity >= 0, companies["fit"].to_numpy()[entity], STRANGERS_FIT)
    touches = make_touches(size, seed, people, campaigns, fit)
    leads = make_leads(size, seed, people, touches, fit)
    business = make_business(
        size, seed, companies, leads, touches, {"people": people, "campaigns": campaigns, "fx_rates": fx_rates}
    )
    return World(companies, people, campaigns, make_costs(size, seed, campaigns), fx_rates, touches, leads, business)
