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
