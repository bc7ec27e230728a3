"""Scores, the log they are the sum of, and the stages of leads."""
