"""Directory rows into accounts, and accounts into segments."""

from tasks.resolve.accounts import resolve
from tasks.resolve.segments import segment

__all__ = ["resolve", "segment"]
