"""What the CRM tells: its changes as files that land, its deletions, its merges."""
