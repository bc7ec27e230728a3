"""The only way out: one gate, one planner, one outbox, and the connectors behind them."""
