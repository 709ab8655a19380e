"""Ticks, lots and atto units as the exact decimals that people and programs read."""

from collections.abc import Sequence
from decimal import Decimal

from tradecore.domain.spec import EngineSpec, InstrumentKind

# Money within these is worth counting; beyond them a value overflowed and stands for "too much".
_COUNTABLE = 2**126
# A sum of money is shown with at least so many decimals, and with at most so many.
_MONEY_DECIMALS = 2
_MONEY_DECIMALS_MAX = 8


class Units:
    """What the numbers in journals and engines mean: prices, sizes, money and names.

    Parameters
    ----------
    spec : EngineSpec
        Instruments and account.
    strategies : sequence of str
        Names of the strategies, by their numbers.
    """

    def __init__(self, spec: EngineSpec, strategies: Sequence[str]) -> None:
        self.currency = spec.account.currency
        self.symbols = tuple(instrument.symbol for instrument in spec.instruments)
        self.strategies = tuple(strategies)
        self._ticks = tuple(Decimal(instrument.tick_size) for instrument in spec.instruments)
        self._lots = tuple(Decimal(instrument.lot_size) for instrument in spec.instruments)
        self._multipliers = tuple(Decimal(instrument.multiplier) for instrument in spec.instruments)
        self._is_inverse = tuple(i.kind is InstrumentKind.INVERSE for i in spec.instruments)

    def symbol(self, instrument: int) -> str:
        """Return the symbol of an instrument; its number where there is none."""
        known = 0 <= instrument < len(self.symbols)
        return self.symbols[instrument] if known else f"instrument {instrument}"

    def strategy(self, strategy: int) -> str:
        """Return the name of a strategy; its number where there is none."""
        known = 0 <= strategy < len(self.strategies)
        return self.strategies[strategy] if known else f"strategy {strategy}"

    def price(self, instrument: int, ticks: int) -> Decimal:
        """Return ticks as a price, with the decimals of the tick size."""
        return ticks * self._ticks[instrument]

    def quantity(self, instrument: int, lots: int) -> Decimal:
        """Return lots as a size, without zeros at its end."""
        return trimmed(lots * self._lots[instrument])

    def entry_price(self, instrument: int, lots: int, cost: int) -> Decimal:
        """Return the mean entry price of a position of so many lots that cost so many atto units of money.

        It is rounded to two decimals more than the tick size has.
        """
        worth = abs(lots) * self._lots[instrument] * self._multipliers[instrument]
        paid = abs(exact_money(cost))
        mean = worth / paid if self._is_inverse[instrument] and paid else paid / worth
        step = self._ticks[instrument].as_tuple().exponent
        return trimmed(mean.quantize(Decimal(1).scaleb(int(step) - 2)), at_least=-int(step))

    def money(self, atto: int) -> str:
        """Return atto units of money as text with the currency, rounded for reading."""
        return f"{money_text(atto)} {self.currency}"


def exact_money(atto: int) -> Decimal:
    """Return atto units (1e-18) of money as an exact decimal, without zeros at its end."""
    # From text: arithmetic would round to the digits of the context.
    text = f"{abs(atto):019d}"
    fraction = text[-18:].rstrip("0")
    return Decimal(f"{'-' if atto < 0 else ''}{text[:-18]}{'.' if fraction else ''}{fraction}")


def money_text(atto: int) -> str:
    """Return atto units of money as text for people: 2 decimals, up to 8 where it is small or has them."""
    if abs(atto) >= _COUNTABLE:
        return "more than can be counted"
    return shown_money(exact_money(atto))


def shown_money(amount: Decimal) -> str:
    """Return a sum of money as text for people: 2 decimals, up to 8 where it has them."""
    text = f"{amount:.{_MONEY_DECIMALS_MAX}f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(_MONEY_DECIMALS, "0")
    is_zero = not amount or set(whole + fraction) <= {"-", "0"}
    return f"{whole.lstrip('-') if is_zero else whole}.{fraction}"


def trimmed(value: Decimal, at_least: int = 0) -> Decimal:
    """Return the same number without zeros at its end or an exponent; `at_least` so many decimals stay."""
    whole, _, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(at_least, "0") if len(fraction) >= at_least else fraction
    return Decimal(f"{whole}.{fraction}" if fraction else whole)
