"""A seeded generator of a believable business world: companies, people, campaigns, touches, deals, and the truth."""

from .common import AS_OF, DEMO, SMALL, WorldSize
from .world import World, make_world
from .writing import write_world

__all__ = ["AS_OF", "DEMO", "SMALL", "World", "WorldSize", "make_world", "write_world"]
