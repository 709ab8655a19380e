"""One deterministic engine from backtest to live."""
