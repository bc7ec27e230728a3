"""What runs, in order: the loop and its steps dressed as Prefect flows."""
