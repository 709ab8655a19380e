"""The native order book as Python sees it."""

import tracemalloc

import numpy as np
import pytest

from tradecore.domain.book import L2Book
from tradecore.domain.errors import InvalidValueError


def small_book():
    """Make a book with two bids and one ask."""
    book = L2Book()
    book.apply(
        np.array([0, 0, 1], np.uint8), np.array([99, 98, 101], np.int64), np.array([5, 6, 7], np.int64)
    )
    return book


def test_best_shows_both_sides_and_zeros_for_an_empty_one():
    """Best prices and sizes come as four integers."""
    book = small_book()
    assert book.best() == (99, 5, 101, 7)
    book.set(1, 101, 0)
    assert book.best() == (99, 5, 0, 0)


def test_top_fills_what_is_there_and_clears_the_rest():
    """A buffer handed in is returned, and nothing of an earlier call stays in it."""
    book = small_book()
    out = np.full((2, 2, 2), -1, np.int64)
    assert book.top(2, out) is out
    assert out.tolist() == [[[99, 5], [98, 6]], [[101, 7], [0, 0]]]
    assert book.top(1).tolist() == [[[99, 5]], [[101, 7]]]
    assert book.top(0).shape == (2, 0, 2)


def test_levels_counts_and_sizes_agree():
    """Every view shows the same levels."""
    book = small_book()
    assert book.levels(0).tolist() == [[99, 5], [98, 6]]
    assert book.levels(1).dtype == np.int64
    assert book.level_counts() == (2, 1)
    assert [book.lots_at(0, 98), book.lots_at(0, 97), book.lots_at(1, -5)] == [6, 0, 0]
    book.clear()
    assert book.level_counts() == (0, 0)
    assert book.state() == L2Book().state()


def test_the_sides_are_mappings_that_follow_the_book_and_change_it():
    """A size is set, asked for and taken out by its price; the mapping outlives the name of its book."""
    book = small_book()
    bids, asks = book.bids, book.asks
    bids[97] = 4
    assert (bids[97], bids[96], len(bids), len(asks)) == (4, 0, 3, 1)
    book.set(0, 99, 0)
    assert (bids[99], book.best()) == (0, (98, 6, 101, 7))
    del bids[98], asks[500]
    asks[101] = 0
    assert book.best() == (97, 4, 0, 0)
    del book
    assert (bids[97], len(asks)) == (4, 0)


@pytest.mark.parametrize(("price_ticks", "lots", "field"), [(0, 1, "price_ticks"), (9, -1, "lots")])
def test_a_refused_item_names_the_field_and_changes_nothing(price_ticks, lots, field):
    """The mapping refuses what `set` refuses."""
    book = small_book()
    before = book.state()
    with pytest.raises(InvalidValueError) as refused:
        book.asks[price_ticks] = lots
    with pytest.raises(TypeError):
        book.asks["9"] = 1
    with pytest.raises(OverflowError):
        book.asks[2**64] = 1
    assert refused.value.field == field
    assert book.state() == before


def test_a_top_view_rewrites_one_array():
    """The array is the same at each refresh, shows the book as of then, and zeros where a side has fewer."""
    book = small_book()
    view = book.top_view(2)
    shown = view.refresh()
    assert shown.tolist() == [[[99, 5], [98, 6]], [[101, 7], [0, 0]]]
    book.set(0, 99, 0)
    book.set(1, 100, 1)
    assert shown[0].tolist() == [[99, 5], [98, 6]]
    with pytest.raises(ValueError, match="own its data"):
        shown.resize(100, refcheck=False)
    assert view.refresh() is shown
    assert shown.tolist() == [[[98, 6], [0, 0]], [[100, 1], [101, 7]]]
    del view, book
    assert shown[0, 0].tolist() == [98, 6]


def test_a_top_view_takes_no_or_a_bounded_number_of_levels():
    """Nothing is shown when nothing is asked for, and no request can ask for more than a book can fill."""
    assert small_book().top_view(0).refresh().shape == (2, 0, 2)
    with pytest.raises(InvalidValueError, match="must be at most"):
        small_book().top_view(2**40)


