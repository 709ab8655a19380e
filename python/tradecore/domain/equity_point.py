"""What an account is worth at a moment of its journal."""

import msgspec


class EquityPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account after one record of its journal, valued at the last prices; money in atto units (10^-18).

    There is one for each minute in which money or a position changed, one for each hour in which anything
    happened at all, and one where a session ends: it counts all of its span, and there are never more than
    that, however many market events there are. They follow from the records alone.

    Attributes
    ----------
    seq : int
        Number of the last record that counts.
    time_ns : int
        Time of the last thing that happened until then, UTC nanoseconds.
    currency : str
        Currency of the account.
    cash, equity : int
        Money at hand; what the account is worth.
    exposure : int
        What its positions are worth, long and short alike; strategies that share an instrument net.
    profit : int
        Equity less what the owner brought, so that a transfer is neither profit nor loss.
    accounts : dict
        What each venue account is worth, by its name; empty where there is one.
    """

    seq: int
    time_ns: int
    currency: str
    cash: int
    equity: int
    exposure: int
    profit: int
    accounts: dict[str, int] = {}
