"""Room `strategy`; see ARCHITECTURE.md."""
