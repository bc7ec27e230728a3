"""Contacts' companies matched to accounts: exact keys, rare grams, features, rules; pure functions over columns."""

from scoring.match.tables import Matches, match_tables

__all__ = ["Matches", "match_tables"]
