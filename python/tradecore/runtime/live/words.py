"""What the engine is told of a venue outside: each becomes one event of its journal."""

import msgspec

from tradecore.domain import EventBatch

# So many of one venue make one group of the journal at most: what a group is made of is in memory at once.
WORDS_MAX = 500
# What stands for a reason that the engine does not know.
PLAIN_REASONS = {
    "rejected": "unsupported",
    "canceled": "requested",
    "cancel_rejected": "unsupported",
    "replace_rejected": "unsupported",
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says about an order; fields as of `EventBatch.venue_report`."""

    instrument: int
    order_id: int
    report: str
    venue_time_ns: int | None = None
    venue_order_id: str | None = None
    trade_id: str | None = None
    filled_lots: int | None = None
    price_ticks: int | None = None
    lots: int = 0
    liquidity: str = "taker"
    fee_atto: int = 0
    reason: str = ""
    fee_currency: int | None = None
    revision: int = 0

    def add_to(self, batch: EventBatch, time_ns: int) -> None:
        """Add it to a batch."""
        batch.venue_report(
            time_ns,
            self.instrument,
            self.order_id,
            self.report,
            venue_time_ns=self.venue_time_ns,
            venue_order_id=self.venue_order_id,
            trade_id=self.trade_id,
            filled_lots=self.filled_lots,
            price_ticks=self.price_ticks,
            lots=self.lots,
            liquidity=self.liquidity,
            fee_atto=self.fee_atto,
            reason=self.reason,
            fee_currency=self.fee_currency,
            revision=self.revision,
        )


class OutcomeLost(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody knows what became of a request about an order."""

    instrument: int
    order_id: int

    def add_to(self, batch: EventBatch, time_ns: int) -> None:
        """Add it to a batch."""
        batch.outcome_lost(time_ns, self.instrument, self.order_id)


class Reconciling(msgspec.Struct, frozen=True):
    """The books and the venue of an instrument are compared from here on."""

    instrument: int = 0

    def add_to(self, batch: EventBatch, time_ns: int) -> None:
        """Add it to a batch."""
        batch.agreement(time_ns, self.instrument, False)


class Reconciled(msgspec.Struct, frozen=True):
    """The books and the venue of an instrument agree."""

    instrument: int = 0

    def add_to(self, batch: EventBatch, time_ns: int) -> None:
        """Add it to a batch."""
        batch.agreement(time_ns, self.instrument, True)


class Adopt(msgspec.Struct, frozen=True, kw_only=True):
    """An order or a position that others made belongs to a strategy from here on.

    Attributes
    ----------
    instrument, strategy : int
        Of what, and whose it is.
    side : str
        `buy` or `sell`.
    lots : int
        The whole size of an order, or what came of a position.
    venue_time_ns : int
        When the venue said so.
    adopted : str
        `order` or `position`.
    price_ticks : int or None
        Price of an order that states one, or by which a position counts.
    fee_atto : int
        What a position's trade cost.
    fee_currency : int or None
        Number of the currency of the fee; `None` for that of the settlement.
    venue_order_id, client_order_id : str or None
        How the venue, and whoever made it, call the order.
    """

    instrument: int
    strategy: int
    side: str
    lots: int
    venue_time_ns: int
    adopted: str
    price_ticks: int | None = None
    fee_atto: int = 0
    fee_currency: int | None = None
    venue_order_id: str | None = None
    client_order_id: str | None = None

    def add_to(self, batch: EventBatch, time_ns: int) -> None:
        """Add it to a batch."""
        batch.adopted(time_ns, self.instrument, self)


Word = Told | OutcomeLost | Reconciling | Reconciled | Adopt
