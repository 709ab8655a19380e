"""What a journal says its accounts have of each currency, worked out of its records alone."""

from decimal import Context, Decimal, localcontext

from tradecore.domain import record_bodies as bodies
from tradecore.domain.spec import EngineSpec
from tradecore.domain.units import Units, exact_money

_ATTO_DECIMALS = 18
# Money has at most 39 digits; a price times a size has those of both.
_DIGITS = 100


class JournalMoney:
    """Adds up the balances of an account that owns what it buys; positions in anything else are left out.

    Parameters
    ----------
    spec : EngineSpec
        What the account begins with, unless the journal begins with something else.
    units : Units
        What numbers mean.

    Attributes
    ----------
    balances : dict
        Exact amounts by the engine's name of the balance.
    """

    def __init__(self, spec: EngineSpec, units: Units) -> None:
        self._units = units
        self.balances = dict.fromkeys(units.currencies, Decimal(0))
        own = spec.account.currency
        cash = [(spec.account.cash, own), *((each.cash, each.currency or own) for each in spec.accounts)]
        for part, (amounts, currency) in zip(units.parts, cash, strict=True):
            given = amounts if isinstance(amounts, dict) else {currency: amounts}
            self.balances |= {part.balances[name]: Decimal(amount) for name, amount in given.items()}

    @property
    def atto(self) -> dict[str, int]:
        """The balances in atto units (1e-18)."""
        with localcontext(Context(prec=_DIGITS)):
            return {name: int(amount.scaleb(_ATTO_DECIMALS)) for name, amount in self.balances.items()}

    def told(self, body: bodies.Account) -> None:
        """Take in what the account was told of itself."""
        if body.account == "conversion":
            self._converted(body)
            return
        if body.account != "opening":
            self._add(body.currency or "", exact_money(body.amount or 0))
            return
        self.balances = dict.fromkeys(self._units.currencies, Decimal(0))
        for name, atto in (body.cash or {}).items():
            self._add(name, exact_money(atto))
        for lot in body.lots or ():
            number = lot["instrument"]
            if self._units.is_spot(number):
                self._add(self._base(number), self._units.quantity(number, lot["lots"]))

    def _converted(self, body: bodies.Account) -> None:
        into = body.into or ""
        self._add(body.currency or "", -exact_money(body.amount or 0))
        self._add(into, exact_money(body.received or 0))
        self._add(body.fee_currency or into, -exact_money(body.fee or 0))

    def filled(self, instrument: int, sign: int, fill: bodies.Report) -> None:
        """Take in a fill of a side: 1 buys, -1 sells."""
        units, fee = self._units, exact_money(fill.fee or 0)
        settlement = self._settlement(instrument)
        paid_in = settlement if fill.fee_currency is None else units.named_currency(fill.fee_currency)
        self._add(paid_in, -fee)
        if not units.is_spot(instrument):
            return
        size = sign * units.quantity(instrument, fill.lots or 0)
        with localcontext(Context(prec=_DIGITS)):
            value = units.price(instrument, fill.price_ticks or 0) * size * units.multiplier(instrument)
            self._add(self._base(instrument), size * units.multiplier(instrument))
            self._add(settlement, -value)

    def flowed(self, flow: bodies.CashFlow) -> None:
        """Take in money that came or went for a position, without a fill."""
        self._add(self._settlement(flow.instrument), exact_money(flow.amount))

    def _settlement(self, instrument: int) -> str:
        """Return the balance that an instrument is settled in."""
        return self._units.balance(instrument, self._units.settlement(instrument))

    def _base(self, instrument: int) -> str:
        """Return the balance that a purchase adds to."""
        return self._units.balance(instrument, self._units.base(instrument))

    def _add(self, currency: str, amount: Decimal) -> None:
        with localcontext(Context(prec=_DIGITS)):
            self.balances[currency] = self.balances.get(currency, Decimal(0)) + amount
