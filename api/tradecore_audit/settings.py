"""What a session's configuration says: instruments, currencies, fees and limits, as exact numbers."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from tradecore_audit.errors import DamagedError

ATTO = 10**18
_PPB = 10**9
# Limits that orders are held against: counts and times, and exact numbers.
_WHOLE = frozenset({"open_orders_max", "order_rate_max", "order_rate_window_ns"})
_EXACT = frozenset({"quantity_max", "notional_max", "position_max", "price_collar_bps"})
# A power of ten that no amount or size has, and that would take minutes to write out.
_HUGE = re.compile(r"[-+.\d]+[eE][-+]?0*[1-9]\d{3,}")


def rounded(value: Fraction) -> int:
    """Round half away from zero to a whole number."""
    size = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return -size if value < 0 else size


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What numbers of an instrument mean.

    `unit` is what a lot is worth in atto units at a price of one tick (an inverse contract: at a price of one
    unit). `settlement` and `base` are numbers of balances.
    """

    symbol: str
    lot_size: Fraction
    tick_size: Fraction
    unit: Fraction
    is_inverse: bool
    account: int
    settlement: int
    base: int | None
    is_hedged: bool

    def value(self, price_ticks: int, lots: int) -> int:
        """Return what signed lots are worth at a price, in atto units; a long gains when it rises."""
        if not self.is_inverse:
            return rounded(self.unit * price_ticks * lots)
        if price_ticks <= 0:
            return 0
        return -rounded(self.unit * lots / (price_ticks * self.tick_size))

    def base_amount(self, lots: int) -> int:
        """Return how much of its base currency signed lots are, in atto units."""
        return rounded(self.unit / self.tick_size * lots)

    def lots_of(self, quantity: Fraction) -> int:
        """Return how many whole lots a quantity is, rounded down."""
        return int(quantity / self.lot_size)


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """What a fill costs at the simulated venue of an account; `None` where that cannot be worked out here."""

    maker_ppb: Fraction
    taker_ppb: Fraction
    is_plain: bool

    def fee(self, notional: int, *, is_maker: bool) -> int:
        """Return the fee of a fill of a value, in atto units."""
        return rounded((self.maker_ppb if is_maker else self.taker_ppb) * notional / _PPB)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A venue account: its name, its fees, and what it opens with by the number of a balance."""

    name: str
    fees: Fees
    cash: dict[int, int]
    renews_amended: bool


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do at most, whatever its limits are."""

    account: int
    instruments: frozenset[int]
    order_value_max: int
    orders_a_day_max: int
    position_value_max: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that the auditor takes from a configuration."""

    behaviour: int
    mode: str
    instruments: tuple[Instrument, ...]
    strategies: tuple[str, ...]
    currencies: tuple[str, ...]
    accounts: tuple[Account, ...]
    lot_method: str
    canaries: tuple[Canary, ...]
    day_start_ns: int
    has_accounts: bool
    risk: dict[str, Any]
    epoch: int

    @classmethod
    def read(cls, config: bytes) -> "Settings":
        """Read the configuration of a session record.

        Raises
        ------
        DamagedError
            When it is none.
        """
        try:
            said = msgspec.json.decode(config)
            _check_size(said["engine"])
            settings = _read(said)
            settings.check_limits()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _unreadable(error) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise _unreadable(error) from error
        return settings

    def check_limits(self) -> None:
        """Read every limit once, so that none fails as an order is held against it.

        Raises `LookupError`, `TypeError`, `ValueError`, `AttributeError` or `ArithmeticError` for others.
        """
        scopes = [("instrument", number) for number in range(len(self.instruments))]
        scopes += [("strategy", number) for number in range(len(self.strategies))]
        scopes += [("account", number) for number in range(len(self.accounts))] + [("portfolio", 0)]
        symbols = {each.symbol for each in self.instruments}
        for scope in scopes:
            limits = self.scope_limits(*scope)
            for name, value in limits.items():
                if value is not None and name in _WHOLE:
                    int(value)
                elif value is not None and name in _EXACT:
                    Fraction(value)
            if unknown := set(limits.get("instruments") or ()) - symbols:
                raise KeyError(*unknown)

    def scope_limits(self, kind: str, number: int) -> dict[str, Any]:
        """Return the limits that the configuration gives a scope."""
        match kind:
            case "instrument":
                own = self.risk.get("instrument", {}).get(self.instruments[number].symbol, {})
                shared = {name: value for name, value in self.risk.items() if not isinstance(value, dict)}
                return shared | {name: value for name, value in own.items() if value is not None}
            case "strategy":
                return dict(self.risk.get("strategy", {}).get(self.strategies[number], {}))
            case "portfolio":
                return dict(self.risk.get("portfolio") or {})
            case _:
                return dict(self.risk.get("accounts", [{}])[number])


def _unreadable(error: Exception) -> DamagedError:
    what = f"the configuration of a session cannot be read: {type(error).__name__}: {error}"
    return DamagedError("journal", what)


def atto(text: str) -> int:
    """Read an amount of money."""
    return int(Fraction(Decimal(text)) * ATTO)


def _check_size(value: object) -> None:
    """Raise `ValueError` for a number, anywhere in it, that is too large to work with."""
    if isinstance(value, str) and _HUGE.fullmatch(value):
        raise ValueError(f"{value[:80]} is no amount")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _check_size(part)


def _read(said: dict[str, Any]) -> Settings:
    engine = said["engine"]
    first = engine.get("account", {})
    others = engine.get("accounts") or []
    parts = [first, *others]
    names = [first.get("name", "paper"), *(each["name"] for each in others)]
    own = first.get("currency", "USD")
    owns = [own, *(each.get("currency") or own for each in others)]
    fees = engine.get("fees", {})
    listed = engine["instruments"]
    account_of = [names.index(each["account"]) if each.get("account") else 0 for each in listed]
    balances = _balances(engine, parts, owns, account_of)
    places = {balance: number for number, balance in enumerate(balances)}
    hedges = [part.get("positions", "netting") == "hedging" for part in parts]
    instruments = []
    for each, account in zip(listed, account_of, strict=True):
        tick, lot = Fraction(each["tick_size"]), Fraction(each.get("lot_size", "1"))
        size = lot * Fraction(each.get("multiplier", "1")) * ATTO
        is_inverse = each.get("kind", "linear") == "inverse"
        instruments.append(
            Instrument(
                symbol=each["symbol"],
                lot_size=lot,
                tick_size=tick,
                unit=size if is_inverse else size * tick,
                is_inverse=is_inverse,
                account=account,
                settlement=places[account, each.get("settlement") or owns[account]],
                base=places[account, each["base"]] if each.get("base") else None,
                is_hedged=hedges[account],
            )
        )
    risk = dict(engine.get("risk", {}))
    risk["accounts"] = [risk.get("account") or {}, *((each.get("risk") or {}) for each in others)]
    symbols = [each.symbol for each in instruments]
    canaries = tuple(
        Canary(
            account=names.index(each["account"]),
            instruments=frozenset(symbols.index(symbol) for symbol in each["instruments"]),
            order_value_max=atto(each["order_value_max"]),
            orders_a_day_max=each["orders_a_day_max"],
            position_value_max=atto(each["position_value_max"]),
        )
        for each in engine.get("canaries") or ()
    )
    renews = set(engine.get("renews_amended") or ())
    accounts = tuple(
        Account(
            name=name,
            fees=_fees(part.get("fees") or fees),
            cash=_cash(part.get("cash", "10000"), number, owns[number], places),
            renews_amended=name in renews,
        )
        for number, (name, part) in enumerate(zip(names, parts, strict=True))
    )
    return Settings(
        behaviour=said.get("behaviour", 1),
        mode=engine.get("mode", "paper"),
        instruments=tuple(instruments),
        strategies=tuple(
            str(each.get("name", f"strategy {number}"))
            for number, each in enumerate(said.get("strategies", ()))
        ),
        currencies=tuple(
            currency if account == 0 else f"{names[account]}:{currency}" for account, currency in balances
        ),
        accounts=accounts,
        lot_method=first.get("lots", "fifo"),
        canaries=canaries,
        day_start_ns=risk.get("day_start_ns", 0),
        has_accounts=bool(others),
        risk=risk,
        epoch=0,
    )


def _balances(
    engine: dict[str, Any], parts: list[dict[str, Any]], owns: list[str], account_of: list[int]
) -> list[tuple[int, str]]:
    """Return all balances by number: of each account its own currency first, then by the alphabet."""
    found = []
    fees = engine.get("fees", {})
    for number, part in enumerate(parts):
        named = set(part["cash"]) if isinstance(part.get("cash"), dict) else set()
        if number == 0 and len(parts) == 1:
            named |= set(part.get("conversions") or ())
        named.add((part.get("fees") or fees).get("currency") if number else fees.get("currency"))
        for each, account in zip(engine["instruments"], account_of, strict=True):
            if account == number:
                named |= {each.get("settlement"), each.get("base")}
        named -= {None, owns[number]}
        found += [(number, name) for name in (owns[number], *sorted(named))]
    return found


def _fees(said: dict[str, Any]) -> Fees:
    return Fees(
        maker_ppb=Fraction(said.get("maker_bps", "0")) * 100_000,
        taker_ppb=Fraction(said.get("taker_bps", "0")) * 100_000,
        is_plain=not said.get("tiers") and said.get("currency") is None,
    )


def _cash(said: object, account: int, own: str, places: dict[tuple[int, str], int]) -> dict[int, int]:
    amounts = said if isinstance(said, dict) else {own: str(said)}
    return {places[account, name]: atto(amount) for name, amount in amounts.items()}
