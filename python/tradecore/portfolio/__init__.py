"""Room `portfolio`; see ARCHITECTURE.md."""
