"""What numbers in rows mean: names, prices and sizes as decimals, money as decimals."""

from functools import lru_cache

import msgspec

from tradecore.domain.errors import TradecoreError
from tradecore.domain.spec import EngineSpec
from tradecore.domain.units import Units, exact_money
from tradecore.domain.unreadable import UNREADABLE


class Settings(msgspec.Struct):
    """What of a session's settings says what numbers mean."""

    engine: EngineSpec
    strategies: tuple[dict[str, object], ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the strategies, by their numbers."""
        return [str(known.get("name", f"strategy {index}")) for index, known in enumerate(self.strategies)]


class Readable:
    """Turns numbers of one session's records into text; into `None` where nobody knows what they mean.

    Parameters
    ----------
    units : Units or None
        Instruments and strategies of the session; `None` where its settings cannot be read.
    """

    def __init__(self, units: Units | None) -> None:
        self._units = units

    @property
    def currency(self) -> str:
        """Currency of the account; empty where nobody knows it."""
        return "" if self._units is None else self._units.currency

    def names(self, strategy: int | None, instrument: int | None) -> tuple[str | None, str | None]:
        """Return the name of a strategy and the symbol of an instrument."""
        if self._units is None or strategy is None or instrument is None:
            return None, None
        return self._units.strategy(strategy), self._units.symbol(instrument)

    def account(self, instrument: int | None) -> str | None:
        """Return the name of the venue account that trades an instrument."""
        units = self._units_for(instrument)
        return None if units is None else units.account(instrument or 0)

    def account_with(self, balance: str | None) -> str | None:
        """Return the name of the venue account that has a balance."""
        parts = () if self._units is None else self._units.parts
        return next((part.name for part in parts if balance in part.balances.values()), None)

    def fee_currency(self, instrument: int | None, number: int | None) -> str | None:
        """Return the currency of a fee by its number; without one that of the instrument's settlement."""
        if self._units is None or (instrument is None and number is None):
            return None
        return (
            self._units.settlement(instrument or 0) if number is None else self._units.named_currency(number)
        )

    def price(self, instrument: int | None, ticks: int | None) -> str | None:
        """Return ticks as a price, with the decimals of the tick size."""
        units = self._units_for(instrument)
        return None if units is None or ticks is None else f"{units.price(instrument or 0, ticks):f}"

    def quantity(self, instrument: int | None, lots: int | None) -> str | None:
        """Return lots as a size, without zeros at its end."""
        units = self._units_for(instrument)
        return None if units is None or lots is None else f"{units.quantity(instrument or 0, lots):f}"

    def _units_for(self, instrument: int | None) -> Units | None:
        if self._units is None or instrument is None:
            return None
        return self._units if 0 <= instrument < len(self._units.symbols) else None


def money(atto: int | None) -> str | None:
    """Return atto units of money as an exact decimal."""
    return None if atto is None else f"{exact_money(atto):f}"


def settings_of(config: str) -> Settings | None:
    """Return the settings of a session; `None` where they cannot be read."""
    try:
        return msgspec.json.decode(config, type=Settings)
    except (*UNREADABLE, TradecoreError):
        return None


@lru_cache(maxsize=4)
def readable_of(config: str) -> Readable:
    """Return what makes the records of a session with these settings readable."""
    settings = settings_of(config)
    return Readable(None if settings is None else Units(settings.engine, settings.names))
