"""Orders, positions and limits, event by event, against models that are too plain to be wrong."""
