"""What the claims of the documentation are measured with: a seeded world and one script per claim."""
