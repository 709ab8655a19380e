"""The exchange's book of single orders as Python sees it."""

import numpy as np
import pytest

from tradecore.domain.book import ExchangeBook
from tradecore.domain.errors import InvalidValueError
from workloads import order_flow

BUY, SELL, CANCEL = 0, 1, 2


def arrays(rows):
    """Make the columns of a batch."""
    operation, *rest = zip(*rows, strict=True)
    return np.array(operation, np.uint8), *(np.array(column, np.int64) for column in rest)


def rows_of(fills):
    """Make rows of columns."""
    return list(zip(*(column.tolist() for column in fills.values()), strict=True))


def test_an_order_trades_with_the_best_price_and_the_oldest_order_first():
    """What is left of it rests at its own price."""
    book = ExchangeBook()
    for order_id, price, lots in ((1, 101, 5), (2, 100, 3), (3, 100, 4)):
        assert book.submit(order_id, SELL, price, lots) == 0

    assert book.submit(4, BUY, 101, 20) == 12
    assert rows_of(book.take_fills()) == [(4, 2, 100, 3), (4, 3, 100, 4), (4, 1, 101, 5)]
    assert book.order(4) == (BUY, 101, 8)
    assert book.best() == (101, 8, 0, 0)
    assert (len(book), book.level_counts()) == (1, (1, 0))


def test_a_cancel_gives_the_lots_back_and_one_of_an_order_that_is_gone_gives_none():
    """A cancel that comes too late is no error."""
    book = ExchangeBook()
    book.submit(1, BUY, 99, 5)

    assert (book.cancel(1), book.cancel(1), book.order(1)) == (5, 0, None)


def test_a_smaller_order_keeps_its_place_and_any_other_change_loses_it():
    """Only a fall of the size leaves an order where it is; a new price may trade at once."""
    book = ExchangeBook()
    for order_id in (1, 2):
        book.submit(order_id, BUY, 99, 5)

    assert (book.replace(1, 99, 3), book.ahead_lots(1), book.ahead_lots(2)) == (0, 0, 3)
    assert (book.replace(1, 99, 4), book.ahead_lots(1)) == (0, 5)
    book.submit(3, SELL, 101, 2)
    assert (book.replace(2, 101, 6), rows_of(book.take_fills())) == (2, [(2, 3, 101, 2)])
    assert (book.order(2), book.replace(9, 99, 1)) == ((BUY, 101, 4), None)


def test_fills_wait_until_they_are_taken_and_are_handed_over_once():
    """Columns of whole numbers with their own memory; a batch hands its fills over itself."""
    book = ExchangeBook()
    book.run(*arrays([(SELL, 1, 100, 2), (BUY, 2, 100, 1)]))
    assert (book.submit(3, BUY, 100, 1), book.submit(4, SELL, 100, 3)) == (1, 0)
    assert book.submit(5, BUY, 100, 3) == 3

    taken = book.take_fills()
    book.submit(6, SELL, 99, 1)
    book.submit(7, BUY, 99, 1)

    assert list(taken) == ["taker_id", "order_id", "price_ticks", "lots"]
    assert rows_of(taken) == [(3, 1, 100, 1), (5, 4, 100, 3)]
    assert (rows_of(book.take_fills()), rows_of(book.take_fills())) == ([(7, 6, 99, 1)], [])


def test_best_prices_that_stay_are_told_again_and_those_told_before_never_change():
    """Also after the price went and came back, and when only a size is another one."""
    book, told = ExchangeBook(), []
    assert book.best() == (0, 0, 0, 0)
    for order_id, price, lots in ((1, 99, 5), (2, 98, 1), (3, 99, 2), (4, 100, 1)):
        book.submit(order_id, BUY, price, lots)
        told.append(book.best())
    book.cancel(4)

    assert told == [(99, 5, 0, 0), (99, 5, 0, 0), (99, 7, 0, 0), (100, 1, 0, 0)]
    assert (book.best(), told[3]) == ((99, 7, 0, 0), (100, 1, 0, 0))


