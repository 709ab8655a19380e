"""From the words of the wire to what the engine knows: numbers of instruments, ticks, lots."""

from collections.abc import Sequence
from decimal import Decimal
from sys import intern

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_findings import BalanceSeen, FillSeen, OrderSeen, PositionSeen, VenueOrderState
from tradecore_local import wire
from tradecore_local.steps import Steps


class Translation:
    """Translates by the instruments of the engine, and by the venue's own for those that it does not have.

    Parameters
    ----------
    instruments : sequence of InstrumentSpec
        Those of the engine, by their numbers.
    rules : wire.Rules
        The venue's.

    Raises
    ------
    InvalidValueError
        When an instrument of the engine is not at the venue, or has another tick, lot or multiplier there.
    """

    def __init__(self, instruments: Sequence[InstrumentSpec], rules: wire.Rules) -> None:
        self._numbers = {spec.symbol: number for number, spec in enumerate(instruments)}
        self.symbols = [spec.symbol for spec in instruments]
        there = {rule.symbol: rule for rule in rules.markets}
        # Instruments of which the venue keeps a position; of the others it has balances.
        self.with_positions = frozenset(
            number
            for number, spec in enumerate(instruments)
            if spec.symbol in there and there[spec.symbol].is_margin
        )
        for spec in instruments:
            rule = there.get(spec.symbol)
            if rule is None:
                known = ", ".join(sorted(there))
                raise InvalidValueError("symbol", spec.symbol, f"must be a market of the venue: {known}")
            for name in ("tick_size", "lot_size", "multiplier"):
                here, at_venue = getattr(spec, name), getattr(rule, name)
                if Decimal(here) != Decimal(at_venue):
                    rule_words = f"must be {at_venue} for {spec.symbol}, as at the venue"
                    raise InvalidValueError(name, here, rule_words)
        grids = {rule.symbol: (rule.tick_size, rule.lot_size) for rule in rules.markets}
        grids |= {spec.symbol: (spec.tick_size, spec.lot_size) for spec in instruments}
        self._worth = {
            spec.symbol: Decimal(spec.tick_size) * Decimal(spec.lot_size) * Decimal(spec.multiplier)
            for spec in instruments
        }
        self._prices = {symbol: Steps("price", tick) for symbol, (tick, _) in grids.items()}
        self._sizes = {symbol: Steps("quantity", lot) for symbol, (_, lot) in grids.items()}

    def price_text(self, instrument: int, ticks: int) -> str:
        """Return a price for the wire."""
        return self._prices[self.symbols[instrument]].text(ticks)

    def quantity_text(self, instrument: int, lots: int) -> str:
        """Return a size for the wire."""
        return self._sizes[self.symbols[instrument]].text(lots)

    def price(self, symbol: str, text: str) -> int:
        """Return a price in ticks.

        Raises
        ------
        InvalidValueError
            When it is off the grid of the instrument, or there is no such instrument; `quantity` too.
        """
        return self._of(self._prices, symbol).whole(text)

    def quantity(self, symbol: str, text: str) -> int:
        """Return a size in lots."""
        return self._of(self._sizes, symbol).whole(text)

    def order(self, said: wire.Order) -> OrderSeen:
        """Return an order."""
        try:
            state = VenueOrderState(said.state)
        except ValueError:
            raise InvalidValueError("state", said.state, "must be a state of an order") from None
        return OrderSeen(
            client_order_id=said.client_order_id,
            venue_order_id=said.venue_order_id,
            instrument=self._numbers.get(said.symbol),
            symbol=intern(said.symbol),
            side=intern(_side(said.side)),
            state=state,
            price_ticks=self.price(said.symbol, said.price) if said.price is not None else None,
            open_lots=self.quantity(said.symbol, said.open),
            filled_lots=self.quantity(said.symbol, said.filled),
            time_ns=said.time_ns,
            reason=intern(said.reason),
        )

    def fill(self, said: wire.Fill) -> FillSeen:
        """Return a trade. A list has thousands: what many of them say is one text for all."""
        return FillSeen(
            client_order_id=said.client_order_id,
            venue_order_id=said.venue_order_id,
            instrument=self._numbers.get(said.symbol),
            symbol=intern(said.symbol),
            side=intern(_side(said.side)),
            trade_id=said.trade_id,
            price_ticks=self.price(said.symbol, said.price),
            lots=self.quantity(said.symbol, said.quantity),
            filled_lots=self.quantity(said.symbol, said.filled),
            liquidity=intern(said.liquidity),
            fee=_decimal("fee", said.fee),
            fee_currency=intern(said.fee_currency),
            time_ns=said.time_ns,
            cursor=said.cursor,
            revision=said.revision,
        )

    def balance(self, said: wire.Balance) -> BalanceSeen:
        """Return a balance."""
        total, free = _decimal("total", said.total), _decimal("free", said.free)
        return BalanceSeen(currency=said.currency, total=total, free=free)

    def position(self, said: wire.Position) -> PositionSeen:
        """Return a position."""
        lots = self.quantity(said.symbol, said.quantity)
        return PositionSeen(
            instrument=self._numbers.get(said.symbol),
            symbol=said.symbol,
            lots=lots,
            entry_ticks=self._entry_ticks(said, lots),
            ticket=said.ticket,
            client_order_id=said.client_order_id,
        )

    def _entry_ticks(self, said: wire.Position, lots: int) -> int | None:
        """Return the mean price at which a ticket was opened, in ticks; of a position nothing is said."""
        worth = self._worth.get(said.symbol)
        if said.ticket is None or not lots or worth is None:
            return None
        return round(_decimal("cost", said.cost) / (lots * worth))

    def _of(self, steps: dict[str, Steps], symbol: str) -> Steps:
        found = steps.get(symbol)
        if found is None:
            raise InvalidValueError("symbol", symbol, "must be a market that the venue stated at the start")
        return found


def _side(text: str) -> str:
    if text not in {"buy", "sell"}:
        raise InvalidValueError("side", text, "must be buy or sell")
    return text


def _decimal(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise InvalidValueError(name, text, "must be a decimal number") from None
    if not value.is_finite():
        raise InvalidValueError(name, text, "must be a finite number")
    return value
