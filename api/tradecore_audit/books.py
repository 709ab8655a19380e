"""Positions and money, worked out from fills and flows alone, in whole numbers.

A position is kept as open lots, so that what was realised is known by the method of the account. Beside
that it is a plain sum of fills, and the two must be equal.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

from tradecore_audit.records import CashChange, Conversion, Opening, Traded
from tradecore_audit.settings import Instrument, Settings, rounded


class Purse:
    """The money of one balance, in atto units. `brought` is what the owner brought."""

    __slots__ = ("brought", "cash", "fees", "flows", "inventory", "is_exact", "realised")

    def __init__(self, cash: int = 0) -> None:
        self.cash = cash
        self.brought = cash
        self.fees = 0
        self.flows = 0
        self.realised = 0
        self.inventory = 0
        # Realised profit and cost, each by itself; their difference is exact whatever happens.
        self.is_exact = True

    @property
    def drift(self) -> int:
        """What does not add up: cash, cost and fees less what was brought, realised and flowed in."""
        return self.cash + self.inventory + self.fees - self.brought - self.realised - self.flows


class Lot:
    """A part of a position: the order that opened it, its price, signed lots and what they cost."""

    __slots__ = ("entry", "lots", "ticks", "value")

    def __init__(self, entry: int, ticks: int, lots: int, value: int) -> None:
        self.entry = entry
        self.ticks = ticks
        self.lots = lots
        self.value = value


class Books:
    """What every strategy holds, and the money of the account.

    Attributes
    ----------
    positions : dict
        Signed lots by strategy and instrument, the sum of fills.
    totals : dict
        Signed lots by instrument.
    lots : dict
        Open lots by strategy and instrument, the oldest first.
    purses : list of Purse
        Money by the number of a balance.
    fills : int
        Trades that are booked.
    """

    def __init__(self, settings: Settings) -> None:
        self._instruments = settings.instruments
        self._is_lifo = settings.lot_method == "lifo"
        self._is_average = settings.lot_method == "average"
        self.positions: dict[tuple[int, int], int] = {}
        self.totals: dict[int, int] = {}
        self.lots: dict[tuple[int, int], deque[Lot]] = {}
        self.purses = [Purse() for _ in settings.currencies]
        for account in settings.accounts:
            for number, amount in account.cash.items():
                self.purses[number] = Purse(amount)
        self.fills = 0

    def fill(
        self, place: tuple[int, int], sign: int, traded: Traded, *, order_id: int, closes: int | None
    ) -> None:
        """Book a fill of a strategy in an instrument."""
        instrument = self._instruments[place[1]]
        purse = self.purses[instrument.settlement]
        self._pay_fee(purse, traded)
        rest = traded.lots
        held = self.lots.setdefault(place, deque())
        cost = sum(lot.value for lot in held) if self._is_average and held else 0
        size = abs(self.positions.get(place, 0))
        told_lots = told = 0
        for lot in list(self._closed_by(held, sign, instrument, order_id=order_id, closes=closes)):
            lots = min(abs(lot.lots), rest)
            signed = -sign * lots
            if self._is_average:
                told_lots += lots
                until = rounded(Fraction(cost * told_lots, size))
                entry_value, told = until - told, until
            else:
                entry_value = lot.value if lots == abs(lot.lots) else instrument.value(lot.ticks, signed)
            exit_value = instrument.value(traded.price_ticks, signed)
            purse.cash += exit_value
            purse.inventory -= entry_value
            purse.realised += exit_value - entry_value
            lot.lots -= signed
            lot.value -= entry_value
            rest -= lots
            if not rest:
                break
        if told_lots:
            self._spread(held, cost - told)
        if any(not lot.lots for lot in held):
            self.lots[place] = deque(lot for lot in held if lot.lots)
        if rest:
            value = instrument.value(traded.price_ticks, sign * rest)
            purse.cash -= value
            purse.inventory += value
            self.lots[place].append(Lot(order_id, traded.price_ticks, sign * rest, value))
        self._move(place, sign * traded.lots)
        self.fills += 1

    def revise(
        self,
        place: tuple[int, int],
        sign: int,
        was: Traded | None,
        now: Traded | None,
        *,
        order_id: int,
        closes: int | None,
    ) -> None:
        """Take back what a trade was, and book what it is."""
        if was is not None:
            back = Traded(
                price_ticks=was.price_ticks,
                lots=was.lots,
                is_maker=was.is_maker,
                fee=-was.fee,
                fee_currency=was.fee_currency,
            )
            self.fill(place, -sign, back, order_id=order_id, closes=order_id)
            self.fills -= 2
        if now is not None:
            self.fill(place, sign, now, order_id=order_id, closes=closes)
        # What was closed since then stays closed for its engine: its profit and cost are split another way.
        self.purses[self._instruments[place[1]].settlement].is_exact = False

    def flow(self, instrument: int, amount: int) -> None:
        """Book money that came for a position."""
        purse = self.purses[self._instruments[instrument].settlement]
        purse.cash += amount
        purse.flows += amount

    def change(self, number: int, told: CashChange) -> None:
        """Book money of no position."""
        purse = self.purses[number]
        purse.cash += told.amount
        if told.change == "transfer":
            purse.brought += told.amount
        else:
            purse.flows += told.amount

    def convert(self, given: int, received: int, fee: int, told: Conversion) -> None:
        """Book cash that was changed."""
        for number, amount in ((given, -told.amount), (received, told.received)):
            self.purses[number].cash += amount
            self.purses[number].flows += amount
        self.purses[fee].cash -= told.fee
        self.purses[fee].fees += told.fee

    def open(self, opening: Opening, numbers: dict[str, int]) -> None:
        """Begin with an account that is carried over."""
        self.purses = [Purse() for _ in self.purses]
        for name, amount in opening.cash:
            self.purses[numbers[name]].cash = amount
        for lot in opening.lots:
            instrument = self._instruments[lot.instrument]
            value = instrument.value(lot.entry_ticks, lot.lots) if lot.cost is None else lot.cost
            place = (lot.strategy, lot.instrument)
            held = self.lots.setdefault(place, deque())
            held.append(Lot(lot.entry_order, lot.entry_ticks, lot.lots, value))
            self.purses[instrument.settlement].inventory += value
            self._move(place, lot.lots)
        for purse in self.purses:
            held_in_all = purse.cash + purse.inventory
            # With several currencies it is in none of them, and profit of each counts from now.
            is_told = len(self.purses) == 1 and opening.brought is not None
            purse.brought = (opening.brought or 0) if is_told else held_in_all
            purse.flows = held_in_all - purse.brought

    def lots_of(self, place: tuple[int, int]) -> int:
        """Return the position that the open lots come to."""
        return sum(lot.lots for lot in self.lots.get(place, ()))

    def of_entry(self, place: tuple[int, int], entry: int) -> int:
        """Return the signed lots that an order opened and nobody has closed."""
        return sum(lot.lots for lot in self.lots.get(place, ()) if lot.entry == entry)

    def sides(self, places: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """Return what is held long and short in some places, where tickets stand beside each other."""
        lots = [lot.lots for place in places for lot in self.lots.get(place, ())]
        return sum(each for each in lots if each > 0), -sum(each for each in lots if each < 0)

    def places(self, instrument: int) -> list[tuple[int, int]]:
        """Return the places of an instrument."""
        return [place for place in self.lots if place[1] == instrument]

    def _closed_by(
        self, held: deque[Lot], sign: int, instrument: Instrument, *, order_id: int, closes: int | None
    ) -> Iterator[Lot]:
        """Return the lots that a fill closes, in their order."""
        opposite = [lot for lot in held if lot.lots * sign < 0]
        if instrument.is_hedged:
            tickets = dict.fromkeys([ticket for ticket in (closes, order_id) if ticket is not None])
            return (lot for ticket in tickets for lot in opposite if lot.entry == ticket)
        if self._is_lifo:
            opposite.reverse()
        named = [lot for lot in opposite if lot.entry == closes]
        return (lot for part in (named, [lot for lot in opposite if lot.entry != closes]) for lot in part)

    def _spread(self, held: deque[Lot], left: int) -> None:
        """Let the first lot stand for what all of an average position cost."""
        for lot in held:
            lot.value = 0
        open_lots = [lot for lot in held if lot.lots]
        if open_lots:
            open_lots[0].value = left

    def _pay_fee(self, purse: Purse, traded: Traded) -> None:
        paid = purse if traded.fee_currency is None else self.purses[traded.fee_currency]
        paid.cash -= traded.fee
        paid.fees += traded.fee

    def _move(self, place: tuple[int, int], lots: int) -> None:
        self.positions[place] = self.positions.get(place, 0) + lots
        self.totals[place[1]] = self.totals.get(place[1], 0) + lots
