"""Limits that an approved order must have kept, worked out from the books of the audit.

What only closes passes every limit; the engine marks an order that passes for that alone as reduce-only. So
every order that is not marked has to keep them all. Losses, sums over instruments and the age of prices
need every price of the market and are not worked out here.
"""

from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from tradecore_audit.books import Books
from tradecore_audit.orders import AuditedOrder, Orders
from tradecore_audit.records import Command, Order, Scope
from tradecore_audit.settings import ATTO, Instrument, Settings

_DAY_NS = 86_400_000_000_000
_PPM = 1_000_000
CHECKED = frozenset(
    {"quantity_max", "notional_max", "position_max", "open_orders_max", "order_rate_max", "price_collar_bps"}
)
NOT_CHECKED = frozenset(
    {
        "price_drift_bps", "reference_age_max_ns", "gross_max", "net_max", "message_rate_max",
        "daily_loss_max", "drawdown_max", "executions_max", "identical_window_ns",
    }
)  # fmt: skip


class Breach(NamedTuple):
    """A limit that was passed: whose it is, its name, its bound and the value; all in its own unit."""

    scope: str
    limit: str
    bound: int
    value: int

    @property
    def words(self) -> str:
        """Return it in words."""
        return f"{self.limit} of the {self.scope} is {self.bound}, and this comes to {self.value}"


