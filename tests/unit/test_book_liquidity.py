"""What the book of a research script and the book of a strategy say about liquidity."""

import tracemalloc

import numpy as np
import pytest

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, VenueSpec
from tradecore.domain.book import L2Book, OwnLevels
from tradecore.domain.errors import InvalidValueError
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

BIDS = [(9_990, 30), (9_980, 10)]
ASKS = [(10_010, 10), (10_020, 5), (10_100, 1)]


def research_book():
    """Make a book as a script does."""
    book = L2Book()
    for side, levels in enumerate((BIDS, ASKS)):
        for price_ticks, lots in levels:
            book.set(side, price_ticks, lots)
    return book


class Looks:
    """Applies a function to the book at each of its changes."""

    def __init__(self, look) -> None:
        self.look = look
        self.seen = []

    def on_book(self, ctx, book) -> None:
        """Look."""
        self.seen.append(self.look(book))


def strategy_sees(look, *, bids=BIDS, asks=ASKS, lose_feed=False):
    """Return what a strategy sees of the engine's book after a snapshot (and the loss of the feed)."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.BOOK),
    )
    strategy = Looks(look)
    engine = Engine(spec, [StrategyBinding(name="looks", strategy=strategy)])
    batch = EventBatch()
    batch.book(1, 0, True, 1, 1, 0, bids, asks)
    if lose_feed:
        batch.feed_lost(2, 0)
    engine.feed(batch)
    engine.run()
    return strategy.seen[-1]


def everything(book, own=None):
    """Ask a book everything there is to ask."""
    return (
        book.volume_within_ticks(1, 10, own),
        book.volume_within_bps(0, 10, own),
        book.volume_to_size(1, 12, own),
        book.vwap_ticks(1, 12, own),
        book.imbalance(1, own),
        book.mid_ticks(own),
        book.microprice_ticks(own),
    )


EXPECTED = (
    (2, 15, 10_010 * 10 + 10_020 * 5, 10_020),
    (1, 30, 9_990 * 30, 9_990),
    (2, 12, 10_010 * 10 + 10_020 * 2, 10_020),
    (10_010 * 10 + 10_020 * 2) / 12,
    0.5,
    10_000.0,
    10_005.0,
)


def test_a_script_and_a_strategy_are_told_the_same():
    """Both books answer in ticks and lots, exactly; only prices and ratios are floats."""
    assert everything(research_book()) == EXPECTED
    assert strategy_sees(everything) == EXPECTED


def test_our_own_orders_are_left_out_of_every_answer():
    """A price where only we stand is not there, neither for measures nor for the best levels."""
    own = OwnLevels()
    own.change(1, 10_010, 10)
    own.change(0, 9_990, 20)
    answers = everything(research_book(), own)
    assert answers == strategy_sees(lambda book: everything(book, own))
    assert answers[4:6] == (pytest.approx(5 / 15), (9_990 + 10_020) / 2)
    top = research_book().top_without(2, own)
    assert top.tolist() == [[[9_990, 10], [9_980, 10]], [[10_020, 5], [10_100, 1]]]
    assert strategy_sees(lambda book: book.top(2, own=own)).tolist() == top.tolist()
    own.change(0, 9_990, -20)
    assert (own.lots_at(0, 9_990), own.lots_at(1, 10_010)) == (0, 10)
    own.clear()
    assert everything(research_book(), own) == EXPECTED


def test_a_side_that_cannot_fill_an_order_has_no_average_price():
    """The sweep says how far it came; the average of a part is not passed off as that of the whole."""
    book = research_book()
    assert book.volume_to_size(1, 17)[:2] == (3, 16)
    assert book.vwap_ticks(1, 17) is None
    assert book.vwap_ticks(1, 0) is None
    assert L2Book().volume_within_bps(0, 10) == (0, 0, 0, 0)
    assert everything(L2Book())[3:] == (None, None, None, None)


def test_an_invalid_book_shows_a_strategy_nothing():
    """After the feed was lost the last levels are there for nobody to trade on."""
    kept = []

    def keep(book):
        kept.append(book)
        return book.is_valid

    assert strategy_sees(keep)
    assert kept[-1].mid_ticks() == 10_000.0
    strategy_sees(keep, lose_feed=True)
    book = kept[-1]
    assert not book.is_valid
    assert everything(book)[3:] == (None, None, None, None)
    assert book.top(1).tolist() == [[[0, 0]], [[0, 0]]]


def test_levels_go_into_a_buffer_handed_in_without_an_array_being_made():
    """A strategy that reads the top at every event keeps one buffer."""

    def fill(book):
        out = np.full((2, 3, 2), -1, np.int64)
        assert book.top(3, out) is out
        tracemalloc.start()
        for _ in range(1_000):
            book.top(3, out)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return out, grown

    out, grown = strategy_sees(fill)
    assert out.tolist() == [[*map(list, BIDS), [0, 0]], [list(level) for level in ASKS]]
    assert grown < 1_000


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda book: book.volume_within_ticks(2, 1), "side"),
        (lambda book: book.vwap_ticks(9, 1), "side"),
        (lambda book: book.top(2, np.zeros((2, 1, 2), np.int64)), "out.shape"),
        (lambda book: book.top(65_537), "n"),
    ],
)
def test_a_question_that_makes_no_sense_names_the_field(ask, field):
    """Nothing is guessed about a wrong side or a wrong buffer."""
    with pytest.raises(InvalidValueError) as refused:
        ask(research_book())
    assert refused.value.field == field


def test_impossible_own_orders_are_refused():
    """The table never holds less than nothing, and never more than it was made for."""
    own = OwnLevels(1)
    own.change(0, 5, 2)
    for side, price_ticks, lots, field in [
        (0, 5, -3, "lots"),
        (0, 6, 1, "price_ticks"),
        (0, 0, 1, "price_ticks"),
        (3, 5, 1, "side"),
    ]:
        with pytest.raises(InvalidValueError) as refused:
            own.change(side, price_ticks, lots)
        assert refused.value.field == field
    assert own.lots_at(0, 5) == 2
    with pytest.raises(InvalidValueError, match="levels_max"):
        OwnLevels(65_537)
