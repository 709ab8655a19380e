"""What the engine needs from the world: one Protocol a file, whose docstrings are its contracts."""
