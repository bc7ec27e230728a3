"""Directory rows into accounts: which rows are one company, and which company belongs to which."""