def test_a_batch_does_what_single_calls_do():
    """Fills come back as columns that name the order which came and the one that rested."""
    book = ExchangeBook()
    rows = [(SELL, 1, 101, 5), (SELL, 2, 100, 3), (CANCEL, 2, 0, 0), (BUY, 3, 101, 9), (CANCEL, 7, 0, 0)]
    fills, refused = book.run(*arrays(rows))

    assert {name: column.tolist() for name, column in fills.items()} == {
        "operation": [3],
        "order_id": [1],
        "price_ticks": [101],
        "lots": [5],
    }
    assert (refused.tolist(), book.best()) == ([], (101, 4, 0, 0))


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ((-1, BUY, 100, 1), "order_id"),
        ((1, 2, 100, 1), "side"),
        ((1, BUY, 0, 1), "price_ticks"),
        ((1, BUY, 2**60 + 1, 1), "price_ticks"),
        ((1, BUY, 100, 0), "lots"),
        ((1, BUY, 100, 2**40 + 1), "lots"),
        ((5, SELL, 100, 1), "order_id"),
    ],
    ids=["id", "side", "no price", "price too high", "no lots", "too many lots", "rests already"],
)
def test_a_refused_order_names_the_field_and_changes_nothing(order, field):
    """Also when it would have traded before it could not rest."""
    book = ExchangeBook()
    book.submit(5, BUY, 100, 7)

    with pytest.raises(InvalidValueError) as caught:
        book.submit(*order)

    assert caught.value.field == field
    assert (len(book), book.best()) == (1, (100, 7, 0, 0))


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ((3, 1, 100, 1), "operation[1]"),
        ((BUY, -1, 100, 1), "order_id[1]"),
        ((BUY, 1, 0, 1), "price_ticks[1]"),
        ((SELL, 1, 100, -1), "lots[1]"),
    ],
)
def test_one_bad_element_refuses_the_whole_batch(row, field):
    """The error says which; nothing of the batch is done."""
    book = ExchangeBook()

    with pytest.raises(InvalidValueError) as caught:
        book.run(*arrays([(BUY, 0, 99, 1), row]))

    assert (caught.value.field, len(book)) == (field, 0)


def test_columns_of_unequal_length_or_with_gaps_are_refused():
    """A batch is four columns of one length, each in one piece."""
    operation, *rest = arrays([(BUY, 1, 99, 1), (BUY, 2, 99, 1)])

    with pytest.raises(InvalidValueError, match="one length"):
        ExchangeBook().run(operation[:1], *rest)
    with pytest.raises(InvalidValueError, match="contiguous"):
        ExchangeBook().run(np.zeros(4, np.uint8)[::2], *rest)


def test_a_full_book_refuses_a_call_and_leaves_out_what_a_batch_brings_too_much():
    """A batch goes on behind an order that finds no room, or whose id rests already, and names it."""
    book = ExchangeBook(orders_max=2)
    _, refused = book.run(
        *arrays([(BUY, 1, 99, 1), (BUY, 1, 98, 1), (BUY, 2, 98, 1), (BUY, 3, 97, 1), (CANCEL, 1, 0, 0)])
    )

    assert (refused.tolist(), len(book), book.best()) == ([1, 3], 1, (98, 1, 0, 0))
    book.submit(4, BUY, 90, 1)
    with pytest.raises(InvalidValueError, match="room"):
        book.submit(5, SELL, 90, 1)
    assert book.best() == (98, 1, 0, 0)


@pytest.mark.parametrize("orders_max", [0, 2**22 + 1])
def test_the_room_of_a_book_has_bounds(orders_max):
    """It is taken at once, so that it must not be anything."""
    with pytest.raises(InvalidValueError, match="orders_max"):
        ExchangeBook(orders_max=orders_max)


@pytest.mark.slow
def test_the_known_flow_gives_the_known_fills():
    """The million operations that peers are measured with, from a generator of our own."""
    fills, refused = ExchangeBook().run(*order_flow(1_000_000))

    assert (len(fills["lots"]), int(fills["lots"].sum()), len(refused)) == (411_701, 17_590_275, 0)


def test_single_calls_and_a_batch_find_the_same():
    """20,000 operations of that flow, fill by fill."""
    flow, single, batched = order_flow(20_000), ExchangeBook(), ExchangeBook()
    fills, refused = batched.run(*flow)
    traded = 0
    for operation, order_id, price, lots in zip(*(column.tolist() for column in flow), strict=True):
        if operation == CANCEL:
            single.cancel(order_id)
        else:
            traded += single.submit(order_id, operation, price, lots)

    taken = single.take_fills()
    assert traded == int(fills["lots"].sum())
    assert taken.pop("taker_id").tolist() == flow.order_id[fills.pop("operation")].tolist()
    assert rows_of(taken) == rows_of(fills)
    assert (single.best(), len(single), len(refused)) == (batched.best(), len(batched), 0)
