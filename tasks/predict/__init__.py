"""The predictive score: on any table, and in the workspace on its own history."""
