"""Why: each value, score, stage, owner, match and credit with what it came from, as facts and in words."""
