"""Models that ship, as text, each with its card."""
