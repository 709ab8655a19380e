"""What traded on Binance before a session began."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TypeVar

import aiohttp
import msgspec

from tradecore.domain import DataError, InstrumentSpec, InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, Past, PastBar, PastQuestion, PastTrade, TradesAfter
from tradecore.domain.times import iso_time
from tradecore.domain.unreadable import UNREADABLE
from tradecore.ports.clock import Clock
from tradecore_binance.market import ENDPOINTS, Market
from tradecore_binance.rest import NANOSECONDS_PER_SECOND, weighed

_AnswerT = TypeVar("_AnswerT")
_MS_NS = 1_000_000
_MINUTE_NS = 60 * NANOSECONDS_PER_SECOND
# Rows of a page at most, and pages of an answer at most.
_PAGE = 1_000
_PAGES_MAX = 2_000
_STEPS_MAX = 2**63 - 1
_DIGITS_MAX = 40
# Asked to slow down for longer than this, the session is told; else a page is asked for so often.
_WAIT_NS_MAX = 90 * NANOSECONDS_PER_SECOND
_PAGE_TRIES = 3
# How soon a bar is looked for again that should have closed by our clock and has not by that of the venue.
_CLOCK_WAIT_NS = NANOSECONDS_PER_SECOND

_SECONDS_OF = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
}


class _Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost in a market, what it allows in a minute, and what its data are.

    Source: Binance developer documentation, REST market data of spot and derivatives (2026).
    """

    trades_weight: int
    bars_weight: int
    weight_per_minute: int
    has_seconds: bool
    # Whether every trade of the book has the next number: trades beside the book have numbers, too.
    has_every_trade: bool


_RULES = {
    Market.SPOT: _Rules(
        trades_weight=4, bars_weight=2, weight_per_minute=6_000, has_seconds=True, has_every_trade=True
    ),
    Market.USDM: _Rules(
        trades_weight=20, bars_weight=5, weight_per_minute=2_400, has_seconds=False, has_every_trade=False
    ),
    Market.COINM: _Rules(
        trades_weight=20, bars_weight=5, weight_per_minute=2_400, has_seconds=False, has_every_trade=False
    ),
}


class _Aggregate(msgspec.Struct, frozen=True):
    """Trades of one price and side at one moment, as one; `f` and `l` number the first and the last."""

    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the venue's own name
    T: int
    m: bool


# Open time, open, high, low, close, volume, close time, and what nobody here reads.
_Row = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


class _ServerTime(msgspec.Struct, frozen=True):
    serverTime: int  # noqa: N815 - the venue's own name


