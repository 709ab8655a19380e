"""The past out of files keeps the promises of its port, and says where the files end."""

import pytest

from tradecore.domain import InstrumentSpec
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.past import BarsBetween, TradesAfter
from tradecore.testkit import HistoryContract
from tradecore_files import FilesHistory, load_bars, load_trades

START = 1_767_225_600
SPEC = InstrumentSpec(symbol="ABC", tick_size="0.5", lot_size="1")
# Two to four trades a second; in one second none.
TRADES = [(START + 0.31 * at + (1.5 if at > 20 else 0), 100 + (at * 7) % 5, 1 + at % 3) for at in range(40)]
END_NS = int(TRADES[-1][0] * 1e9) + 2_000_000_000


def trades_file(folder):
    """Write trades, and return what reads them."""
    rows = [
        f"{round(time * 1000)},{price},{lots},buy,{at + 1}" for at, (time, price, lots) in enumerate(TRADES)
    ]
    path = folder / "trades.csv"
    path.write_text("\n".join(["time,price,quantity,side,trade_id", *rows]) + "\n")
    return lambda: load_trades(path, SPEC)


def bars_file(folder, trades):
    """Write the bars of a second that the trades make, and return what reads them."""
    by_second = {}
    for row in zip(trades.time_ns.tolist(), trades.price_ticks.tolist(), trades.lots.tolist(), strict=True):
        by_second.setdefault(row[0] // 10**9, []).append(row)
    rows = []
    for second, traded in by_second.items():
        prices = [price / 2 for _, price, _ in traded]
        ohlc = (prices[0], max(prices), min(prices), prices[-1])
        rows.append(",".join(map(str, (second, *ohlc, sum(lots for *_, lots in traded)))))
    path = folder / "bars.csv"
    path.write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n")
    return lambda: load_bars(path, SPEC)


@pytest.fixture(params=["bars of a file", "bars of the trades"])
def history(request, tmp_path):
    """Return the history of two files, or of the trades alone."""
    read = trades_file(tmp_path)
    bars = {0: bars_file(tmp_path, read())} if request.param == "bars of a file" else {}
    return FilesHistory({0: read}, bars, instruments=2, now_ns=lambda: read().time_ns[-1])


class TestFilesHistory(HistoryContract):
    """Trades and bars of one instrument."""

    @pytest.fixture
    def history(self, history):
        """Return the one above."""
        return history

    @pytest.fixture
    def now_ns(self):
        """Return a time at which all of it is past."""
        return END_NS


async def test_what_the_files_do_not_reach_up_to_is_missing(tmp_path):
    """Nobody is told that the past is whole when the last hour is not there."""
    read = trades_file(tmp_path)
    history = FilesHistory({0: read}, {}, instruments=2, now_ns=lambda: END_NS)

    trades = await history.query(TradesAfter(instrument=0, from_ns=0))
    bars = await history.query(
        BarsBetween(instrument=0, span_ns=10**9, from_ns=0, to_ns=END_NS + 5_000_000_000)
    )
    nothing = await history.query(TradesAfter(instrument=1, from_ns=0))

    assert trades.missing.startswith("the files end at 2026-01-01T00:00:13")
    assert bars.missing.startswith("the files end at 2026-01-01T00:00:1")
    assert (nothing.trades, bool(nothing.missing)) == ((), True)


async def test_bars_of_another_length_than_the_file_has_are_refused(tmp_path):
    """They would be other bars under the same name."""
    read = trades_file(tmp_path)
    history = FilesHistory({0: read}, {0: bars_file(tmp_path, read())}, instruments=1, now_ns=lambda: END_NS)

    with pytest.raises(InvalidValueError, match="must be 1000000000, as the bars of the file"):
        await history.query(BarsBetween(instrument=0, span_ns=2 * 10**9, from_ns=0, to_ns=END_NS))
