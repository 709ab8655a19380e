"""How often an account at a venue was taken over: a part of the names of its orders."""

import msgspec


class Epoch(msgspec.Struct, frozen=True, array_like=True):
    """An epoch of an account, and the number of the first order that is named by it.

    Attributes
    ----------
    number : int
        The epoch: higher than all before it.
    first_order : int
        Orders with this number and later ones have it in their names, up to the next epoch.
    """

    number: int
    first_order: int
