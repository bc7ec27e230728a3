"""Persons from their keys and their accounts: the step, two files from outside, what people decided, the review."""
