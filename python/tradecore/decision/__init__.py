"""Room `decision`; see ARCHITECTURE.md."""
