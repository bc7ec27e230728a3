"""Storage: the ledger, the warehouse, the SQL models and the checks at the doors. No business words in its Python."""
