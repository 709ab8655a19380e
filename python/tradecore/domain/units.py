"""Ticks, lots and atto units as the exact decimals that people and programs read."""

from collections.abc import Sequence
from decimal import Decimal

from tradecore._core import currency_names
from tradecore.domain.account_part import parts_of
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
        self.spec = spec
        self.currencies = tuple(currency_names(spec))
        self.currency = self.currencies[0]
        self._settlements = tuple(spec.settlement_of(each) for each in spec.instruments)
        self._accounts = tuple(spec.account_of(each) for each in spec.instruments)
        self._account_names = spec.account_names
        self._bases = tuple(each.base for each in spec.instruments)
        self.symbols = tuple(instrument.symbol for instrument in spec.instruments)
        self.parts = parts_of(spec)
        self.strategies = tuple(strategies)
        self._ticks = tuple(Decimal(instrument.tick_size) for instrument in spec.instruments)
        self._lots = tuple(Decimal(instrument.lot_size) for instrument in spec.instruments)
        self._multipliers = tuple(Decimal(instrument.multiplier) for instrument in spec.instruments)
        self._is_inverse = tuple(i.kind is InstrumentKind.INVERSE for i in spec.instruments)

    def symbol(self, instrument: int) -> str:
        """Return the symbol of an instrument; its number where there is none."""
        known = 0 <= instrument < len(self.symbols)
        return self.symbols[instrument] if known else f"instrument {instrument}"

    def settlement(self, instrument: int) -> str:
        """Return the currency that an instrument is settled in; that of the account where there is none."""
        known = 0 <= instrument < len(self._settlements)
        return self._settlements[instrument] if known else self.currency

    def balance(self, instrument: int, currency: str) -> str:
        """Return the name of the balance that the account of an instrument has in a currency of its venue."""
        account = self.account(instrument)
        return currency if account == self._account_names[0] else f"{account}:{currency}"

    @property
    def has_accounts(self) -> bool:
        """Whether the engine trades at several venue accounts."""
        return len(self._account_names) > 1

    def account(self, instrument: int) -> str:
        """Return the name of the venue account that trades an instrument; the first where there is none."""
        known = 0 <= instrument < len(self._accounts)
        return self._accounts[instrument] if known else self._account_names[0]

    def scope(self, what: str, number: int) -> str:
        """Return the scope of a kind and number: `account`, `portfolio`, `strategy:NAME`, `account:NAME`."""
        match what:
            case "strategy":
                return f"{what}:{self.strategy(number)}"
            case "instrument":
                return f"{what}:{self.symbol(number)}"
            case "account" if self.has_accounts:
                known = 0 <= number < len(self._account_names)
                return f"{what}:{self._account_names[number] if known else number}"
            case _:
                return what

    def base(self, instrument: int) -> str:
        """Return the currency that a purchase adds to; the symbol of what is no spot."""
        known = 0 <= instrument < len(self._bases)
        return (self._bases[instrument] if known else None) or self.symbol(instrument)

    def is_spot(self, instrument: int) -> bool:
        """Tell whether a purchase of an instrument adds to a balance: it is owned."""
        return 0 <= instrument < len(self._bases) and self._bases[instrument] is not None

    def multiplier(self, instrument: int) -> Decimal:
        """Return what one unit of size is worth at a price of one."""
        return self._multipliers[instrument]

    def named_currency(self, number: int) -> str:
        """Return the name of a currency by its number."""
        known = 0 <= number < len(self.currencies)
        return self.currencies[number] if known else f"currency {number}"

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

    def money(self, atto: int, currency: str = "") -> str:
        """Return atto units of money as text with the currency, the account's own where none is given.

        It is rounded for reading.
        """
        return f"{money_text(atto)} {currency or self.currency}"


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
