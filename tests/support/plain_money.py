"""Money rules in plain exact arithmetic: what the engine must book, computed slowly and from the start."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

ATTO = 10**18
DAY_NS = 86_400 * 10**9


def rounded(value: Fraction) -> int:
    """Round to a whole number, half away from zero."""
    sign = -1 if value < 0 else 1
    whole, rest = divmod(abs(value.numerator), value.denominator)
    return sign * (whole + (2 * rest >= value.denominator))


def atto(value: str) -> int:
    """Read decimal text as atto units."""
    with localcontext() as context:
        context.prec = 60
        return int((Decimal(value) * ATTO).quantize(Decimal(1), ROUND_HALF_UP))


class PlainFees:
    """Fee tiers as a list of all fills, summed anew for each."""

    def __init__(self, fees) -> None:
        self.fees = fees
        self.by_day = defaultdict(int)
        self.rates = fees

    def fee(self, now_ns: int, notional_atto: int, *, is_maker: bool, is_same_event: bool) -> int:
        """Return the fee of a fill and count it; the fills of one event pay the rates of the first."""
        today = now_ns // DAY_NS
        if not is_same_event:
            self.rates = self._rates_at(today)
        bps = Fraction(self.rates.maker_bps if is_maker else self.rates.taker_bps)
        self.by_day[today] += notional_atto
        return rounded(notional_atto * bps / 10_000)

    def _rates_at(self, today: int):
        first = today - 29 if self.fees.window == "30d" else min(self.by_day, default=today)
        volume = sum(sum_ for day, sum_ in self.by_day.items() if first <= day <= today)
        reached = [tier for tier in self.fees.tiers if volume >= atto(tier.volume_min)]
        return reached[-1] if reached else self.fees


class PlainAccount:
    """Positions and money from fills, fundings and interest, in fractions; one price per instrument.

    `units` is the value in atto units of one tick times one lot, `borrow_ppm` the yearly interest on shorts.
    """

    def __init__(self, cash_atto: int, units: list[int], borrow_ppm: list[int]) -> None:
        self.cash = cash_atto
        self.units = units
        self.borrow_ppm = borrow_ppm
        self.marks: dict[int, int] = {}
        self.marked: set[int] = set()
        self.positions = defaultdict(int)
        self.lot_ns = defaultdict(int)
        self.now_ns = 0
        self.flows: list[tuple[int, str, int, int, int]] = []

    def advance(self, now_ns: int) -> None:
        """Let time pass: shorts add up, and are charged for at the last midnight that came."""
        midnight_ns = now_ns // DAY_NS * DAY_NS
        if midnight_ns > self.now_ns:
            self._hold(midnight_ns)
            self.charge(midnight_ns)
        self._hold(now_ns)

    def charge(self, time_ns: int) -> None:
        """Charge the interest that has added up."""
        for strategy, instrument in sorted(self.lot_ns):
            lot_ns = self.lot_ns.pop((strategy, instrument))
            value = self.marks.get(instrument, 0) * self.units[instrument] * lot_ns
            rate = Fraction(self.borrow_ppm[instrument], 10**6 * 365 * DAY_NS)
            self._flow(time_ns, "borrow", strategy, instrument, -rounded(value * rate))

    def learn(self, instrument: int, price_ticks: int, *, is_mark: bool) -> None:
        """Note a price; once there was a mark price, nothing else counts."""
        if is_mark:
            self.marked.add(instrument)
        if is_mark or instrument not in self.marked:
            self.marks[instrument] = price_ticks

    def fund(self, now_ns: int, instrument: int, rate_ppb: int, mark_ticks: int) -> None:
        """Settle a funding."""
        price = mark_ticks or self.marks.get(instrument)
        if price is None:
            return
        for (strategy, of), lots in sorted(self.positions.items()):
            if of == instrument:
                paid = rounded(Fraction(lots * price * self.units[instrument] * rate_ppb, 10**9))
                self._flow(now_ns, "funding", strategy, instrument, -paid)

    def fill(self, strategy: int, instrument: int, signed_lots: int, price_ticks: int, fee: int) -> None:
        """Book a fill."""
        self.positions[strategy, instrument] += signed_lots
        self.cash -= signed_lots * price_ticks * self.units[instrument] + fee

    def equity(self) -> int:
        """Return what the account is worth."""
        held = (
            lots * self.marks.get(instrument, 0) * self.units[instrument]
            for (_, instrument), lots in self.positions.items()
        )
        return self.cash + sum(held)

    def _hold(self, now_ns: int) -> None:
        for (strategy, instrument), lots in self.positions.items():
            if lots < 0 and self.borrow_ppm[instrument]:
                self.lot_ns[strategy, instrument] += -lots * (now_ns - self.now_ns)
        self.now_ns = now_ns

    def _flow(self, time_ns: int, kind: str, strategy: int, instrument: int, amount: int) -> None:
        if amount:
            self.cash += amount
            self.flows.append((time_ns, kind, strategy, instrument, amount))


class PlainMargin:
    """Brackets as a venue publishes them: (largest notional or None, rate in ppm, largest leverage)."""

    def __init__(self, leverage: str, tiers: list[tuple[int | None, int, int]], fee_bps: str) -> None:
        self.leverage = Fraction(leverage)
        self.tiers = tiers
        self.fee_bps = Fraction(fee_bps)

    def maintenance(self, notional: int) -> int:
        """Sum the rate of each bracket over the part of the notional that lies in it."""
        due, start = Fraction(0), 0
        for cap, ppm, _ in self.tiers:
            end = notional if cap is None else min(notional, cap)
            due += Fraction(max(end - start, 0) * ppm, 10**6)
            start = end
        return rounded(due)

    def initial(self, notional: int) -> int:
        """Return notional over the lower leverage."""
        largest = next(tier[2] for tier in self.tiers if tier[0] is None or notional <= tier[0])
        return rounded(Fraction(notional) / min(self.leverage, largest))

    def fee(self, notional: int) -> int:
        """Return what a liquidation costs."""
        return rounded(notional * self.fee_bps / 10_000)
