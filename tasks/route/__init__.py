"""Who has which lead: given out, claimed, given back, told; the log of it, and what the CRM reports of it."""
