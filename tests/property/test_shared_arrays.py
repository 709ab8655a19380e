"""Arrays that another thread changes while the native core reads them: it works on one state of them."""

import sys
import threading
import time

import numpy as np
import pytest

from tradecore import _core
from tradecore.domain import InvalidValueError

ROWS = 200_000
SECONDS = 1.0


@pytest.fixture
def switching():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def beside(change, work):
    """Call `work` again and again while another thread calls `change`; return how often that was."""
    is_over = threading.Event()

    def keep_changing():
        while not is_over.is_set():
            change()

    thread = threading.Thread(target=keep_changing)
    thread.start()
    rounds, end = 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            work()
            rounds += 1
    finally:
        is_over.set()
        thread.join()
    return rounds


def flips(array, first, second):
    """Return what fills the array with one value and then the other, the interpreter lock held."""
    states = [np.full_like(array, value).tobytes() for value in (first, second)]
    memory = memoryview(array).cast("B")

    def flip():
        states.reverse()
        memory[:] = states[0]

    return flip


def fills(array, first, second):
    """As `flips`, but by numpy, which holds no lock meanwhile."""
    values = [first, second]

    def fill():
        values.reverse()
        array.fill(values[0])

    return fill


@pytest.mark.parametrize("name", ["sma", "ema", "rsi", "bollinger"])
def test_an_indicator_sees_one_state_of_its_input(name, switching):
    """Every input was all ones or all twos: nothing between them, no matter when the other thread wrote."""
    values = np.ones(ROWS)
    indicator = getattr(_core, name)

    def check():
        out = indicator(values, 5)
        first = out[0] if isinstance(out, tuple) else out
        assert len(np.unique(first[~np.isnan(first)])) == 1

    assert beside(flips(values, 1.0, 2.0), check) > 3


def test_a_view_that_is_read_only_is_no_array_that_stays(switching):
    """What it looks at can be changed through the array that it is a view of."""
    values = np.ones(ROWS)
    view = values[:]
    view.flags.writeable = False

    def check():
        out = _core.sma(view, 5)
        assert len(np.unique(out[~np.isnan(out)])) == 1

    assert beside(flips(values, 1.0, 2.0), check) > 3


@pytest.mark.parametrize("change", [flips, fills])
def test_a_book_takes_one_state_of_its_updates(change, switching):
    """All or none: a batch with a size that cannot be is none, also one that came meanwhile."""
    sides = np.zeros(ROWS, dtype=np.uint8)
    prices = np.arange(ROWS, dtype=np.int64) % 50 + 1
    lots = np.full(ROWS, 5, dtype=np.int64)
    book = _core.L2Book()

    def check():
        try:
            book.apply(sides, prices, lots)
        except InvalidValueError:
            assert book.lots_at(0, 1) in {0, 5}
        # None before the first batch that was good.
        assert {book.lots_at(0, price) for price in range(1, 51)} in ({5}, {0})

    assert beside(change(lots, 5, -1), check) > 3


@pytest.mark.parametrize("change", [flips, fills])
def test_an_exchange_takes_one_state_of_its_operations(change, switching):
    """Sizes are checked before anything is done: one that changed after the check would trade."""
    operations = np.zeros(ROWS, dtype=np.uint8)
    ids = np.arange(ROWS, dtype=np.int64)
    prices = np.full(ROWS, 10, dtype=np.int64)
    lots = np.ones(ROWS, dtype=np.int64)

    def check():
        book = _core.ExchangeBook(ROWS)
        try:
            book.run(operations, ids, prices, lots)
        except InvalidValueError:
            assert len(book) == 0
            return
        assert book.best()[1] == ROWS

    assert beside(change(lots, 1, 2**62), check) > 3


def test_arrays_that_stay_as_they_are_let_other_threads_run():
    """Read-only arrays of their own memory are read in place; the result is that of a copy."""
    values = np.random.default_rng(3).normal(size=10_000).cumsum()
    frozen = values.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(_core.sma(frozen, 20), _core.sma(values, 20))
    np.testing.assert_array_equal(_core.sma(values[::2], 20), _core.sma(values[::2].copy(), 20))
