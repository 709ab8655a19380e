"""Room `runtime`; see ARCHITECTURE.md."""
