"""What the demo quotes and shows: its prices around the touch, and the figures of the screen as decimals."""

import io
import sys

import pytest
from rich.console import Console

from tradecore.domain import EventBatch
from tradecore.domain.spec import EngineSpec, InstrumentSpec, Matching, VenueSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding
from tradecore_api import picture
from tradecore_api.demo_strategies import Quoter
from tradecore_api.screen import ORDERS_SHOWN_MAX, Screen

SPEC = EngineSpec(
    instruments=(
        InstrumentSpec(symbol="ABC", tick_size="0.5", lot_size="1"),
        InstrumentSpec(symbol="XYZ", tick_size="0.25", lot_size="0.1"),
    ),
    venue=VenueSpec(matching=Matching.BOOK),
)


def run(strategy, *books):
    """Run a strategy through books of the second instrument: lists of bids and asks."""
    engine = Engine(SPEC, [StrategyBinding(name="one", strategy=strategy, instruments=(1,))])
    for number, (bids, asks) in enumerate(books, start=1):
        batch = EventBatch()
        batch.book(number * 10**9, 1, True, number, number, 0, bids, asks)
        engine.feed(batch)
        engine.run()
    return engine


def quoter(**parameters):
    """Make a quoter that may hold ten of what it quotes one of."""
    strategy = Quoter()
    for name, value in ({"quantity": 1.0, "position_max": 10.0} | parameters).items():
        setattr(strategy, name, value)
    return strategy


def resting(engine):
    """Return side and price of every open order."""
    return sorted((str(order["side"]), order["price_ticks"]) for order in engine.kernel.open_orders())


@pytest.mark.parametrize("offset_ticks", [0, 1, 7])
def test_the_demo_quotes_as_far_from_the_touch_on_both_sides(offset_ticks):
    """The bid that many ticks below the best bid, the ask as many above the best ask."""
    engine = run(quoter(offset_ticks=offset_ticks), ([(400, 50)], [(402, 50)]))

    assert resting(engine) == [("buy", 400 - offset_ticks), ("sell", 402 + offset_ticks)]


@pytest.mark.parametrize(("moved", "tolerance_ticks", "stays"), [(1, 0, False), (1, 1, True), (2, 1, False)])
def test_a_quote_follows_the_touch_when_it_is_further_than_it_may_be(moved, tolerance_ticks, stays):
    """At the tolerance it stays; beyond it the quote is cancelled and made anew with the next book."""
    old, new = ([(400, 50)], [(410, 50)]), ([(400 + moved, 50)], [(410 + moved, 50)])
    engine = run(quoter(tolerance_ticks=tolerance_ticks), old, new, new)

    assert resting(engine) == (
        [("buy", 400), ("sell", 410)] if stays else [("buy", 400 + moved), ("sell", 410 + moved)]
    )


def shown(engine):
    """Return the words of the tables, row by row."""
    console = Console(file=io.StringIO(), width=160)
    console.print(Screen(engine, SPEC.instruments, is_live=False)._tables())
    rows = [line.strip("│╭╮╰╯─ \n").split() for line in console.file.getvalue().splitlines()]
    return [row for row in rows if row and row[0] != "tradecore:"]


class Ladder:
    """Rests so many orders below the market."""

    def __init__(self, count):
        self._count = count
        self._is_done = False

    def on_book(self, ctx, book):
        """Send them with the first book."""
        if not self._is_done:
            self._is_done = True
            for step in range(self._count):
                ctx.buy(quantity_lots=13, limit_ticks=398 - step)


def test_the_screen_shows_prices_and_sizes_in_units_and_not_in_ticks_and_lots():
    """A tick of 0.25 and a lot of 0.1: 398 ticks are 99.5, 13 lots are 1.3."""
    rows = shown(run(Ladder(2), ([(400, 50)], [(402, 50)])))

    (prices,) = (row for row in rows if row[0] == "XYZ")
    assert prices[1:] == ["100.00", "100.50", "0"]
    (quiet,) = (row for row in rows if row[0] == "ABC")
    assert quiet[1:] == ["-", "-", "0"]
    orders = [row[1:6] for row in rows if row[1:2] == ["one"]]
    assert orders == [["one", "XYZ", "buy", "99.50", "1.3"], ["one", "XYZ", "buy", "99.25", "1.3"]]


@pytest.mark.parametrize("count", [ORDERS_SHOWN_MAX, ORDERS_SHOWN_MAX + 1])
def test_the_screen_shows_no_more_orders_than_fit(count):
    """The others are counted below the table."""
    rows = shown(run(Ladder(count), ([(400, 50)], [(402, 50)])))

    assert len([row for row in rows if row[1:2] == ["one"]]) == ORDERS_SHOWN_MAX


def test_elsewhere_a_line_comes_every_five_seconds(monkeypatch, capsys):
    """Not before the first five, and each with the figures of its moment."""
    now = 100.0
    monkeypatch.setattr(picture.time, "monotonic", lambda: now)
    view = Screen(run(Ladder(2), ([(400, 50)], [(402, 50)])), SPEC.instruments, is_live=False)
    for passed in (4.9, 5.0, 9.9, 10.0, 10.1):
        now = 100.0 + passed
        view.refresh()

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("events 1  orders 2  fills 0  refusals 0  open 2  pnl ")


@pytest.mark.parametrize("name", ["out", "err"])
def test_the_drawn_view_leaves_standard_output_to_the_summary(monkeypatch, name):
    """A terminal on stderr is drawn on; stdout is data that a script may read."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    written = io.StringIO()
    monkeypatch.setattr(sys, f"std{name}", written)
    with Screen(run(Ladder(2), ([(400, 50)], [(402, 50)])), SPEC.instruments, is_live=True) as view:
        view.refresh()

    assert ("99.50" in written.getvalue()) == (name == "err")
