"""Sharing the amount of a deal among the touches before it: journeys, weights, credits; and the path models."""
