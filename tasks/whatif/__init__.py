"""What if: the past replayed under other rules. Nothing is written, neither to the warehouse nor to the ledger."""