@pytest.mark.parametrize(
    ("side", "price_ticks", "lots", "field"),
    [
        (2, 100, 1, "side"),
        (0, 0, 1, "price_ticks"),
        (1, -7, 1, "price_ticks"),
        (1, 2**61, 1, "price_ticks"),
        (0, 9, -1, "lots"),
    ],
)
def test_a_refused_change_names_the_field_and_changes_nothing(side, price_ticks, lots, field):
    """One bad element refuses the call that carries it, alone or in a batch."""
    book = small_book()
    before = book.state()
    with pytest.raises(InvalidValueError) as single:
        book.set(side, price_ticks, lots)
    with pytest.raises(InvalidValueError) as batch:
        book.apply(
            np.array([1, side], np.uint8),
            np.array([105, price_ticks], np.int64),
            np.array([3, lots], np.int64),
        )
    assert (single.value.field, batch.value.field) == (field, field)
    assert book.state() == before


def test_arrays_of_unequal_length_are_refused():
    """Columns that do not match are an error of the caller, not a shorter batch."""
    with pytest.raises(InvalidValueError, match="must have one length"):
        L2Book().apply(np.zeros(2, np.uint8), np.ones(2, np.int64), np.ones(3, np.int64))


def test_arrays_that_are_not_contiguous_are_refused():
    """A strided view is not copied behind the caller's back."""
    with pytest.raises(InvalidValueError, match="must be contiguous"):
        L2Book().apply(np.zeros(2, np.uint8), np.ones(4, np.int64)[::2], np.ones(2, np.int64))


@pytest.mark.parametrize("shape", [(2, 3, 2), (1, 2, 2), (2, 2, 1)])
def test_a_buffer_of_another_shape_is_refused(shape):
    """The shape that was wanted is in the message."""
    with pytest.raises(InvalidValueError, match=r"must be \(2, 2, 2\)"):
        small_book().top(2, np.zeros(shape, np.int64))


def test_a_read_only_buffer_is_refused():
    """Nobody's read-only array is written to."""
    out = np.zeros((2, 2, 2), np.int64)
    out.flags.writeable = False
    with pytest.raises(InvalidValueError, match="writable"):
        small_book().top(2, out)
    assert not out.any()


def test_an_absurd_number_of_levels_is_refused():
    """No request can ask for more memory than a book can fill."""
    with pytest.raises(InvalidValueError, match="must be at most"):
        small_book().top(2**40)


def test_a_full_book_refuses_a_new_price_and_takes_a_new_size():
    """The bound holds for prices, not for changes."""
    book = L2Book(levels_max=1)
    book.set(0, 10, 1)
    with pytest.raises(InvalidValueError, match="at most 1 a side"):
        book.set(0, 9, 1)
    book.set(0, 10, 2)
    assert book.best() == (10, 2, 0, 0)


@pytest.mark.parametrize("levels", [5, 400])
def test_the_best_levels_go_into_a_buffer_without_any_allocation(levels):
    """Ten thousand snapshots into one numpy buffer leave not one block of memory more, in either form."""
    book = L2Book()
    for step in range(1, levels + 1):
        book.set(0, 10_000 - step, step)
        book.set(1, 10_000 + step, step)
    out = np.zeros((2, 10, 2), dtype=np.int64)
    book.top(10, out)

    # Other threads allocate too, now and then; what the calls themselves make shows every time.
    growths, peaks = zip(*(traced_top(book, out) for _ in range(5)), strict=True)

    assert out[0, 0].tolist() == [9_999, 1]
    # What the loop itself makes and drops; an array of this shape would be 320 bytes and its object.
    assert min(growths) < 64
    assert min(peaks) < 256


def traced_top(book, out):
    """Return how many bytes 2,000 snapshots left behind and how many they held at most."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(2_000):
            book.top(10, out)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before, peak - before
