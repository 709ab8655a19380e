"""The strategy that holds what others made at a live account."""

# Its name in configurations, limits, status and tables.
EXTERNAL = "external"


class External:
    """Does nothing: orders and positions that others made are counted under its name."""

    def on_stop(self, ctx: object) -> None:
        """Leave all as it is."""

    def save_state(self, ctx: object) -> object:
        """Keep nothing: what it holds is in the books of the engine."""
        return None

    def load_state(self, ctx: object, state: object) -> None:
        """Go on with nothing."""
