"""Who gets a lead, by when it is acted on, and when it goes back."""

from scoring.routing.desk import ASSIGNMENTS, assign_owners, home_pool
from scoring.routing.timers import Timers, reclaim_at, timers

__all__ = ["ASSIGNMENTS", "Timers", "assign_owners", "home_pool", "reclaim_at", "timers"]
