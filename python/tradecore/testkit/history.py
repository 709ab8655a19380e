"""What every history promises, as tests: derive a test class and give it its fixtures."""

# ruff: noqa: S101 - contracts are tests

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import SkipTest

from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, Past, PastTrade, TradesAfter
from tradecore.ports.history import History

_SPAN_NS = 1_000_000_000


class HistoryContract:
    """The promises of the `History` port.

    A subclass has these pytest fixtures, new for every test:

    - `history`, a `History` whose instrument 0 has traded at least twenty times in five seconds or more;
    - `now_ns`, a time at which all of that is past; nothing trades while a test runs.
    """

    async def test_trades_come_in_their_order_and_all_of_them(self, history: History) -> None:
        """Times never fall, and numbers rise; without holes where the source says so."""
        past = await _trades(history)

        assert len(past.trades) >= 20
        assert past.missing == ""
        times = [trade.time_ns for trade in past.trades]
        assert times == sorted(times)
        numbers = [trade.trade_id for trade in past.trades if trade.trade_id]
        assert numbers == sorted(set(numbers))
        assert past.last_id == (numbers[-1] if numbers else 0)
        if past.has_every_number:
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert all(trade.lots > 0 for trade in past.trades)

    async def test_whoever_knows_a_trade_gets_those_after_it(self, history: History) -> None:
        """So nothing is there twice, and nothing is left out."""
        whole = (await _trades(history)).trades
        if not whole[0].trade_id:
            raise SkipTest("its trades have no numbers")
        for at in (0, len(whole) // 2, len(whole) - 1):
            later = await _trades(history, after_id=whole[at].trade_id)
            assert later.trades == whole[at + 1 :]
            assert later.missing == ""

    async def test_trades_from_a_time_on_begin_with_that_time(self, history: History) -> None:
        """That time included."""
        whole = (await _trades(history)).trades
        from_ns = whole[len(whole) // 2].time_ns
        later = await _trades(history, from_ns=from_ns)

        assert later.trades == tuple(trade for trade in whole if trade.time_ns >= from_ns)

    async def test_bars_are_those_of_the_trades(self, history: History, now_ns: int) -> None:
        """Each trade is in one bar, whole; a bar without a trade is left out."""
        trades = (await _trades(history)).trades
        to_ns = now_ns - now_ns % _SPAN_NS
        first_ns = trades[0].time_ns - trades[0].time_ns % _SPAN_NS
        found = await history.query(
            BarsBetween(instrument=0, span_ns=_SPAN_NS, from_ns=first_ns, to_ns=to_ns)
        )
        by_bar: dict[int, list[PastTrade]] = {}
        for trade in trades:
            by_bar.setdefault(trade.time_ns - trade.time_ns % _SPAN_NS, []).append(trade)

        assert found.missing == ""
        assert [bar.open_ns for bar in found.bars] == [at for at in by_bar if at + _SPAN_NS <= to_ns]
        for bar in found.bars:
            rows = by_bar[bar.open_ns]
            prices = [row.price_ticks for row in rows]
            assert bar.close_ns == bar.open_ns + _SPAN_NS
            assert (bar.open_ticks, bar.close_ticks) == (prices[0], prices[-1])
            assert (bar.high_ticks, bar.low_ticks) == (max(prices), min(prices))
            assert bar.volume_lots == sum(row.lots for row in rows)

    async def test_only_bars_that_have_closed_are_given(self, history: History, now_ns: int) -> None:
        """The end that was asked for is kept: a bar is in the past whole, or not at all."""
        bars = (await _bars(history, 0, now_ns)).bars
        middle = bars[len(bars) // 2]
        until = await _bars(history, bars[0].open_ns, middle.close_ns)
        before = await _bars(history, bars[0].open_ns, middle.close_ns - 1)

        assert until.bars[-1] == middle
        assert middle not in before.bars

    async def test_an_instrument_that_is_not_there_is_refused(self, history: History) -> None:
        """Before anything is asked."""
        for number in (-1, 10_000):
            with _refused(InvalidValueError):
                await history.query(TradesAfter(instrument=number, from_ns=0))

    async def test_one_that_is_closed_gives_no_answer(self, history: History) -> None:
        """And closing it twice is harmless."""
        await history.aclose()
        await history.aclose()
        with _refused(VenueError):
            await _trades(history)


@contextmanager
def _refused(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} was raised")


async def _trades(history: History, *, from_ns: int = 0, after_id: int = 0) -> Past:
    return await history.query(TradesAfter(instrument=0, from_ns=from_ns, after_id=after_id))


async def _bars(history: History, from_ns: int, to_ns: int) -> Past:
    return await history.query(BarsBetween(instrument=0, span_ns=_SPAN_NS, from_ns=from_ns, to_ns=to_ns))
