"""Judgement: pure functions over columns. No clock, no database, no network."""
