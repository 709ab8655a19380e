"""A ticket: what one entry order has opened, where positions hedge."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradecore.domain.instrument import Instrument
from tradecore.domain.spec import InstrumentKind

_ATTO = 10**18


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry order has opened and nobody has closed; a value of the moment at which it was asked for.

    Attributes
    ----------
    number : int
        Number of the order that opened it: `ctx.close(ticket=number)` closes it.
    instrument_id : int
        What it holds.
    lots : int
        What is open of it, in whole lots; short is negative.
    quantity : float
        The same as a number.
    entry_price : float
        Average price of what is open; of an inverse contract the one at which it is worth what it cost.
    entry_time_ns : int
        When the oldest part of that filled, UTC nanoseconds of the venue.
    closed_quantity : float
        What of it is closed, above 0 on either side.
    realised_pnl : float
        Profit of what is closed, after the fees of entry and exit, in the settlement currency of the
        instrument. It counts from the start of the journal.
    fees : float
        Fees that were paid for the entry of what is open, in that currency.
    unrealised_pnl : float or None
        Profit of what is open at the last price, before fees; `None` before the first price.
    """

    number: int
    instrument_id: int
    lots: int
    quantity: float
    entry_price: float
    entry_time_ns: int
    closed_quantity: float
    realised_pnl: float
    fees: float
    unrealised_pnl: float | None

    @classmethod
    def of(cls, row: Mapping[str, Any], instrument: Instrument) -> "Ticket":
        """Read what the engine says of a ticket, in lots, ticks and atto units."""
        unrealised = row["unrealised"]
        return cls(
            number=row["ticket"],
            instrument_id=instrument.instrument_id,
            lots=row["lots"],
            quantity=instrument.quantity(row["lots"]),
            entry_price=_entry_price(row, instrument),
            entry_time_ns=row["entry_time_ns"],
            closed_quantity=instrument.quantity(row["closed_lots"]),
            realised_pnl=row["realised"] / _ATTO,
            fees=row["fees"] / _ATTO,
            unrealised_pnl=None if unrealised is None else unrealised / _ATTO,
        )


def _entry_price(row: Mapping[str, Any], instrument: Instrument) -> float:
    if instrument.kind is InstrumentKind.INVERSE:
        return float(instrument.tick_size * Decimal(row["at_a_tick"]) / Decimal(row["cost"]))
    return float(instrument.tick_size * row["tick_lots"] / abs(row["lots"]))
