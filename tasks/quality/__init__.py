"""Quality as a contract: snapshots against the ones before, holds that a person settles, quarantine that heals."""
