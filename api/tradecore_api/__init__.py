"""The driving side of tradecore: configuration, wiring, daemon, control socket and command line."""
