"""Room `backtest`; see ARCHITECTURE.md."""