class Limits:
    """Holds orders against the limits of the configuration and of later commands."""

    def __init__(self, settings: Settings, books: Books, orders: Orders) -> None:
        self._settings = settings
        self._books = books
        self._orders = orders
        self._of: dict[tuple[str, int], dict[str, Any]] = {}
        self._allowed: dict[int, set[int] | None] = {}
        self._rates: dict[int, deque[int]] = {}
        self._days: Counter[tuple[int, int]] = Counter()

    def of(self, kind: str, number: int) -> dict[str, Any]:
        """Return the limits of a scope now."""
        found = self._of.get((kind, number))
        if found is None:
            found = self._of[kind, number] = self._settings.scope_limits(kind, number)
        return found

    def configured(self) -> set[str]:
        """Return the names of all limits that are on."""
        settings = self._settings
        places = [("instrument", each) for each in range(len(settings.instruments))]
        places += [("strategy", each) for each in range(len(settings.strategies))]
        places += [("account", each) for each in range(len(settings.accounts))] + [("portfolio", 0)]
        return {name for place in places for name, value in self.of(*place).items() if value is not None} & (
            CHECKED | NOT_CHECKED
        )

    def take(self, command: Command) -> None:
        """Take in a limit that was changed, or an instrument that a strategy may trade or may not."""
        scope = command.scope
        if scope is None:
            return
        if command.name == "set_limit" and command.limit is not None:
            value = None
            if command.value is not None:
                mantissa, decimals = command.value
                value = Fraction(mantissa, 10**decimals)
            self.of(scope.kind, scope.number)[command.limit] = value
        elif command.name == "permit" and command.instrument is not None:
            allowed = self._allowed_to(scope.number)
            if allowed is None:
                allowed = self._allowed[scope.number] = set(range(len(self._settings.instruments)))
            (allowed.add if command.is_allowed else allowed.discard)(command.instrument)

    def note(self, order: Order) -> None:
        """Count an approved order that is not marked as closing."""
        rates = self._rates.setdefault(order.instrument, deque(maxlen=1 << 16))
        rates.append(order.decided_ns)
        instrument = self._settings.instruments[order.instrument]
        self._days[instrument.account, self._day(order)] += 1

    def breaches(self, order: Order, lots: int, *, replaced: AuditedOrder | None = None) -> Iterator[Breach]:
        """Yield every limit that an order of so many lots passes; `replaced` is the one that it amends."""
        instrument = self._settings.instruments[order.instrument]
        yield from self._instrument_breaches(order, lots, instrument, replaced)
        for name, scope in self._scopes(order, instrument):
            yield from self._scope_breaches(order, lots, instrument, replaced, name, scope)
        allowed = self._allowed_to(order.strategy)
        if allowed is not None and order.instrument not in allowed:
            yield Breach("strategy", f"permission for {instrument.symbol}", 1, 0)
        yield from self._canary_breaches(order, lots, instrument, replaced)

    def _scopes(self, order: Order, instrument: Instrument) -> Iterator[tuple[str, Scope]]:
        strategy = self._settings.strategies[order.strategy]
        yield f"strategy {strategy}", Scope("strategy", order.strategy)
        account = self._settings.accounts[instrument.account].name
        yield f"account {account}", Scope("account", instrument.account)
        if self._settings.has_accounts:
            yield "portfolio", Scope("portfolio", 0)

    def _instrument_breaches(
        self, order: Order, lots: int, instrument: Instrument, replaced: AuditedOrder | None
    ) -> Iterator[Breach]:
        limits = self.of("instrument", order.instrument)
        who = f"instrument {instrument.symbol}"
        yield from self._size_breaches(limits, who, order, lots, instrument, order.price_value)
        yield from self._position_breach(limits, who, order, lots, instrument, replaced, is_own=False)
        yield from self._count_breach(limits, who, ("instrument", order.instrument), replaced)
        rate = limits.get("order_rate_max")
        if rate is not None and replaced is None:
            window_ns = int(limits.get("order_rate_window_ns") or 1_000_000_000)
            known = self._rates.get(order.instrument, ())
            count = sum(1 for at in reversed(known) if at > order.decided_ns - window_ns) + 1
            if count > int(rate):
                yield Breach(who, "order_rate_max", int(rate), count)
        collar = limits.get("price_collar_bps")
        if collar is not None and order.price_ticks is not None and order.reference_ticks:
            ppm = Fraction(collar) * 100
            distance = Fraction(abs(order.price_ticks - order.reference_ticks) * _PPM, order.reference_ticks)
            if distance > ppm:
                yield Breach(who, "price_collar_bps (in ppm)", int(ppm), -int(-distance // 1))

    def _scope_breaches(
        self,
        order: Order,
        lots: int,
        instrument: Instrument,
        replaced: AuditedOrder | None,
        who: str,
        scope: Scope,
    ) -> Iterator[Breach]:
        limits = self.of(scope.kind, scope.number)
        if not limits:
            return
        yield from self._size_breaches(limits, who, order, lots, instrument, order.price_value)
        is_own = scope.kind == "strategy"
        yield from self._position_breach(limits, who, order, lots, instrument, replaced, is_own=is_own)
        yield from self._count_breach(limits, who, (scope.kind, scope.number), replaced)

    def _size_breaches(
        self,
        limits: dict[str, Any],
        who: str,
        order: Order,
        lots: int,
        instrument: Instrument,
        price_ticks: int,
    ) -> Iterator[Breach]:
        quantity = limits.get("quantity_max")
        if quantity is not None and lots > instrument.lots_of(Fraction(quantity)):
            yield Breach(who, "quantity_max (in lots)", instrument.lots_of(Fraction(quantity)), lots)
        notional = limits.get("notional_max")
        # What another currency is worth depends on prices that are not followed here.
        if notional is not None and instrument.settlement == 0 and price_ticks > 0:
            bound, value = int(Fraction(notional) * ATTO), abs(instrument.value(price_ticks, lots))
            if value > bound:
                yield Breach(who, "notional_max (in atto units)", bound, value)

    def _position_breach(
        self,
        limits: dict[str, Any],
        who: str,
        order: Order,
        lots: int,
        instrument: Instrument,
        replaced: AuditedOrder | None,
        *,
        is_own: bool,
    ) -> Iterator[Breach]:
        most = limits.get("position_max")
        if most is None:
            return
        bound = instrument.lots_of(Fraction(most))
        worst = self.worst(order, lots, instrument, replaced, is_own=is_own)
        if worst > bound:
            yield Breach(who, "position_max (in lots)", bound, worst)

    def worst(
        self, order: Order, lots: int, instrument: Instrument, replaced: AuditedOrder | None, *, is_own: bool
    ) -> int:
        """Return the largest position, on its side, that an order could lead to if all that works fills."""
        place = (order.strategy, order.instrument)
        if instrument.is_hedged:
            places = [place] if is_own else self._books.places(order.instrument)
            held = self._books.sides(places)[0 if order.is_buy else 1]
        else:
            known = (
                self._books.positions.get(place, 0) if is_own else self._books.totals.get(order.instrument, 0)
            )
            held = known * order.sign
        orders = self._orders
        working = (
            orders.working[*place, order.sign] if is_own else orders.working_in[order.instrument, order.sign]
        )
        return held + working - (replaced.counted if replaced is not None else 0) + lots

    def _count_breach(
        self, limits: dict[str, Any], who: str, scope: tuple[str, int], replaced: AuditedOrder | None
    ) -> Iterator[Breach]:
        most = limits.get("open_orders_max")
        if most is not None and replaced is None and self._orders.counts[scope] >= int(most):
            yield Breach(who, "open_orders_max", int(most), self._orders.counts[scope] + 1)

    def _canary_breaches(
        self, order: Order, lots: int, instrument: Instrument, replaced: AuditedOrder | None
    ) -> Iterator[Breach]:
        canary = next((each for each in self._settings.canaries if each.account == instrument.account), None)
        if canary is None:
            return
        if order.instrument not in canary.instruments:
            yield Breach("canary", f"permission for {instrument.symbol}", 1, 0)
        if instrument.settlement == 0 and order.price_value > 0:
            filled = replaced.filled if replaced is not None else 0
            value = abs(instrument.value(order.price_value, lots + filled))
            if value > canary.order_value_max:
                yield Breach("canary", "order_value_max (in atto units)", canary.order_value_max, value)
        if instrument.settlement == 0 and order.reference_ticks > 0:
            worst = max(self.worst(order, lots, instrument, replaced, is_own=False), 0)
            value = abs(instrument.value(order.reference_ticks, worst))
            if value > canary.position_value_max:
                yield Breach("canary", "position_value_max (in atto units)", canary.position_value_max, value)
        count = self._days[instrument.account, self._day(order)] + 1
        if replaced is None and count > canary.orders_a_day_max:
            yield Breach("canary", "orders_a_day_max", canary.orders_a_day_max, count)

    def _allowed_to(self, strategy: int) -> set[int] | None:
        if strategy not in self._allowed:
            named = self.of("strategy", strategy).get("instruments")
            symbols = [each.symbol for each in self._settings.instruments]
            self._allowed[strategy] = None if named is None else {symbols.index(each) for each in named}
        return self._allowed[strategy]

    def _day(self, order: Order) -> int:
        return (order.decided_ns - self._settings.day_start_ns) // _DAY_NS
