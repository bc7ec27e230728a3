"""Predicting an outcome from what was known before it: guarded against leaks, split by time, calibrated, explained."""