class BinanceHistory:
    """The `History` of Binance's public REST interface; no key is needed.

    Trades of one price and side at one moment come as one trade, with the number of the last of them. So a
    bar that counts trades is not the same as from the live feed; every other bar is.

    It uses at most half of what the venue allows to one address in a minute, and waits for the next minute
    where that is used up: other programs may ask there, too.

    Parameters
    ----------
    instruments : sequence of InstrumentSpec
        In the order of the engine's table.
    clock : Clock
        Waits.
    market : Market
        Which market.
    rest_url : str or None
        Another host than the documented one, e.g. a local server.
    timeout_seconds : float
        How long an answer may take.
    """

    def __init__(
        self,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
        *,
        market: Market = Market.SPOT,
        rest_url: str | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        endpoints = ENDPOINTS[market]
        self._instruments = tuple(instruments)
        self._clock = clock
        self._rules = _RULES[market]
        self._url = f"{rest_url or endpoints.rest_url}{endpoints.rest_path}"
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False
        # Weight that is used in this minute: of our address as the venue says, and our own.
        self._used, self._own, self._minute = 0, 0, -1

    async def query(self, question: PastQuestion) -> Past:
        """Return trades or bars; see the port."""
        if not 0 <= question.instrument < len(self._instruments):
            raise InvalidValueError("instrument", question.instrument, "must be one of the engine's table")
        match question:
            case TradesAfter():
                return await self._trades(question)
            case BarsBetween():
                return await self._bars(question)

    async def aclose(self) -> None:
        """Close the sockets."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _trades(self, question: TradesAfter) -> Past:
        """Read page after page up to the newest trade; numbers that lack say that something is missing."""
        spec = self._instruments[question.instrument]
        newest = await self._page(spec)
        if not newest:
            return Past()
        after_id, from_ns = question.after_id, question.from_ns

        def is_known(each: _Aggregate) -> bool:
            return each.f <= after_id if after_id else from_ns > each.T * _MS_NS

        first = await self._first(spec, newest, is_known)
        found: list[_Aggregate] = []
        missing = ""
        for _ in range(_PAGES_MAX):
            page = await self._page(spec, fromId=first)
            found += page
            if len(page) < _PAGE:
                break
            first = page[-1].a + 1
        else:
            missing = "there are more trades than can be asked for; shorten history.length"
        if after_id:
            kept = [each for each in found if each.l > after_id]
        else:
            kept = [each for each in found if from_ns <= each.T * _MS_NS]
        trades = [trade for each in kept if (trade := _trade(spec, each)) is not None]
        return Past(
            trades=tuple(trades),
            missing=missing
            or self._missing(after_id, found, kept, is_begun=bool(found) and is_known(found[0])),
            last_id=(found or newest)[-1].l,
            is_followed=self._rules.has_every_trade,
        )

    async def _first(
        self, spec: InstrumentSpec, newest: list[_Aggregate], is_known: Callable[[_Aggregate], bool]
    ) -> int:
        """Return the number of an aggregate that is known, less than a page before the first that is not.

        0 where none is known. The venue finds aggregates by their own numbers and within an hour alone, so
        they are searched: back from the newest in longer and longer steps, then by halves.
        """
        high = low = newest[0].a
        step, has_known = _PAGE, is_known(newest[0])
        while not has_known and low > 0:
            high, low = low, max(low - step, 0)
            step *= 4
            has_known = await self._is(spec, low, is_known)
        while high - low > _PAGE:
            middle = (low + high) // 2
            low, high = (middle, high) if await self._is(spec, middle, is_known) else (low, middle)
        return low

    async def _is(self, spec: InstrumentSpec, aggregate: int, is_known: Callable[[_Aggregate], bool]) -> bool:
        page = await self._page(spec, rows=1, fromId=aggregate)
        return bool(page) and is_known(page[0])

    def _missing(
        self, after_id: int, found: Sequence[_Aggregate], kept: Sequence[_Aggregate], *, is_begun: bool
    ) -> str:
        """Say which aggregates or trades lack; of trades where the market has every number.

        `is_begun`: what was found begins with what was known before.
        """
        lacking = [(one.a + 1, two.a - 1) for one, two in pairwise(found) if two.a != one.a + 1]
        if lacking:
            return f"the venue does not show aggregates {lacking[0][0]} to {lacking[0][1]}"
        has_every_trade = self._rules.has_every_trade
        is_late = has_every_trade and after_id and kept and kept[0].f > after_id + 1
        # The search ended at the oldest one, which is not the first that there ever was.
        is_let_go = kept and not is_begun and found[0].a > 1
        if is_late or is_let_go:
            return f"the venue has no trades before number {kept[0].f}"
        holes = [(one.l + 1, two.f - 1) for one, two in pairwise(kept) if two.f != one.l + 1]
        if not holes or not has_every_trade:
            return ""
        return f"the venue does not show trades {holes[0][0]} to {holes[0][1]}"

    async def _bars(self, question: BarsBetween) -> Past:
        """Read page after page; a bar without a trade is left out, one that is not there is missing."""
        spec, span_ns = self._instruments[question.instrument], question.span_ns
        interval = self._interval(span_ns)
        from_ns = question.from_ns - question.from_ns % -span_ns
        if from_ns + span_ns > question.to_ns:
            return Past()
        await self._wait_for(question.to_ns)
        rows: list[_Row] = []
        start_ns = from_ns
        for _ in range(_PAGES_MAX):
            last_ms = question.to_ns // _MS_NS - 1
            page = await self._klines(spec, interval, start_ns // _MS_NS, last_ms)
            rows += [row for row in page if row[0] * _MS_NS + span_ns <= question.to_ns]
            if len(page) < _PAGE:
                break
            start_ns = page[-1][0] * _MS_NS + span_ns
        opens = [row[0] * _MS_NS for row in rows]
        holes = [one + span_ns for one, two in pairwise(opens) if two != one + span_ns]
        missing = f"the venue has no bar of {iso_time(holes[0])}" if holes else ""
        if not opens or opens[0] > from_ns:
            what = f"before {iso_time(opens[0])}" if opens else f"from {iso_time(from_ns)} on"
            missing = f"the venue has no bars {what}"
        elif opens[-1] + 2 * span_ns <= question.to_ns:
            missing = missing or f"the venue has no bars from {iso_time(opens[-1] + span_ns)} on"
        bars = [bar for row in rows if (bar := _bar(spec, row, span_ns)) is not None]
        return Past(bars=tuple(bars), missing=missing)

    def _interval(self, span_ns: int) -> str:
        """Return the venue's name of a length."""
        known = {
            seconds * NANOSECONDS_PER_SECOND: name
            for name, seconds in _SECONDS_OF.items()
            if seconds >= _SECONDS_OF["1m"] or self._rules.has_seconds
        }
        if span_ns not in known:
            rule = f"must be one that the venue has: {', '.join(known.values())}"
            raise InvalidValueError("span_ns", span_ns, rule)
        return known[span_ns]

    async def _wait_for(self, time_ns: int) -> None:
        """Raise `VenueError` while a time is to come by the venue's clock: a bar may not have closed."""
        now = await self._get("time", {}, _ServerTime, 1)
        ahead_ns = time_ns - now.serverTime * _MS_NS
        if ahead_ns > 0:
            words = f"{self._url}: by its clock {iso_time(time_ns)} is still to come; is our clock ahead?"
            raise VenueError(words, ahead_ns + _CLOCK_WAIT_NS)

    async def _page(self, spec: InstrumentSpec, *, rows: int | None = None, **where: int) -> list[_Aggregate]:
        parameters = {"symbol": spec.symbol, "limit": str(rows or _PAGE)}
        parameters |= {name: str(value) for name, value in where.items()}
        return await self._get("aggTrades", parameters, list[_Aggregate], self._rules.trades_weight)

    async def _klines(self, spec: InstrumentSpec, interval: str, first_ms: int, last_ms: int) -> list[_Row]:
        parameters = {"symbol": spec.symbol, "interval": interval, "limit": str(_PAGE)}
        parameters |= {"startTime": str(first_ms), "endTime": str(last_ms)}
        return await self._get("klines", parameters, list[_Row], self._rules.bars_weight)

    async def _get(
        self, path: str, parameters: dict[str, str], kind: type[_AnswerT], weight: int
    ) -> _AnswerT:
        """Ask once there is room for it; where the venue says when to come back, ask again then."""
        url = f"{self._url}/{path}"
        for tries in range(1, _PAGE_TRIES + 1):
            if self._is_closed:
                break
            if self._session is None:
                self._session = aiohttp.ClientSession()
            await self._room(weight)
            try:
                answer = await weighed(self._session, url, parameters, timeout_seconds=self._timeout_seconds)
            except VenueError as error:
                wait_ns = error.retry_after_ns or 0
                if wait_ns == 0 or wait_ns > _WAIT_NS_MAX or tries == _PAGE_TRIES:
                    raise
                await self._clock.sleep_until(self._clock.now_ns() + wait_ns)
                continue
            self._used = max(self._used + weight, answer.used_weight)
            try:
                return msgspec.json.decode(answer.body, type=kind)
            except UNREADABLE as error:
                raise VenueError(f"{url}: an answer makes no sense: {error}") from error
        raise VenueError(f"{url}: the client is closed")

    async def _room(self, weight: int) -> None:
        """Wait for the next minute where this one is used up, by us or by others at our address."""
        now_ns = self._clock.now_ns()
        if now_ns // _MINUTE_NS != self._minute:
            self._minute, self._used, self._own = now_ns // _MINUTE_NS, 0, 0
        allowed = self._rules.weight_per_minute
        if self._own + weight > allowed // 2 or self._used + weight > allowed * 9 // 10:
            self._minute += 1
            self._used = self._own = 0
            # The venue's minute may begin a moment after ours.
            await self._clock.sleep_until(self._minute * _MINUTE_NS + NANOSECONDS_PER_SECOND)
        self._own += weight


def _trade(spec: InstrumentSpec, each: _Aggregate) -> PastTrade | None:
    """Return a trade; `None` for one below a lot, which the live feed leaves out, too."""
    lots = _lots(spec, each.q)
    return PastTrade(each.T * _MS_NS, _ticks(spec, each.p), lots, not each.m, each.l) if lots else None


def _bar(spec: InstrumentSpec, row: _Row, span_ns: int) -> PastBar | None:
    """Return a bar; `None` for one in which less than a lot has traded."""
    open_ms, opened, high, low, closed, volume, *_ = row
    lots = _lots(spec, volume)
    if not lots:
        return None
    return PastBar(
        open_ns=open_ms * _MS_NS,
        close_ns=open_ms * _MS_NS + span_ns,
        open_ticks=_ticks(spec, opened),
        high_ticks=_ticks(spec, high),
        low_ticks=_ticks(spec, low),
        close_ticks=_ticks(spec, closed),
        volume_lots=lots,
    )


def _ticks(spec: InstrumentSpec, price: str) -> int:
    """Return a price in whole ticks; raises `DataError` for one that is off the tick."""
    ticks, rest = _steps(spec.symbol, price, spec.tick_size)
    if rest:
        what = f"the price {price} is no multiple of the tick size {spec.tick_size}"
        raise DataError(spec.symbol, f"{what}; was it another one then?")
    return ticks


def _lots(spec: InstrumentSpec, size: str) -> int:
    """Return a size in whole lots; what is less than a lot is left out, as by the live feed."""
    return _steps(spec.symbol, size, spec.lot_size)[0]


def _steps(symbol: str, text: str, step: str) -> tuple[int, Decimal]:
    """Return how many steps a decimal has, and what is left; raises `DataError` for one without sense."""
    try:
        if len(text) <= _DIGITS_MAX:
            count, rest = divmod(Decimal(text), Decimal(step))
            if count >= 0 and count <= _STEPS_MAX:
                return int(count), rest
    except InvalidOperation:
        pass
    raise DataError(symbol, f"{text[:_DIGITS_MAX]!r} is no price or size")
