"""The book of one market: agents and accounts meet in the native exchange, and everybody sees its levels."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tradecore.domain.book import ExchangeBook, L2Book
from tradecore.testkit.local_venue.settings import MarketSetting

# Numbers of accounts' orders in the native book begin here; those of agents are below.
OWN_FIRST = 2**61
# Trades of each market that everybody can still ask for.
TRADES_KEPT = 200_000
_ANY_BUY_TICKS = 2**60
_ANY_SELL_TICKS = 1
_SNAPSHOT_LEVELS = 1000
# More than all agents of one market have resting together.
_AGENTS_ORDERS_MAX = 16_384


class Match(NamedTuple):
    """Two orders that traded; the numbers are those of the native book."""

    trade: int
    time_ns: int
    taker: int
    maker: int
    price_ticks: int
    lots: int
    is_buy: bool


class MatchBar(NamedTuple):
    """A bar of trades that has closed."""

    open_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    lots: int


def bars_of(trades: Iterable[Match], length_ns: int, from_ns: int, until_ns: int) -> list[MatchBar]:
    """Return bars at multiples of their length that open at `from_ns` or later and close by `until_ns`."""
    bars: list[MatchBar] = []
    for trade in trades:
        open_ns = trade.time_ns - trade.time_ns % length_ns
        price, lots = trade.price_ticks, trade.lots
        if open_ns < from_ns or open_ns + length_ns > until_ns:
            continue
        if not bars or bars[-1].open_ns != open_ns:
            bars.append(MatchBar(open_ns, price, price, price, price, lots))
            continue
        bar = bars[-1]
        high, low = max(bar.high_ticks, price), min(bar.low_ticks, price)
        bars[-1] = MatchBar(open_ns, bar.open_ticks, high, low, price, bar.lots + lots)
    return bars


class MarketNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a market shows: levels that changed since the message before (or all), trades, best prices.

    Attributes
    ----------
    market : int
        Number of the market.
    is_snapshot : bool
        Whether `bids` and `asks` are the whole book (1,000 levels at most).
    first_id, last_id, prev_id : int
        Which changes it has; `prev_id` is the last one of the message before.
    bids, asks : list of (int, int)
        Price in ticks and size in lots; 0 lots is a level that is gone.
    trades : list of Match
        Trades since the message before.
    best : tuple of int
        Best bid, its lots, best ask, its lots; zeros for an empty side.
    time_ns : int
        The venue's time.
    """

    market: int
    is_snapshot: bool
    first_id: int
    last_id: int
    prev_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    trades: list[Match]
    best: tuple[int, int, int, int]
    time_ns: int


