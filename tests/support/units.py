"""What numbers mean in an account with one instrument."""

from tradecore.domain import AccountSpec, EngineSpec, InstrumentSpec
from tradecore.domain.units import Units


def units_in(currency: str, conversions: dict[str, str] | None = None) -> Units:
    """Return the units of an account in a currency, and in others that convert so."""
    gold = InstrumentSpec(symbol="GOLD", tick_size="1")
    account = AccountSpec(currency=currency, conversions=conversions or {})
    return Units(EngineSpec(instruments=(gold,), account=account), ())
