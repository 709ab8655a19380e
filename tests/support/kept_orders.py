"""The strategies that do everything with orders, with the pair of methods by which a snapshot keeps them."""

from support.every_order import EveryOrder
from support.random_orders import Everything


class KeptEverything(Everything):
    """`Everything`, whose dice and orders go with a snapshot."""

    def save_state(self, ctx) -> object:
        """Keep what was sent and where the dice are."""
        return [self.sent, self.chance.getstate()]

    def load_state(self, ctx, state) -> None:
        """Go on with both."""
        self.on_start(ctx)
        self.sent, (version, numbers, gauss) = state
        self.chance.setstate((version, tuple(numbers), gauss))


class KeptEveryOrder(EveryOrder):
    """`EveryOrder`, whose place in its list goes with a snapshot."""

    def save_state(self, ctx) -> object:
        """Keep every plain value that it has; the list itself is made anew."""
        return {name: value for name, value in vars(self).items() if name != "to_do"}

    def load_state(self, ctx, state) -> None:
        """Go on at that place."""
        self.on_start(ctx)
        vars(self).update(state)
