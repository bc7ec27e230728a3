"""Call lists, mail lists and audiences: through the gate, into a file, with each member on record."""