class MarketBook:
    """One market. Takes the flow of agents, as a `FlowSink`, and orders of accounts.

    Parameters
    ----------
    market : int
        Its number.
    setting : MarketSetting
        What it is.
    orders_max : int
        Orders of accounts that can rest at a time.
    """

    def __init__(self, market: int, setting: MarketSetting, *, orders_max: int) -> None:
        self.market = market
        self.setting = setting
        self._book = ExchangeBook(orders_max + _AGENTS_ORDERS_MAX)
        self._levels = L2Book(orders_max + _AGENTS_ORDERS_MAX)
        self._changed: tuple[set[int], set[int]] = (set(), set())
        self._trades: list[Match] = []
        # What traded last, oldest first.
        self.kept: deque[Match] = deque(maxlen=TRADES_KEPT)
        self._matches: list[Match] = []
        self._trade = 0
        self._update = 0

    def flow_limit(
        self, time_ns: int, instrument_id: int, flow_id: int, is_buy: bool, price_ticks: int, lots: int
    ) -> None:
        """Take a limit order of an agent."""
        self.add(time_ns, flow_id, is_buy=is_buy, price_ticks=price_ticks, lots=lots)

    def flow_market(self, time_ns: int, instrument_id: int, is_buy: bool, lots: int) -> None:
        """Take a market order of an agent."""
        self.take(time_ns, 0, is_buy=is_buy, price_ticks=None, lots=lots)

    def flow_cancel(self, time_ns: int, instrument_id: int, flow_id: int) -> None:
        """Take the cancel of an agent's order, which may be gone already."""
        self.remove(flow_id)

    def add(self, time_ns: int, number: int, *, is_buy: bool, price_ticks: int, lots: int) -> int:
        """Let a limit order trade and rest; return the lots that it traded at once."""
        side = 0 if is_buy else 1
        traded = self._book.submit(number, side, price_ticks, lots)
        if traded:
            self._book_fills(time_ns, is_buy=is_buy)
        if traded < lots:
            self._change(side, price_ticks, lots - traded)
        return traded

    def take(self, time_ns: int, number: int, *, is_buy: bool, price_ticks: int | None, lots: int) -> int:
        """Let an order trade at once, at any price where none is stated; what is left of it is gone."""
        if price_ticks is None:
            price_ticks = _ANY_BUY_TICKS if is_buy else _ANY_SELL_TICKS
        traded = self._book.submit(number, 0 if is_buy else 1, price_ticks, lots)
        if traded:
            self._book_fills(time_ns, is_buy=is_buy)
        if traded < lots:
            self._book.cancel(number)
        return traded

    def remove(self, number: int) -> int:
        """Take a resting order out; return its lots, 0 where it does not rest."""
        found = self._book.order(number)
        if found is None:
            return 0
        side, price_ticks, lots = found
        self._book.cancel(number)
        self._change(side, price_ticks, -lots)
        return lots

    def amend(self, time_ns: int, number: int, *, price_ticks: int, lots: int) -> None:
        """Give a resting order another price or open size; it may trade at once."""
        found = self._book.order(number)
        if found is None:
            return
        side, before_ticks, before_lots = found
        self._change(side, before_ticks, -before_lots)
        traded = self._book.replace(number, price_ticks, lots) or 0
        if traded:
            self._book_fills(time_ns, is_buy=side == 0)
        if traded < lots:
            self._change(side, price_ticks, lots - traded)

    def reach(self, *, is_buy: bool, price_ticks: int | None, lots: int) -> tuple[int, int, int]:
        """Return how much an order would trade now: lots, price times lots, and the worst price, in ticks."""
        side = 1 if is_buy else 0
        best = self._best_ticks(side)
        if best == 0 or (price_ticks is not None and (price_ticks < best if is_buy else price_ticks > best)):
            return 0, 0, 0
        _, found, value, worst = self._levels.volume_to_size(side, lots)
        if price_ticks is not None and (worst > price_ticks if is_buy else worst < price_ticks):
            _, found, value, worst = self._levels.volume_within_ticks(side, abs(price_ticks - best))
        return found, value, worst

    def take_matches(self) -> list[Match]:
        """Hand over the trades of accounts since the last time."""
        matches, self._matches = self._matches, []
        return matches

    def take_news(self, time_ns: int) -> MarketNews | None:
        """Hand over what changed since the last time; `None` for nothing."""
        bids, asks = self._changed
        if not (bids or asks or self._trades):
            return None
        before = self._update
        self._update += 1
        news = MarketNews(
            market=self.market,
            is_snapshot=False,
            first_id=self._update,
            last_id=self._update,
            prev_id=before,
            bids=self._now_at(0, bids),
            asks=self._now_at(1, asks),
            trades=self._trades,
            best=self._levels.best(),
            time_ns=time_ns,
        )
        self._changed = (set(), set())
        self._trades = []
        return news

    def snapshot(self, time_ns: int) -> MarketNews:
        """Return the whole book as it was at the last news; to be asked for right after them."""
        return MarketNews(
            market=self.market,
            is_snapshot=True,
            first_id=self._update,
            last_id=self._update,
            prev_id=self._update,
            bids=self._all_of(0),
            asks=self._all_of(1),
            trades=[],
            best=self._levels.best(),
            time_ns=time_ns,
        )

    def best(self) -> tuple[int, int, int, int]:
        """Return best bid, its lots, best ask, its lots; zeros for an empty side."""
        return self._levels.best()

    def _best_ticks(self, side: int) -> int:
        return self._levels.best()[2 * side]

    def _book_fills(self, time_ns: int, *, is_buy: bool) -> None:
        fills = self._book.take_fills()
        other = 1 if is_buy else 0
        columns = (fills[name].tolist() for name in ("taker_id", "order_id", "price_ticks", "lots"))
        for taker, maker, price_ticks, lots in zip(*columns, strict=True):
            self._trade += 1
            match = Match(self._trade, time_ns, taker, maker, price_ticks, lots, is_buy)
            self._trades.append(match)
            self.kept.append(match)
            if taker >= OWN_FIRST or maker >= OWN_FIRST:
                self._matches.append(match)
            self._change(other, price_ticks, -lots)

    def _change(self, side: int, price_ticks: int, lots: int) -> None:
        levels = self._levels
        levels.set(side, price_ticks, levels.lots_at(side, price_ticks) + lots)
        self._changed[side].add(price_ticks)

    def _now_at(self, side: int, prices: set[int]) -> list[tuple[int, int]]:
        at = self._levels.lots_at
        return [(price, at(side, price)) for price in sorted(prices, reverse=side == 0)]

    def _all_of(self, side: int) -> list[tuple[int, int]]:
        return [(price, lots) for price, lots in self._levels.levels(side)[:_SNAPSHOT_LEVELS].tolist()]
