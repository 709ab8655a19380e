"""How the line to a venue stands, and what its start found."""

import msgspec

from tradecore.domain.venue_findings import OrderSeen
from tradecore.runtime.live.balances import BalanceDifference
from tradecore.runtime.live.client_ids import is_ours
from tradecore.runtime.live.drop_copy_line import DropCopyStatus
from tradecore.runtime.live.order_table import OrderTable
from tradecore.runtime.live.reconciliation import Difference
from tradecore.runtime.live.start_report import StartFacts


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the line to a venue stands.

    Attributes
    ----------
    is_connected : bool
        Whether the stream of reports stands.
    step : str
        How far books and venue are compared; `doubted` where they agree and the drop copy does not.
    balances : tuple of BalanceDifference
        Balances that differ, of an account that owns what it buys.
    differences : tuple of Difference
        What does not agree.
    trouble : str
        What keeps the comparison from an end; empty where nothing does.
    declined : str
        What the venue said when it declined a request last, and of which order; empty before the first.
    declined_ns : int
        When that was, UTC nanoseconds; 0 before the first.
    open_orders, unknown, foreign_orders, letters : int
        Orders that are open there, those in doubt, those of others, and messages that were not understood.
    revisions : int
        How often a trade of the account was booked anew since the journal began: it was busted or corrected.
    drop_copy : DropCopyStatus or None
        How the second reader stands; `None` where there is none.
    dead_man : str
        How the venue's dead man's timer stands, in words; empty where there is none.
    epoch : int
        By which epoch the account is traded: how often it was taken over, or begun anew.
    """

    is_connected: bool
    step: str
    differences: tuple[Difference, ...]
    balances: tuple[BalanceDifference, ...] = ()
    trouble: str
    declined: str
    open_orders: int
    unknown: int
    foreign_orders: int
    letters: int
    revisions: int = 0
    declined_ns: int = 0
    drop_copy: DropCopyStatus | None = None
    dead_man: str = ""
    epoch: int = 0


class FoundAtStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a start found; fields as of `StartReport`."""

    facts: StartFacts
    foreign_orders: tuple[str, ...]
    left_orders: tuple[str, ...]
    foreign_fills: int
    letters: tuple[str, ...]

    @classmethod
    def of(cls, facts: StartFacts, table: OrderTable) -> "FoundAtStart":
        """Return what the journal says, and what else is open and was not understood by now."""
        seen = [(is_ours(each.client_order_id), order_words(each)) for each in table.foreign.values()]
        return cls(
            facts=facts,
            foreign_orders=tuple(words for is_left, words in seen if not is_left),
            left_orders=tuple(words for is_left, words in seen if is_left),
            foreign_fills=table.foreign_fills,
            letters=tuple(f"{each.why}: {each.text}" for each in table.letters),
        )


def order_words(seen: OrderSeen) -> str:
    """Return an order of others in words, in the venue's own lots."""
    name = f"{seen.venue_order_id} ({seen.client_order_id or 'without a name'})"
    return f"order {name}, {seen.side} {seen.open_lots} lots of {seen.symbol},"
